from __future__ import annotations

import pytest

from multiserve.checks import look_at
from multiserve.checks.process_state import variables
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.loading.process_state import READINGS, Change, Patch
from multiserve.loading.side_effects import SideEffects, Variable

MOUNTS = '[mounts]\n"/a" = "plain:app"\n"/b" = "other:app"'
REPLACES = "loading it replaces"

SAID = [
    # the effects of loading /a, what is said about it: code, severity, mounts and message
    pytest.param(
        SideEffects(patches=(Patch("socket.getaddrinfo", "plain", False),)),
        ("MS190", "warning", ("/a", "/b"), f"{REPLACES} socket.getaddrinfo with what is in plain"),
        id="a function that is replaced",
    ),
    pytest.param(
        SideEffects(patches=(Patch("json.dumps", "plain", True), Patch("json.loads", "x", True))),
        ("MS190", "note", ("/a", "/b"), f"{REPLACES} json.dumps, json.loads"),
        id="functions that are wrapped",
    ),
    pytest.param(
        SideEffects(changes=(Change("recursion", "1000", "9000"),)),
        ("MS191", "note", ("/a",), "loading it changes the recursion limit from 1000 to 9000"),
        id="a setting",
    ),
    pytest.param(
        SideEffects(changes=(Change("warnings", "none", "UserWarning"),)),
        ("MS191", "warning", ("/a",), "loading it makes exceptions of warnings: UserWarning"),
        id="warnings as errors",
    ),
    pytest.param(
        SideEffects(variables=(Variable("MODE", "a", "b"),)),
        ("MS192", "note", ("/a",), 'loading it changes MODE from "a" to "b"'),
        id="a variable that had a value",
    ),
    pytest.param(
        SideEffects(variables=(Variable("DATABASE_URL", "a", "b"),)),
        ("MS192", "note", ("/a",), "loading it changes DATABASE_URL from a value to a value"),
        id="what may be a secret",
    ),
]


@pytest.mark.parametrize(("effects", "expected"), SAID)
def test_what_loading_changes_for_others_is_said(look, effects, expected):
    assert look(MOUNTS, effects={"/a": effects}) == [expected]
    assert look('[mounts]\n"/a" = "plain:app"\n"/b" = "plain:app"', effects={"/a": effects}) == []


SILENT = [
    pytest.param(SideEffects(variables=(Variable("MODE", None, "b"),)), id="a new variable"),
    pytest.param(SideEffects(variables=(Variable("TZ", "a", "b"),)), id="a variable that has its own check"),
    pytest.param(
        SideEffects(changes=(Change("warnings", "UserWarning", "none"),)), id="no errors of warnings any more"
    ),
    pytest.param(SideEffects(search_path=("/no/such/folder",)), id="a folder that is none"),
]


@pytest.mark.parametrize("effects", SILENT)
def test_nothing_is_said(look, effects):
    assert look(MOUNTS, effects={"/a": effects}) == []


@pytest.mark.parametrize("name", READINGS)
def test_every_setting_has_its_message(look, name):
    ((code, _, mounts, message),) = look(MOUNTS, effects={"/a": SideEffects(changes=(Change(name, "old", "new"),))})
    assert (code, mounts) == ("MS191", ("/a",))
    assert "{" not in message


def test_a_default_that_the_file_sets_is_wanted_by_nobody(tmp_path, write_config, kept_process):
    for name in ("one", "two"):
        text = f'import os\nos.environ.setdefault("MODE_OF_BOTH", "{name}")\ndef app(environ, start_response): ...'
        (tmp_path / f"{name}.py").write_text(text)

    def find(env):
        config = load_config(write_config(f'[mounts]\n"/a" = "one:app"\n"/b" = "two:app"\n{env}'))
        return [each.message for each in variables.find(look_at(compose(config), {}))]

    assert find('[env]\nMODE_OF_BOTH = "z"') == []
    assert find("") == ['MODE_OF_BOTH is one for all: /a sets it to "one", and /b sets it to "two"']


def test_a_folder_in_the_search_path_is_told_where_it_hides_a_module(look, tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "other.py").touch()
    (tmp_path / "parts" / "more.py").touch()
    found = look(MOUNTS, effects={"/a": SideEffects(search_path=(str(tmp_path / "parts"),))})
    assert found == [("MS193", "note", ("/a",), "loading it puts parts into sys.path, which has other as well")]

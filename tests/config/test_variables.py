from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from multiserve.config.file import load_config
from multiserve.config.variables import Variables, named_in
from multiserve.errors import ConfigError

SHAPE = 'Write "${NAME}", "${NAME:-default}", or "$${" where the two characters themselves are meant.'
ENVIRONMENT = {"HOST": "shop.test", "EMPTY": "", "ODD": "${HOST} $${", "PATHS": "a}b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("${HOST}", "shop.test", id="alone"),
        pytest.param("http://${HOST}:80/${HOST}", "http://shop.test:80/shop.test", id="twice, in a text"),
        pytest.param("${HOST:-other}", "shop.test", id="a default that is not needed"),
        pytest.param("${NONE:-other}", "other", id="a default"),
        pytest.param("${NONE:-}", "", id="an empty default"),
        pytest.param("${NONE:-a:-b c}", "a:-b c", id="a default with marks in it"),
        pytest.param("${EMPTY}", "", id="an empty variable"),
        pytest.param("${EMPTY:-other}", "other", id="a default for an empty variable"),
        pytest.param("${ODD}", "${HOST} $${", id="a value is not read again"),
        pytest.param("${PATHS}", "a}b", id="a brace in the value"),
        pytest.param("$${HOST}", "${HOST}", id="escaped"),
        pytest.param("$$${HOST}", "$${HOST}", id="a dollar before an escape"),
        pytest.param("$HOST $ { } $$", "$HOST $ { } $$", id="nothing of it"),
        pytest.param("/u/{user}", "/u/{user}", id="a placeholder"),
    ],
)
def test_what_becomes_of_a_text(text: str, expected: str) -> None:
    variables = Variables(ENVIRONMENT, "")
    document = {"ignore": [text], "mounts": {text: {"app": text}}, "port": 1}
    assert variables.replace(document) == {"ignore": [expected], "mounts": {expected: {"app": expected}}, "port": 1}
    assert variables.problems == []


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("${NONE}", "there is no variable NONE", 'Set it, or write "${NONE:-default}".'),
        ("${}", '"${}" is no variable', SHAPE),
        ("${1A}", '"${1A}" is no variable', SHAPE),
        ("${HOST-x}", '"${HOST-x}" is no variable', SHAPE),
        ("a ${HOST", '"${HOST" is no variable', SHAPE),
    ],
)
def test_what_is_wrong_is_told_with_its_key(text: str, message: str, hint: str) -> None:
    variables = Variables(ENVIRONMENT, "tool.multiserve")
    variables.replace({"mounts": {"/": {"app": text}}, "ignore": ["x", text], text: 1})
    told = [(problem.key, problem.message, problem.hint) for problem in variables.problems]
    keys = ['tool.multiserve.mounts."/".app', "tool.multiserve.ignore", f'tool.multiserve."{text}"']
    assert told == [(key, message, hint) for key in keys]


def test_two_keys_that_become_the_same_are_a_problem() -> None:
    variables = Variables(ENVIRONMENT, "")
    variables.replace({"mounts": {"shop.test": "a", "${HOST}": "b"}})
    (problem,) = variables.problems
    assert str(problem) == (
        'mounts."${HOST}": with its variables it is "shop.test", which is there already\n    Keep one of the two.'
    )


@pytest.mark.parametrize("turned", [False, True], ids=["as written", "the other way round"])
def test_the_process_counts_before_the_file_whatever_the_order(turned: bool) -> None:
    env = {"HOST": "file.test", "OWN": "own", "COMPOSED": "${HOST}/x", "REFERS": "${OWN:-unknown}"}
    document: dict[str, Any] = {"mounts": {"${HOST}": "${OWN} ${COMPOSED} ${REFERS}"}, "env": env}
    if turned:
        document = {name: dict(reversed(table.items())) for name, table in reversed(document.items())}
    variables = Variables(ENVIRONMENT, "")
    replaced = variables.replace(document)
    assert replaced["mounts"] == {"shop.test": "own shop.test/x unknown"}
    assert replaced["env"] == {**env, "COMPOSED": "shop.test/x", "REFERS": "unknown"}
    assert variables.problems == []


def test_the_file_is_read_with_the_variables_of_the_process(
    write_config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_APP", "shop:app")
    monkeypatch.setenv("SHOP_PREFIX", "/shop")
    path = write_config('[mounts]\n"${SHOP_PREFIX}" = "${SHOP_APP}"')
    (mount,) = load_config(path).mounts
    assert (str(mount.key), mount.what, mount.toml_key) == ("/shop", "shop:app", 'mounts."/shop"')
    monkeypatch.delenv("SHOP_APP")
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    (problem,) = raised.value.problems
    assert (problem.key, problem.message) == ('mounts."${SHOP_PREFIX}"', "there is no variable SHOP_APP")


def test_the_names_of_all_variables_are_known() -> None:
    written = {
        "mounts": {"/${A}": "x:make('${B:-1}', ${C})", "/y": {"app": ["${A:-2}", "$${NO}", "${}"], "n": 1}},
        "env": {"D": "${B:-3}"},
    }
    assert named_in(written) == {"A": False, "B": True, "C": False}

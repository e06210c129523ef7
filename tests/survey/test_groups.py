"""What becomes of the mounts of a group whose process ends, or cannot be started."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from multiserve.config.file import select
from multiserve.interpreters.interpreter import InterpreterError
from multiserve.survey.mounts import survey

pytestmark = pytest.mark.usefixtures("clean_process")
LONGER = "If its applications need longer, raise startup_timeout under [server]."


def problems(config):
    with survey(config) as found:
        return {
            loaded.mount.name: [(each.key, each.message, each.hint) for each in loaded.error.problems]
            for loaded in found.composition.failures
            if loaded.error
        }


@pytest.mark.parametrize(
    ("app", "how", "hint"),
    [
        pytest.param("leaves", "has ended with exit code 3", "", id="an exit"),
        pytest.param("crashes", "was ended by SIGSEGV", "", id="a crash"),
        pytest.param("hangs", "was ended after 2 seconds", LONGER, id="an import that hangs"),
    ],
)
def test_a_process_that_ends_says_so_at_its_mounts_alone(grouped, app, how, hint):
    mounts = {"/a": ("blog", "bad"), "/b": (app, "bad"), "/": ("shop", ""), "/c": ("blog", "good")}
    process = f'the process of the group "bad" {how} while it loaded'
    assert problems(grouped(mounts, "[server]\nstartup_timeout = 2")) == {
        "/a": [('mounts."/a"', f"{process} /b", hint)],
        "/b": [('mounts."/b"', f"{process} this mount", hint)],
    }


def test_an_interpreter_that_cannot_be_used_is_told_at_its_mounts(grouped, monkeypatch):
    def refuse(_):
        error = InterpreterError("this is no interpreter")
        error.hint = "Name another one."
        raise error

    monkeypatch.setattr("multiserve.servers.groups.interpreters.find_interpreter", refuse)
    assert problems(grouped({"/a": ("blog", "blog"), "/": ("shop", "")})) == {
        "/a": [("groups.blog.python", "this is no interpreter", "Name another one.")]
    }


def test_a_folder_that_is_gone_is_told_at_its_mounts(grouped, tmp_path):
    (tmp_path / "gone").mkdir()
    config = grouped({"/a": ("blog", "blog")}, '[groups.blog]\ndirectory = "gone"')
    (tmp_path / "gone").rmdir()
    assert problems(config) == {
        "/a": [
            (
                'mounts."/a"',
                f'the process of the group "blog" cannot be started: No such file or directory: {tmp_path / "gone"}',
                "",
            )
        ]
    }


def test_a_group_without_a_mount_that_is_left_is_not_started(grouped):
    config = grouped({"/a": ("hangs", "bad"), "/": ("shop", ""), "/b": ("blog", "good")})
    assert problems(select(config, ["/", "/b"])) == {}


def test_of_a_group_only_what_is_left_is_loaded(grouped):
    config = grouped({"/a": ("hangs", "one"), "/b": ("blog", "one")})
    with survey(select(config, ["/b"])) as found:
        assert [(loaded.mount.name, loaded.interface) for loaded in found.composition.mounts] == [("/b", "wsgi")]


def test_a_fleet_may_be_in_a_group(grouped, tmp_path):
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "one.py").write_text("def app(environ, start_response): ...")
    (tmp_path / "fleet" / "two.py").write_text("import nothing_such\ndef app(environ, start_response): ...")
    with survey(grouped({"/f": ('fleet = "fleet"', "blog")})) as found:
        fleet, one, two = found.composition.mounts
        assert (fleet.mount.kind, bool(fleet.handlers), fleet.error) == ("fleet", True, None)
        assert (one.mount.name, one.interface) == ("/f/one", "wsgi")
        assert two.error
        assert two.error.problems[0].key == "/f/two (fleet/two.py)"


def test_processes_are_ended_whatever_happens(grouped, tmp_path):
    with pytest.raises(KeyboardInterrupt), survey(grouped({"/a": ("tells", "blog")})):
        raise KeyboardInterrupt
    pid = (tmp_path / "tells.py.pid").read_text()
    assert int(pid) != os.getpid()
    assert not Path(f"/proc/{pid}").exists()


def test_what_the_process_finds_arrives(grouped, tmp_path):
    (tmp_path / "moves.py").write_text("import os\nos.chdir('/')\ndef app(environ, start_response): ...")
    mounts = {"/a": ("moves", "blog"), "/b": ("blog", "blog")}
    with survey(grouped(mounts), checks=True) as found:
        assert [(each.code, each.mounts) for each in found.findings] == [("MS161", ("/a",))]
        assert found.effects["/a"].folder == "/"
        [load] = found.loads
        assert (load.group, load.workers, load.is_shared, load.resident > 0) == ("blog", 1, False, True)

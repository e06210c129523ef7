"""The interpreter of a group."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from multiserve.config.groups import Group
from multiserve.interpreters import entry
from multiserve.interpreters.interpreter import Interpreter, InterpreterError
from multiserve.interpreters.lending import Loan
from multiserve.servers.groups import interpreters
from multiserve.servers.groups.interpreters import problem_of_interpreter, start_by

GROUP = Group(name="old", toml_key="groups.old")
OTHER = Interpreter(path=Path("/other/bin/python"), version=(3, 12, 1), prefix=Path("/other"), base_prefix=Path("/usr"))


def test_a_group_without_an_interpreter_has_ours_and_its_variables():
    assert start_by(GROUP, "shop:serve", {"A": "b"}) == (
        [sys.executable, entry.__file__, "shop:serve"],
        {"A": "b"},
    )
    assert problem_of_interpreter(GROUP) is None


@pytest.fixture
def other(monkeypatch, tmp_path):
    """Have an interpreter of another environment, which lacks some packages; give the group, and who was asked."""
    asked = []
    found = replace(OTHER, prefix=tmp_path / "old", base_prefix=tmp_path)
    monkeypatch.setattr(interpreters, "_answers", {})
    monkeypatch.setattr(interpreters, "find_interpreter", lambda _: found)

    def other(*missing):
        monkeypatch.setattr(interpreters, "lend_to", lambda one: asked.append(one) or Loan(missing=list(missing)))
        return replace(GROUP, python=tmp_path / "old"), asked

    return other


def test_another_interpreter_gets_what_it_borrows(other):
    group, _ = other()
    command, environ = start_by(group, "shop:serve", {"PATH": "/bin"})
    assert command == ["/other/bin/python", entry.__file__, "shop:serve"]
    assert environ == {
        "PATH": f"{group.python}/bin:/bin",
        "VIRTUAL_ENV": str(group.python),
        "MULTISERVE_BORROWED": '{"modules": {}, "first": {}}',
    }


def test_one_that_lacks_a_package_is_a_problem_that_says_how_to_install_it(other):
    group, asked = other("httptools>=0.6.3", "click>=8.1")
    with pytest.raises(InterpreterError):
        start_by(group, "shop:serve", {})
    assert str(problem_of_interpreter(group)) == (
        "groups.old.python: /other/bin/python lacks what it needs to serve: httptools>=0.6.3, click>=8.1\n"
        "    Type /other/bin/python -m pip install 'httptools>=0.6.3' 'click>=8.1'"
    )
    assert len(asked) == 2  # each time: somebody may have installed them


@pytest.mark.parametrize(
    ("change", "times"),
    [
        pytest.param(None, 1, id="nothing"),
        pytest.param("old/pyvenv.cfg", 2, id="the environment"),
        pytest.param("old/lib/python3.12/site-packages/new", 2, id="its packages"),
        pytest.param("lib/python3.12/dist-packages/new", 2, id="those of the installation"),
    ],
)
def test_one_that_is_as_it_was_is_asked_once(other, tmp_path, change, times):
    group, asked = other()
    for folder in ("old/lib/python3.12/site-packages", "lib/python3.12/dist-packages"):
        (tmp_path / folder).mkdir(parents=True)
        os.utime(tmp_path / folder, (1, 1))
    start_by(group, "shop:serve", {})
    if change:
        (tmp_path / change).touch()
    assert start_by(group, "shop:serve", {})[0] == ["/other/bin/python", entry.__file__, "shop:serve"]
    assert len(asked) == times

"""The interpreter of a group."""

from __future__ import annotations

import sys
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
def other(monkeypatch):
    """Have the group the interpreter of another environment, which lacks some packages."""
    monkeypatch.setattr(interpreters, "find_interpreter", lambda _: OTHER)
    return lambda *missing: monkeypatch.setattr(interpreters, "lend_to", lambda _: Loan(missing=list(missing)))


def test_another_interpreter_gets_what_it_borrows(other):
    other()
    command, environ = start_by(GROUP, "shop:serve", {"PATH": "/bin"})
    assert command == ["/other/bin/python", entry.__file__, "shop:serve"]
    assert environ == {
        "PATH": "/other/bin:/bin",
        "VIRTUAL_ENV": "/other",
        "MULTISERVE_BORROWED": '{"modules": {}, "first": {}}',
    }


def test_one_that_lacks_a_package_is_a_problem_that_says_how_to_install_it(other):
    other("httptools>=0.6.3", "click>=8.1")
    with pytest.raises(InterpreterError):
        start_by(GROUP, "shop:serve", {})
    assert str(problem_of_interpreter(GROUP)) == (
        "groups.old.python: /other/bin/python lacks what it needs to serve: httptools>=0.6.3, click>=8.1\n"
        "    Type /other/bin/python -m pip install 'httptools>=0.6.3' 'click>=8.1'"
    )

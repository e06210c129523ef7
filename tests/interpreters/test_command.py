"""Another interpreter gets the command and the variables that its own environment would have."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from multiserve.interpreters import entry
from multiserve.interpreters.borrowing import VARIABLE
from multiserve.interpreters.command import command, environment
from multiserve.interpreters.interpreter import Interpreter, find_interpreter
from multiserve.interpreters.lending import Loan

LOAN = Loan(modules={"multiserve": "/ours"})
THEIRS = Interpreter(
    path=Path("/srv/blog/.venv/bin/python"),
    version=(3, 12, 1),
    prefix=Path("/srv/blog/.venv"),
    base_prefix=Path("/usr"),
)
INSTALLED = dataclasses.replace(THEIRS, path=Path("/usr/bin/python3"), prefix=Path("/usr"))

# interpreter, variables -> those for it, but for what it borrows.
CASES = {
    "a virtual environment": (
        THEIRS,
        {"PATH": "/usr/bin:/bin", "LANG": "C"},
        {"PATH": "/srv/blog/.venv/bin:/usr/bin:/bin", "LANG": "C", "VIRTUAL_ENV": "/srv/blog/.venv"},
    ),
    "in place of the active one": (
        THEIRS,
        {"PATH": "/our/bin:/usr/bin", "VIRTUAL_ENV": "/our", "VIRTUAL_ENV_PROMPT": "our"},
        {"PATH": "/srv/blog/.venv/bin:/usr/bin", "VIRTUAL_ENV": "/srv/blog/.venv"},
    ),
    "no virtual environment": (
        INSTALLED,
        {"PATH": "/our/bin:/usr/bin", "VIRTUAL_ENV": "/our"},
        {"PATH": "/usr/bin"},
    ),
    "without what is about our interpreter": (
        INSTALLED,
        {
            "PATH": "/bin",
            "PYTHONPATH": "/our",
            "PYTHONHOME": "/our",
            "__PYVENV_LAUNCHER__": "x",
            "PYTHONUNBUFFERED": "1",
        },
        {"PATH": "/bin", "PYTHONUNBUFFERED": "1"},
    ),
    "no search path": (INSTALLED, {}, {"PATH": os.defpath}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_gets_the_variables_of_its_own_environment(case):
    interpreter, variables, expected = case
    found = environment(interpreter, variables, LOAN)
    assert json.loads(found.pop(VARIABLE)) == {"modules": {"multiserve": "/ours"}, "first": {}}
    assert found == expected


def test_our_own_interpreter_gets_all_as_it_is():
    variables = {"PATH": "/bin", "PYTHONPATH": "/our", "VIRTUAL_ENV": "/another"}
    assert environment(find_interpreter(None), variables) == variables


def test_what_it_borrows_is_found_out_where_it_is_not_given(make_environment):
    found = environment(make_environment().interpreter, {})
    assert "gunicorn" in json.loads(found[VARIABLE])["modules"]


def test_the_command_names_a_file():
    script = str(Path(entry.__file__))
    found = command(THEIRS, "multiserve.cli:main", ["run", "--production"])
    assert found == ["/srv/blog/.venv/bin/python", script, "multiserve.cli:main", "run", "--production"]
    assert Path(script).is_absolute()

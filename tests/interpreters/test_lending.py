"""An interpreter borrows what its environment does not have; what it cannot borrow is named."""

from __future__ import annotations

import dataclasses
import json
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from multiserve.interpreters import lending
from multiserve.interpreters.interpreter import InterpreterError, find_interpreter
from multiserve.interpreters.lending import lend_to
from multiserve.interpreters.packages import needed_packages

ALL = {"multiserve", "gunicorn", "httptools", "tomli", "uvicorn", "websockets", "click", "werkzeug", "markupsafe"}
# What the other environment has -> what goes before it, what it does not borrow, and what is missing in it.
CASES = {
    "nothing": ({}, set(), set(), []),
    "an application's packages": (
        {"flask": "0.12", "click": "7.0", "werkzeug": "0.16"},
        set(),
        {"click", "werkzeug"},
        [],
    ),
    "a newer server": ({"gunicorn": "99"}, set(), {"gunicorn"}, []),
    "older servers": (
        {"gunicorn": "19.9", "uvicorn": "0.20", "httptools": "0.1"},
        {"gunicorn", "uvicorn", "httptools"},
        set(),
        [],
    ),
    "a version that is none": ({"gunicorn": "unknown"}, {"gunicorn"}, set(), []),
    "another multiserve": ({"multiserve": "99.0"}, {"multiserve"}, set(), []),
    "an older package that applications use": ({"websockets": "10.4"}, set(), {"websockets"}, ["websockets>=11"]),
    "one that is older than the command line needs": ({"websockets": "11.0"}, set(), {"websockets"}, []),
    "one that uvicorn refuses": ({"click": "6.7"}, set(), {"click"}, ["click>=7.0"]),
    "one that only uvicorn's other parser needs": ({"h11": "0.1"}, set(), set(), []),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_does_not_fit_is_lent_or_missing(case, make_environment):
    installed, first, own, missing = case
    loan = lend_to(make_environment(**installed).interpreter)
    assert (set(loan.first), loan.missing) == (first, missing)
    without_werkzeug = {"markupsafe"} if "werkzeug" in own else set()
    assert ALL & loan.modules.keys() == ALL - first - own - without_werkzeug


def test_nothing_else_of_our_environment_is_lent(make_environment):
    loan = lend_to(make_environment().interpreter)
    known = {module for package in needed_packages({"sys_platform": "linux"}).values() for module in package.modules}
    assert loan.modules.keys() <= known
    assert loan.modules.keys().isdisjoint({"flask", "pytest", "h11", "pip"})


def test_ours_borrows_nothing():
    interpreter = find_interpreter(None)
    assert lend_to(interpreter) == lending.Loan()
    assert lend_to(interpreter).missing == []


def another_version(monkeypatch, tmp_path, *, with_python):
    """Let our httptools be compiled for a version of Python that nobody has."""
    package = tmp_path / "ours" / "httptools"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("" if with_python else "from httptools import parser\n")
    (package / "parser.cpython-399-x86_64-linux-gnu.so").touch()
    real = needed_packages

    def needed(variables):
        packages = real(variables)
        changes = {"folder": package.parent, "compiled": ("parser.cpython-399-x86_64-linux-gnu.so",)}
        return {**packages, "httptools": dataclasses.replace(packages["httptools"], **changes)}

    monkeypatch.setattr(lending, "needed_packages", needed)


def test_a_module_that_is_compiled_for_another_python_is_missing(make_environment, monkeypatch, tmp_path):
    another_version(monkeypatch, tmp_path, with_python=False)
    assert lend_to(make_environment().interpreter).missing == ["httptools>=0.6.3"]


def test_it_is_not_missing_where_the_environment_has_its_own(make_environment, monkeypatch, tmp_path):
    another_version(monkeypatch, tmp_path, with_python=False)
    assert lend_to(make_environment(httptools="0.7").interpreter).missing == []


def test_an_older_one_of_its_own_does_not_do(make_environment, monkeypatch, tmp_path):
    another_version(monkeypatch, tmp_path, with_python=False)
    assert lend_to(make_environment(httptools="0.1").interpreter).missing == ["httptools>=0.6.3"]


def test_a_package_with_the_same_in_python_is_lent(make_environment, monkeypatch, tmp_path):
    another_version(monkeypatch, tmp_path, with_python=True)
    assert lend_to(make_environment().interpreter).missing == []


def test_a_package_for_newer_versions_of_python_is_missing(make_environment, monkeypatch):
    real = needed_packages

    def needed(variables):
        packages = real(variables)
        return {**packages, "uvicorn": dataclasses.replace(packages["uvicorn"], python=">=3.99")}

    monkeypatch.setattr(lending, "needed_packages", needed)
    assert lend_to(make_environment().interpreter).missing == ["uvicorn>=0.35"]


def test_what_we_do_not_have_ourselves_is_missing(make_environment, monkeypatch):
    real = needed_packages
    monkeypatch.setattr(lending, "needed_packages", lambda variables: {**real(variables), "tomli": None})
    assert lend_to(make_environment().interpreter).missing == ["tomli>=2.2.1"]


def test_it_is_handed_over_as_json(make_environment):
    loan = lend_to(make_environment(gunicorn="19.9").interpreter)
    assert json.loads(loan.to_text()) == {"modules": loan.modules, "first": loan.first}


def test_an_environment_that_prints_while_it_starts_is_understood(make_environment):
    other = make_environment(gunicorn="19.9")
    (other.site / "noise.pth").write_text("import sys; print('Welcome')\n")
    assert lend_to(other.interpreter).first.keys() == {"gunicorn"}


def test_an_environment_that_cannot_start_is_refused(make_environment):
    other = make_environment()
    (other.site / "sitecustomize.py").write_text("raise SystemExit('Not today')\n")
    with pytest.raises(InterpreterError) as caught:
        lend_to(other.interpreter)
    path = other.interpreter.path
    assert str(caught.value) == f"{path} does not say which packages it has: SystemExit: Not today"
    assert caught.value.hint == f"Try it: {path} -m pip list"


def test_a_program_that_has_gone_meanwhile_is_refused(make_environment):
    interpreter = dataclasses.replace(make_environment().interpreter, path=Path("/nowhere/python"))
    with pytest.raises(InterpreterError) as caught:
        lend_to(interpreter)
    assert str(caught.value) == (
        "/nowhere/python does not say which packages it has: [Errno 2] No such file or directory: '/nowhere/python'"
    )


def test_variables_for_our_interpreter_do_not_count(make_environment, monkeypatch, tmp_path):
    other = make_environment()
    (tmp_path / "gunicorn-99.dist-info").mkdir()
    (tmp_path / "gunicorn-99.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: gunicorn\nVersion: 99\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert "gunicorn" in lend_to(other.interpreter).modules


def test_a_multiserve_that_is_not_installed_is_refused(make_environment, monkeypatch):
    def missing(variables):
        raise PackageNotFoundError

    monkeypatch.setattr(lending, "needed_packages", missing)
    with pytest.raises(InterpreterError) as caught:
        lend_to(make_environment().interpreter)
    assert str(caught.value) == "what multiserve needs is not known, as it runs without having been installed"
    assert caught.value.hint == f"Install it: {sys.executable} -m pip install multiserve"

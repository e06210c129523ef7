"""An interpreter says what it is; whatever is none, or does not fit, is refused with the reason and what to do."""

from __future__ import annotations

import sys
import venv
from importlib.metadata import metadata
from pathlib import Path

import pytest

from multiserve.interpreters import interpreter
from multiserve.interpreters.interpreter import InterpreterError, find_interpreter

WHAT_TO_WRITE = "Write the folder of a virtual environment, or the path of a Python interpreter."
BY_PROXY = 'Applications that need an older one can run by a server of their own, behind a mount with "proxy".'
ANSWER = "multiserve\\n{}\\n{}\\n/opt\\n/opt\\n/opt/bin/python"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("environment") / ".venv"
    venv.create(folder, symlinks=True)
    return folder


def test_the_oldest_is_what_multiserve_is_for():
    assert metadata("multiserve")["Requires-Python"] == ">={}.{}".format(*interpreter.OLDEST)


def test_the_running_interpreter_is_ours():
    found = find_interpreter(None)
    assert (found.path, found.version, found.prefix) == (
        Path(sys.executable),
        sys.version_info[:3],
        Path(sys.prefix),
    )
    assert found.is_ours


@pytest.mark.parametrize("name", [".", "bin/python", "bin/python3"])
def test_a_virtual_environment_is_found_by_its_folder_and_by_its_program(folder, name):
    found = find_interpreter(folder / name)
    assert (found.version, found.prefix, found.base_prefix) == (sys.version_info[:3], folder, Path(sys.base_prefix))
    assert found.path.parent == found.programs == folder / "bin"
    assert (found.is_ours, found.is_virtual) == (False, True)


def test_a_relative_path_is_one_of_the_working_directory(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert find_interpreter(Path(".venv")) == find_interpreter(folder)


def test_a_link_to_an_environment_is_the_environment(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    found = find_interpreter(tmp_path / "link")
    assert found.prefix == tmp_path / "link"
    assert found.prefix.resolve() == folder


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="the tests run in no virtual environment")
def test_our_own_environment_is_ours_however_it_is_named(tmp_path):
    (tmp_path / "link").symlink_to(sys.prefix)
    for path in (sys.prefix, sys.executable, tmp_path / "link"):
        assert find_interpreter(Path(path)).is_ours


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="the tests run in no virtual environment")
def test_an_installation_is_no_virtual_environment(folder):
    found = find_interpreter(find_interpreter(folder).path.resolve())
    assert (found.prefix, found.is_ours, found.is_virtual) == (Path(sys.base_prefix), False, False)


def test_variables_for_our_interpreter_do_not_disturb_another(folder, monkeypatch, tmp_path):
    (tmp_path / "sys.py").write_text("raise SystemExit('not this one')")
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert find_interpreter(folder).prefix == folder


def test_the_command_that_installs_something_can_be_typed(folder):
    found = find_interpreter(folder)
    assert found.pip_install(["httptools>=0.6.3"]) == f"{found.path} -m pip install 'httptools>=0.6.3'"


def script(path, text, mode=0o755):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)


# What stands at {path} as a shell script -> message, hint.
SCRIPTS = {
    "exits": (
        "echo Not today >&2; exit 3",
        "{path} is no Python that works: it exits with 3: Not today",
        WHAT_TO_WRITE,
    ),
    "exits without a word": ("exit 3", "{path} is no Python that works: it exits with 3", WHAT_TO_WRITE),
    "is killed": ("kill -9 $$", "{path} is no Python that works: it was ended by signal 9", WHAT_TO_WRITE),
    "prints something else": (
        "echo Hello",
        "{path} is no Python that works: it does not answer as Python does",
        WHAT_TO_WRITE,
    ),
    "hangs": ("exec sleep 60", "{path} is no Python, or hangs: no answer in 0.5 seconds", WHAT_TO_WRITE),
    "PyPy": (
        f"printf '{ANSWER.format('pypy', '3.11.13')}'",
        "{path} is PyPy",
        "multiserve needs CPython 3.11 or newer there.",
    ),
    "an implementation without a known name": (
        f"printf '{ANSWER.format('rustpython', '3.13.0')}'",
        "{path} is rustpython",
        "multiserve needs CPython 3.11 or newer there.",
    ),
    "too old": (
        f"printf '{ANSWER.format('cpython', '3.10.13')}'",
        "{path} is Python 3.10.13",
        f"multiserve needs Python 3.11 or newer there. {BY_PROXY}",
    ),
}


@pytest.mark.parametrize("case", SCRIPTS.values(), ids=SCRIPTS)
def test_a_program_that_does_not_fit_is_refused(case, tmp_path, monkeypatch):
    text, message, hint = case
    monkeypatch.setattr(interpreter, "TIME_LIMIT", 0.5)
    path = tmp_path / "python"
    script(path, text)
    with pytest.raises(InterpreterError) as caught:
        find_interpreter(path)
    assert (str(caught.value), caught.value.hint) == (message.format(path=path), hint)


def nothing(path):
    pass


def a_folder(path):
    path.mkdir()


def a_project(path):
    script(path / ".venv" / "bin" / "python", "")


def a_file(path):
    script(path, "", mode=0o644)


def no_program(path):
    path.write_bytes(b"\x7fELF, but not really")
    path.chmod(0o755)


def no_base(path):
    venv.create(path, symlinks=True)
    (path / "bin" / "python").unlink()
    (path / "bin" / "python").symlink_to("/nowhere/bin/python3")


def newer_base(path):
    venv.create(path, symlinks=True)
    (path / "pyvenv.cfg").write_text("home = /usr/bin\nversion_info = 3.1.4.final.0\n")


# What stands at {path} -> message, hint.
PLACES = {
    "nothing": (nothing, "{path} does not exist", f"{WHAT_TO_WRITE} To make one: python3 -m venv FOLDER"),
    "a folder that is no environment": (
        a_folder,
        "{path} is not a virtual environment: it has no bin/python",
        f"{WHAT_TO_WRITE} To make one: python3 -m venv {{path}}/.venv",
    ),
    "the folder above one": (
        a_project,
        "{path} is not a virtual environment: it has no bin/python",
        "Write {path}/.venv, which is one.",
    ),
    "a file that is no program": (a_file, "{path} cannot be executed", WHAT_TO_WRITE),
    "a program of another system": (no_program, "{path} cannot be executed: Exec format error", WHAT_TO_WRITE),
    "an environment whose Python is gone": (
        no_base,
        "the Python that {path} was made from is gone (/nowhere/bin/python3)",
        "Make the environment anew and install its packages: python3 -m venv --clear {path}",
    ),
    "an environment whose Python was replaced": (
        newer_base,
        f"{{path}} was made from Python 3.1.4, and its interpreter is Python {sys.version.split()[0]} now",
        "Make the environment anew and install its packages: python3 -m venv --clear {path}",
    ),
}


@pytest.mark.parametrize("case", PLACES.values(), ids=PLACES)
def test_a_place_that_does_not_fit_is_refused(case, tmp_path):
    make, message, hint = case
    path = tmp_path / "there"
    make(path)
    with pytest.raises(InterpreterError) as caught:
        find_interpreter(path)
    assert (str(caught.value), caught.value.hint) == (message.format(path=path), hint.format(path=path))

"""The table of false alarms: what `check --probe` says about published applications, each composed as its users would.

A composition is a folder here. Its published.toml has the applications, what has to be installed for them, what makes
their files, and the notes that are right, each with the reason. An error or a warning is never right: the compositions
are. `make published-test` installs them all; `make test` runs those that the tests need anyway.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

FOLDER = Path(__file__).parent
ENVIRONMENTS = os.environ.get("MULTISERVE_PUBLISHED")  # the folder of what `make published-test` has installed
OF_THE_MACHINE = ("MS164", "MS165", "MS171")  # seconds and megabytes, which depend on it
COMPOSITIONS = sorted(path.parent.name for path in FOLDER.glob("*/published.toml"))
MODES = ("development", "production")


class Noted(NamedTuple):
    code: str
    mounts: tuple[str, ...]


def read(name):
    return tomllib.loads((FOLDER / name / "published.toml").read_text("utf-8"))


def interpreter_for(name):
    """Return the Python that has the applications; skip the test where there is none."""
    if ENVIRONMENTS:
        found = Path(ENVIRONMENTS, name, "bin", "python")
        if not found.exists():
            pytest.skip(f"{name} could not be installed")
        return str(found)
    needed = [re.match(r"[\w.-]+", each).group() for each in read(name)["requirements"]]
    missing = [each for each in needed if not list(importlib.metadata.distributions(name=each))]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: make published-test installs it")
    return sys.executable


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Return the folder of a composition, which is made once for both modes."""

    @functools.cache
    def made(name):
        folder = tmp_path_factory.mktemp(name)
        prepare(name, interpreter_for(name), folder)
        return folder

    return made


def prepare(name, python, folder):
    """Copy a composition, and run what makes the files of its applications, such as `wagtail start`."""
    shutil.copytree(FOLDER / name, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for command in read(name).get("prepare", []):
        done = subprocess.run([python, *command], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def checked(python, folder, mode):
    file = folder / f"{mode}.toml"
    command = [python, "-m", "multiserve", "check", "--probe", "--format", "json"]
    command += ["-c", str(file if file.exists() else folder / "multiserve.toml")]
    command += ["--production"] if mode == "production" else []
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV_"))}
    environment["TZ"] = "UTC"  # as the settings have it: that Django sets it is no change then
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", COMPOSITIONS)
def test_nothing_but_the_notes_that_are_right_is_said_about(name, mode, folder_of):
    result = checked(interpreter_for(name), folder_of(name), mode)
    assert result["problems"] == []
    assert [mount for mount in result["mounts"] if not mount["ok"]] == []
    found = [each for each in result["findings"] if each["code"] not in OF_THE_MACHINE]
    assert [each for each in found if each["severity"] != "note"] == []
    expected = {
        Noted(each["code"], tuple(each["mounts"]))
        for each in read(name).get("notes", [])
        if mode in each.get("modes", MODES)
    }
    assert {Noted(each["code"], tuple(each["mounts"])) for each in found} == expected


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_each_note_that_is_right_has_a_reason(name):
    assert all(len(note["reason"]) > len("because") for note in read(name).get("notes", []))


def test_the_table_has_thirty_applications():
    assert len({application for name in COMPOSITIONS for application in read(name)["applications"]}) >= 30

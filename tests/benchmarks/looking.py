"""The commands that look at a composition: with one and two thousand mounts, and with large projects of Django."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from processes import table_of
from rounds import Contender, Effort, Row, Sample, at_most, compare

_LOOKS = (("check",), ("check", "--probe"), ("routes", "--all"))
_SIZES = (1000, 2000)
_ROUNDS = 3  # they take seconds each
_ROOT = Path(__file__).parents[2]
# What `make published-test` has installed: how the table calls it, its file, and what loads its project alone.
_PROJECTS = {
    "wagtail_flask_admin": ("Wagtail and Flask-Admin", "development.toml", "mysite.wsgi", "own_development"),
    "oscar_pypiserver_isso": ("Oscar, pypiserver and Isso", "multiserve.toml", "frobshop.wsgi", "frobshop.settings"),
}


def run(effort: Effort) -> Iterator[Row]:
    """Measure all, and yield their rows."""
    with tempfile.TemporaryDirectory() as name:
        yield from _many(Path(name), min(effort.rounds, _ROUNDS))
    for project in _PROJECTS:
        environment = _ROOT / "build" / "published" / project
        if environment.exists():
            with tempfile.TemporaryDirectory() as name:
                yield from _project(project, environment, Path(name), min(effort.rounds, _ROUNDS))


def _many(folder: Path, rounds: int) -> Iterator[Row]:
    """Compare two thousand mounts with one thousand: no command may take more than about twice as long."""
    for size in _SIZES:
        mounts = {f"/app{number}": "bare_wsgi" for number in range(size)}
        (folder / f"{size}.toml").write_text(table_of(mounts), "utf-8")
    for look in _LOOKS:
        name = f"ms, multiserve {' '.join(look)}"
        fewer, more = (
            Contender(f"{name}, {size} mounts", partial(_look, sys.executable, look, folder / f"{size}.toml"))
            for size in _SIZES
        )
        yield from compare(fewer, [more], rounds, at_most(2.3))


def _project(project: str, environment: Path, folder: Path, rounds: int) -> Iterator[Row]:
    """Compare the commands with what only loads the project and imports its URLs."""
    shown, file, module, settings = _PROJECTS[project]
    source = _ROOT / "tests" / "published" / project
    python = str(environment / "bin" / "python")
    shutil.copytree(source, folder, dirs_exist_ok=True)
    for command in tomllib.loads((source / "published.toml").read_text("utf-8"))["prepare"]:
        subprocess.run([python, *command], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    code = f"import {module}; from django.urls import get_resolver; get_resolver().url_patterns"
    alone = partial(_command, [python, "-c", code], folder, {"DJANGO_SETTINGS_MODULE": settings})
    ours = [
        Contender(f"ms, multiserve {' '.join(look)}, {shown}", partial(_look, python, look, folder / file))
        for look in _LOOKS
    ]
    yield from compare(Contender("python that imports the Django project", alone), ours, rounds)


def _look(python: str, look: tuple[str, ...], file: Path) -> Sample:
    return _command([python, "-m", "multiserve", *look, "--config", str(file)], file.parent, {})


def _command(command: list[str], folder: Path, variables: Mapping[str, str]) -> Sample:
    """Measure the milliseconds of a command, and of the processor for it as the second figure."""
    environment = {**os.environ, **variables}
    before, began = os.times(), time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
    )
    took, after = time.perf_counter() - began, os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    return Sample(took * 1e3, busy * 1e3)

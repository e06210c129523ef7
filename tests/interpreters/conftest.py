"""Virtual environments beside the one that runs the tests, with small packages in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from multiserve.interpreters.command import command, environment
from multiserve.interpreters.interpreter import Interpreter, find_interpreter

APPLICATION = (
    "from __future__ import annotations\nimport json, os, sys\ndef main():\n    print(json.dumps({expression}))\n"
)


class OtherEnvironment:
    """A virtual environment without pip.

    Attributes:
        folder: Where it is.
        site: Where its packages are.
    """

    def __init__(self, folder: Path) -> None:
        venv.create(folder, symlinks=True)
        self.folder = folder
        self.site = folder / "lib" / "python{}.{}".format(*sys.version_info) / "site-packages"

    @property
    def interpreter(self) -> Interpreter:
        return find_interpreter(self.folder)

    def install(self, name: str, version: str, code: str = "") -> None:
        """Write a package of one module, and what pip would write about it."""
        (self.site / name).mkdir()
        (self.site / name / "__init__.py").write_text(f"__version__ = {version!r}\n{code}")
        about = self.site / f"{name}-{version}.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (about / "RECORD").write_text(f"{name}/__init__.py,,\n")

    def run(self, expression: str, *arguments: str, **variables: str) -> Any:
        """Return the value of an expression in a process of multiserve there, as the application there sees it."""
        (self.site / "seen.py").write_text(APPLICATION.format(expression=expression))
        done = subprocess.run(
            command(self.interpreter, "seen:main", arguments),
            env=environment(self.interpreter, {**os.environ, **variables}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stderr, done.returncode) == ("", 0)
        return json.loads(done.stdout)


@pytest.fixture
def make_environment(tmp_path: Path) -> Callable[..., OtherEnvironment]:
    """Make a virtual environment with small packages: their names and versions."""

    def make(**versions: str) -> OtherEnvironment:
        made = OtherEnvironment(tmp_path / "theirs")
        for name, version in versions.items():
            made.install(name, version)
        return made

    return make

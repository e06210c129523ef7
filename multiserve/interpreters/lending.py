"""What a process of another interpreter borrows from our environment, and what has to be installed in its own.

Wherever its own environment has a release that fits, that one is used: the application may use it too.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError
from typing import NamedTuple

from multiserve.interpreters.interpreter import Interpreter, InterpreterError
from multiserve.interpreters.packages import OURS, Package, needed_packages
from multiserve.interpreters.requirements import Requirement, fits

# Variables that concern the interpreter that runs now, and no other.
ABOUT_THIS_INTERPRETER = ("PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__")
# Ours are used even where the environment has other releases: applications import no servers, and a parent and its
# process must be of one release of multiserve.
_GO_FIRST = frozenset({OURS, "gunicorn", "httptools", "uvicorn"})
_TIME_LIMIT = 30.0  # seconds, as the environment may run anything at its start
# Name of a package -> its version in the other environment, and whether our copy can be imported there: compiled
# modules are for one version of Python, but some packages have the same in Python.
_QUESTION = """
import json, sys
from importlib import import_module, metadata
from importlib.machinery import EXTENSION_SUFFIXES

def is_importable(folder, modules, compiled):
    if all("." + name.partition(".")[2] in EXTENSION_SUFFIXES for name in compiled):
        return True
    sys.path.insert(0, folder)
    try:
        for module in modules:
            import_module(module)
    except Exception:
        return False
    finally:
        sys.path.remove(folder)
    return True

answers = {}
for name, ours in json.loads(sys.argv[1]).items():
    try:
        version = metadata.version(name) or ""
    except metadata.PackageNotFoundError:
        version = None
    answers[name] = [version, bool(ours) and is_importable(*ours)]
sys.stdout.write("\\nmultiserve " + json.dumps(answers))
"""


class _Answer(NamedTuple):
    """What the other environment says of a package."""

    version: str | None
    is_ours_importable: bool


@dataclass(slots=True)
class Loan:
    """What a process of another interpreter borrows.

    Attributes:
        modules: Top-level modules -> the folders that they are in, for those that its environment does not have.
        first: The same for those that go before what its environment has.
        missing: What has to be installed in its environment, such as "httptools>=0.6.3".
    """

    modules: dict[str, str] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def to_text(self) -> str:
        """Return what `multiserve.interpreters.borrowing` takes."""
        return json.dumps({"modules": self.modules, "first": self.first})


def lend_to(interpreter: Interpreter) -> Loan:
    """Find out what an interpreter borrows: nothing if it is ours. It is run for that, for about 200 milliseconds.

    Raises:
        InterpreterError: It cannot say what it has.
    """
    loan = Loan()
    if interpreter.is_ours:
        return loan
    try:
        packages = needed_packages(_variables_of(interpreter))
    except PackageNotFoundError:
        message = "what multiserve needs is not known, as it runs without having been installed"
        raise InterpreterError(message, f"Install it: {sys.executable} -m pip install multiserve") from None
    answers = _ask(interpreter, packages)
    python = ".".join(map(str, interpreter.version))
    needs = [Requirement(OURS)]
    for need in needs:  # which grows meanwhile
        more = _lend(need, packages[need.name], answers[need.name], python, loan)
        needs += [each for each in more if each not in needs]
    return loan


def _lend(
    need: Requirement, package: Package | None, answer: _Answer, python: str, loan: Loan
) -> tuple[Requirement, ...]:
    """Add a package to what is lent or missing; return what it needs in turn, if it is lent."""
    has_one = answer.version is not None
    if answer.version is not None and need.name != OURS and fits(answer.version, need.versions):
        return ()
    is_allowed = need.name in _GO_FIRST or not has_one
    if package is None or not is_allowed or not answer.is_ours_importable or not fits(python, package.python):
        loan.missing.append(str(need))
        return ()
    lent = loan.first if has_one else loan.modules
    lent.update(dict.fromkeys(package.modules, str(package.folder)))
    return package.needs


def _variables_of(interpreter: Interpreter) -> dict[str, str]:
    """Return the values of the variables in the markers of requirements."""
    major, minor, micro = interpreter.version
    return {
        "python_version": f"{major}.{minor}",
        "python_full_version": f"{major}.{minor}.{micro}",
        "sys_platform": sys.platform,
        "os_name": os.name,
        "platform_system": platform.system(),
        "platform_machine": platform.machine(),
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }


def _ask(interpreter: Interpreter, packages: Mapping[str, Package | None]) -> dict[str, _Answer]:
    """Ask an interpreter for the versions of packages in its environment, and whether it can import ours.

    Raises:
        InterpreterError: It does not answer.
    """
    question = {name: _places(package) for name, package in packages.items()}
    environ = {name: value for name, value in os.environ.items() if name not in ABOUT_THIS_INTERPRETER}
    try:
        asked = subprocess.run(  # noqa: S603 (it has been asked before)
            [str(interpreter.path), "-c", _QUESTION, json.dumps(question)],
            env={**environ, "PYTHONSAFEPATH": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=True,
            timeout=_TIME_LIMIT,
        )
        answers = json.loads(asked.stdout.rpartition("\nmultiserve ")[2])
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise InterpreterError(*_unanswered(interpreter, error)) from error
    return {name: _Answer(*answer) for name, answer in answers.items()}


def _places(package: Package | None) -> list[object]:
    """Return where a package of ours is, which of its modules to try, and its compiled modules."""
    if package is None:
        return []
    # What mypyc compiles has a module in Python beside it, and a part without one whose name only it knows.
    modules = [name for name in package.modules if not name.endswith("__mypyc")]
    return [str(package.folder), modules, list(package.compiled)]


def _unanswered(interpreter: Interpreter, error: Exception) -> tuple[str, str]:
    """Return message and hint for an interpreter that does not say what it has."""
    said = (getattr(error, "stderr", None) or "").strip().splitlines() or [str(error)]
    message = f"{interpreter.path} does not say which packages it has: {said[-1]}"
    return message, f"Try it: {interpreter.path} -m pip list"

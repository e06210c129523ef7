"""Finds a Python interpreter, such as that of a virtual environment, and asks it what it is."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from multiserve.errors import UnlocatedError

OLDEST = (3, 11)  # what the code of multiserve runs by
TIME_LIMIT = 5.0  # seconds for an interpreter to say what it is
# Whatever the language version: Python 2 answers as well. No `site`, as it runs code of the environment.
_QUESTION = """
import sys
implementation = getattr(sys, "implementation", None)
name = implementation.name if implementation else "cpython"
version = "%d.%d.%d" % sys.version_info[:3]
base = getattr(sys, "base_prefix", sys.prefix)
sys.stdout.write("\\n".join(["multiserve", name, version, sys.prefix, base, sys.executable]))
"""
_ASKING = ("-E", "-s", "-S", "-c", _QUESTION)
_NAMES = {"pypy": "PyPy", "graalpy": "GraalPy", "jython": "Jython", "ironpython": "IronPython"}
_WHAT_TO_WRITE = "Write the folder of a virtual environment, or the path of a Python interpreter."


class InterpreterError(UnlocatedError):
    """An interpreter that cannot run the code of multiserve: why, and what to do about it."""

    usual_hint = _WHAT_TO_WRITE


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A CPython that exists, and is new enough.

    Attributes:
        path: The program.
        version: Such as (3, 12, 1).
        prefix: The folder of the virtual environment, or of the installation where it is none.
        base_prefix: The folder of the installation.
    """

    path: Path
    version: tuple[int, int, int]
    prefix: Path
    base_prefix: Path

    @property
    def is_ours(self) -> bool:
        """Whether it sees the packages that the running interpreter sees."""
        return self.version[:2] == sys.version_info[:2] and self.prefix.resolve() == Path(sys.prefix).resolve()

    @property
    def is_virtual(self) -> bool:
        """Whether it is one of a virtual environment."""
        return self.prefix != self.base_prefix

    @property
    def programs(self) -> Path:
        """The folder of the commands that are installed beside it."""
        return _programs_in(self.prefix)

    def pip_install(self, requirements: Sequence[str]) -> str:
        """Return the command that installs something for it, as one types it into a shell."""
        return shlex.join([str(self.path), "-m", "pip", "install", *requirements])


def find_interpreter(path: Path | None) -> Interpreter:
    """Find an interpreter, and ask it what it is, which takes about 20 milliseconds.

    Args:
        path: The folder of a virtual environment, or a program; None for the running interpreter.

    Raises:
        InterpreterError: It is missing, no CPython, or too old.
    """
    if path is None:
        version = sys.version_info
        return Interpreter(
            path=Path(sys.executable),
            version=(version.major, version.minor, version.micro),
            prefix=Path(sys.prefix),
            base_prefix=Path(sys.base_prefix),
        )
    path = Path(os.path.abspath(path))  # noqa: PTH100 (links stay: that of a virtual environment leads out of it)
    return _understood(path, _ask(_program_of(path)))


def _programs_in(prefix: Path) -> Path:
    return prefix / ("Scripts" if os.name == "nt" else "bin")


def _program_of(path: Path) -> Path:
    """Return the program that a path names.

    Raises:
        InterpreterError: There is none, or none that can be run.
    """
    program = _python_in(path) if path.is_dir() else path
    if program.is_symlink() and not program.exists():
        raise InterpreterError(f"the Python that {path} was made from is gone ({_end_of(program)})", _make_anew(path))
    if path.is_dir() and not program.exists():
        raise InterpreterError(
            f"{path} is not a virtual environment: it has no {program.relative_to(path)}", _near(path)
        )
    if not program.exists():
        raise InterpreterError(f"{path} does not exist", f"{_WHAT_TO_WRITE} To make one: python3 -m venv FOLDER")
    if not program.is_file() or not os.access(program, os.X_OK):
        raise InterpreterError(f"{program} cannot be executed")
    return program


def _python_in(folder: Path) -> Path:
    return _programs_in(folder) / ("python.exe" if os.name == "nt" else "python")


def _end_of(link: Path) -> Path:
    """Return where a link leads to in the end, which need not exist."""
    return link.resolve()


def _make_anew(path: Path) -> str:
    folder = path if path.is_dir() else path.parent.parent
    return f"Make the environment anew and install its packages: python3 -m venv --clear {shlex.quote(str(folder))}"


def _near(folder: Path) -> str:
    """Return what to write instead of a folder that is no virtual environment."""
    found = next((each for each in (".venv", "venv", "env") if _python_in(folder / each).exists()), None)
    if found:
        return f"Write {folder / found}, which is one."
    return f"{_WHAT_TO_WRITE} To make one: python3 -m venv {shlex.quote(str(folder / '.venv'))}"


def _ask(program: Path) -> list[str]:
    """Return what an interpreter says of itself: implementation, version, two prefixes and its own path."""
    try:
        asked = subprocess.run(  # noqa: S603 (it is what the user names)
            [program, *_ASKING], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=TIME_LIMIT
        )
    except OSError as error:
        raise InterpreterError(f"{program} cannot be executed: {error.strerror or error}") from error
    except subprocess.TimeoutExpired as error:
        raise InterpreterError(f"{program} is no Python, or hangs: no answer in {TIME_LIMIT:g} seconds") from error
    answer = os.fsdecode(asked.stdout).splitlines()
    if asked.returncode or len(answer) != 6 or answer[0] != "multiserve":  # noqa: PLR2004 (the lines of the question)
        raise InterpreterError(f"{program} is no Python that works: {_what_happened(asked)}")
    return answer[1:]


def _what_happened(asked: subprocess.CompletedProcess[bytes]) -> str:
    if not asked.returncode:
        return "it does not answer as Python does"
    said = asked.stderr.decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(said) if line.strip()), "")
    how = f"it was ended by signal {-asked.returncode}" if asked.returncode < 0 else f"it exits with {asked.returncode}"
    return f"{how}: {last}" if last else how


def _understood(path: Path, answer: Sequence[str]) -> Interpreter:
    """Return the interpreter that gave an answer.

    Raises:
        InterpreterError: It is another implementation, too old, or not the one that its environment was made from.
    """
    name, version_text, prefix, base_prefix, executable = answer
    major, minor, micro = (int(each) for each in version_text.split("."))
    oldest = ".".join(map(str, OLDEST))
    if name != "cpython":
        raise InterpreterError(
            f"{path} is {_NAMES.get(name, name)}", f"multiserve needs CPython {oldest} or newer there."
        )
    if (major, minor) < OLDEST:
        hint = f"multiserve needs Python {oldest} or newer there. Applications that need an older one can run"
        raise InterpreterError(
            f"{path} is Python {version_text}", f'{hint} by a server of their own, behind a mount with "proxy".'
        )
    program = Path(executable) if executable else _program_of(path)
    settings = _settings_of(program)
    made_from = ".".join(settings.get("version", settings.get("version_info", "")).split(".")[:3])
    if made_from and made_from.split(".")[:2] != [str(major), str(minor)]:
        raise InterpreterError(
            f"{path} was made from Python {made_from}, and its interpreter is Python {version_text} now",
            _make_anew(path),
        )
    return Interpreter(
        path=program,
        version=(major, minor, micro),
        prefix=program.parent.parent if settings else Path(prefix),
        base_prefix=Path(base_prefix),
    )


def _settings_of(program: Path) -> dict[str, str]:
    """Return what pyvenv.cfg says of the virtual environment of a program; nothing where it is of none.

    Without `site`, which would read it, most versions know no prefix but that of the installation.
    """
    for folder in (program.parent.parent, program.parent):
        try:
            lines = (folder / "pyvenv.cfg").read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        pairs = (line.partition("=") for line in lines)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}
    return {}

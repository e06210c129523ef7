"""The interpreter of a group: found, asked whether it has what is needed, and told to run a function of multiserve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from multiserve.config.groups import Group
from multiserve.errors import Problem
from multiserve.interpreters.command import command, environment
from multiserve.interpreters.interpreter import Interpreter, InterpreterError, find_interpreter
from multiserve.interpreters.lending import Loan, lend_to
from multiserve.servers.stamps import Stamp, stamps_of


class _Answer(NamedTuple):
    stamps: dict[str, Stamp]
    interpreter: Interpreter
    loan: Loan


_answers: dict[Path | None, _Answer] = {}  # of the interpreters that have been asked, by their names


def start_by(group: Group, target: str, environ: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return the command by which the interpreter of a group calls a function, and its environment variables.

    Args:
        group: The group.
        target: The function, `module:function`.
        environ: The environment variables that the process would have otherwise.

    Raises:
        InterpreterError: The interpreter cannot be used.
    """
    interpreter, loan = _find(group)
    return command(interpreter, target, ()), environment(interpreter, environ, loan)


def problem_of_interpreter(group: Group) -> Problem | None:
    """Return why the interpreter of a group cannot be used; None if it can."""
    try:
        _find(group)
    except InterpreterError as error:
        return error.at(f"{group.toml_key}.python")
    return None


def _find(group: Group) -> tuple[Interpreter, Loan | None]:
    """Return the interpreter, and what it borrows; asking takes a quarter of a second, and is done once."""
    if group.python in _answers:
        answer = _answers[group.python]
        if answer.stamps == stamps_of(answer.stamps):
            return answer.interpreter, answer.loan
    interpreter = find_interpreter(group.python)
    if group.python is None or interpreter.is_ours:
        return interpreter, None
    stamps = stamps_of(_files_of(group.python, interpreter))  # as they are before it is asked for its packages
    loan = lend_to(interpreter)
    if loan.missing:
        message = f"{interpreter.path} lacks what it needs to serve: {', '.join(loan.missing)}"
        raise InterpreterError(message, f"Type {interpreter.pip_install(loan.missing)}")
    _answers[group.python] = _Answer(stamps, interpreter, loan)
    return interpreter, loan


def _files_of(python: Path, interpreter: Interpreter) -> Iterator[str]:
    """Yield what changes where another interpreter or other packages are installed."""
    yield from map(str, (python, interpreter.path, interpreter.prefix / "pyvenv.cfg"))
    for prefix in {interpreter.prefix, interpreter.base_prefix}:
        yield from map(str, (*prefix.glob("lib*/python*/*-packages"), prefix / "Lib" / "site-packages"))

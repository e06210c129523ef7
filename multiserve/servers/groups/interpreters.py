"""The interpreter of a group: found, asked whether it has what is needed, and told to run a function of multiserve."""

from __future__ import annotations

from collections.abc import Mapping

from multiserve.config.groups import Group
from multiserve.errors import Problem
from multiserve.interpreters.command import command, environment
from multiserve.interpreters.interpreter import Interpreter, InterpreterError, find_interpreter
from multiserve.interpreters.lending import Loan, lend_to


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
    interpreter = find_interpreter(group.python)
    if interpreter.is_ours:
        return interpreter, None
    loan = lend_to(interpreter)
    if loan.missing:
        message = f"{interpreter.path} lacks what it needs to serve: {', '.join(loan.missing)}"
        raise InterpreterError(message, f"Type {interpreter.pip_install(loan.missing)}")
    return interpreter, loan

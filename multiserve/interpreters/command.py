"""The command line and the environment variables of a process that runs multiserve by another interpreter."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from multiserve.interpreters import entry
from multiserve.interpreters.borrowing import VARIABLE
from multiserve.interpreters.interpreter import Interpreter
from multiserve.interpreters.lending import ABOUT_THIS_INTERPRETER, Loan, lend_to


def command(interpreter: Interpreter, target: str, arguments: Sequence[str]) -> list[str]:
    """Return the command that calls a function of multiserve.

    Args:
        interpreter: What runs it.
        target: `module:function`; it is called without arguments, and what it returns is what `sys.exit` takes.
        arguments: What it finds in `sys.argv` from the second place on.
    """
    return [str(interpreter.path), str(Path(entry.__file__)), target, *arguments]


def environment(interpreter: Interpreter, environ: Mapping[str, str], loan: Loan | None = None) -> dict[str, str]:
    """Return the environment variables for that command.

    Args:
        interpreter: What runs it. Ours gets the variables as they are.
        environ: The variables that the process would have otherwise.
        loan: What it borrows, as `lend_to` returns it; None to find that out.

    Raises:
        InterpreterError: It cannot say which packages it has.
    """
    if interpreter.is_ours:
        return dict(environ)
    dropped = {*ABOUT_THIS_INTERPRETER, "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT"}
    variables = {name: value for name, value in environ.items() if name not in dropped}
    folders = _path_without(environ.get("PATH", os.defpath), environ.get("VIRTUAL_ENV", ""))
    if interpreter.is_virtual:
        variables["VIRTUAL_ENV"] = str(interpreter.prefix)
        folders.insert(0, str(interpreter.programs))
    variables["PATH"] = os.pathsep.join(folders)
    variables[VARIABLE] = (loan or lend_to(interpreter)).to_text()
    return variables


def _path_without(path: str, active: str) -> list[str]:
    """Return the folders of a search path without that of the virtual environment that is active."""
    folders = path.split(os.pathsep)
    return [each for each in folders if not active or Path(each) not in {Path(active, "bin"), Path(active, "Scripts")}]

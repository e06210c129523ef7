"""Files of environment variables, such as `.env`: which ones there are, and what they hold."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from pathlib import Path

from multiserve.errors import ConfigError, Problem, raise_for
from multiserve.excerpts import excerpt

USUAL_NAME = ".env"
INSTALL = 'pip install "multiserve[dotenv]"'
_OPTION = "--env-file"
_HOW = 'Write NAME=value, with the value in quotes where it has spaces, and close every quote: NAME="a b".'


def named_env_files(names: Sequence[str]) -> tuple[Path, ...]:
    """Return the files that the command line names.

    Raises:
        ConfigError: One of them is named twice.
    """
    found: dict[Path, str] = {}
    for name in names:
        if (earlier := found.setdefault(Path(name).resolve(), name)) != name or names.count(name) > 1:
            message = f"{earlier} and {name} are the same file"
            raise ConfigError(Problem(key=_OPTION, message=message, hint="Keep one of the two."))
    return tuple(found)


def usual_env_file(folder: Path) -> Path | None:
    """Return the file in the folder of a configuration; None if there is none."""
    path = folder.absolute() / USUAL_NAME
    return path if os.path.isfile(path) else None  # noqa: PTH113 (Path.is_file raises where a name is too long)


def can_read_env_files() -> bool:
    """Return whether the package that reads them is installed."""
    return importlib.util.find_spec("dotenv") is not None


def read_env_files(paths: Iterable[Path]) -> dict[str, str]:
    """Return the variables of some files; in a later one they replace those of an earlier one.

    Raises:
        ConfigError: A file, or a line of one, cannot be read, or the package that reads it is not installed.
    """
    variables: dict[str, str] = {}
    for path in paths:
        variables |= _read(path)
    return variables


def _read(path: Path) -> dict[str, str]:
    try:
        from dotenv import dotenv_values
    except ImportError:
        message = "such a file is read by python-dotenv, which is not installed"
        raise ConfigError(Problem(key=_OPTION, message=message, hint=f"Type {INSTALL}.")) from None
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        problem = Problem(message="no such file", hint=f"Check the path given by {_OPTION}.")
    except OSError as error:
        problem = Problem(message=f"cannot be read: {error.strerror or error}")
    except ValueError:  # of the decoder
        problem = Problem(message="not UTF-8", hint="Save the file as UTF-8.")
    else:
        raise_for(_unreadable(path, text))  # dotenv would leave them out, and warn without the name of the file
        return {name: value for name, value in dotenv_values(stream=StringIO(text)).items() if value is not None}
    raise ConfigError(problem, source=str(path))


def _unreadable(path: Path, text: str) -> Iterator[Problem]:
    """Yield a problem for each line that sets no variable."""
    from dotenv.parser import parse_stream

    for binding in parse_stream(StringIO(text)):
        if binding.error:
            found = binding.original.string
            number = binding.original.line + found[: len(found) - len(found.lstrip())].count("\n")
            line = found.strip().partition("\n")[0]
            message = "this does not set an environment variable"
            yield Problem(key=f"{path}:{number}", message=message, hint=_HOW, excerpt=excerpt(line, number))

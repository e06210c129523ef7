"""What users read of an exception: its last line, where it is in their code, and the traceback without our frames."""

from __future__ import annotations

import importlib
import linecache
import os
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

from multiserve.errors import LoadError
from multiserve.excerpts import excerpt

_HERE = str(Path(__file__).parent / "_")[:-1]  # the folder of this package, with the separator behind it
_FOREIGN = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def format_cause(error: LoadError) -> str:
    """Format the error, and behind it the application's own traceback if it raised one."""
    return f"{error}\n{format_traceback(error)}".rstrip()


def format_traceback(error: LoadError) -> str:
    """Format the traceback of what the application raised; empty if it raised nothing."""
    if error.__cause__ is None:
        return error.details  # where another process has formatted it
    linecache.checkcache()
    details = traceback.TracebackException.from_exception(error.__cause__)
    del details.stack[: len(details.stack) - len(own_frames(error.__cause__))]
    return "".join(details.format()).rstrip()


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, and those behind it and in it."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__]
        waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else ()


def in_one_line(error: BaseException) -> str:
    """Return what was raised and where, in one line: the last line of the user's code, if there is any."""
    # The lines of a SyntaxError's source come first and are indented; further lines of the message and notes follow.
    lines = "".join(traceback.format_exception_only(error)).splitlines()
    text = next((line for line in lines if not line.startswith(" ")), type(error).__name__)
    if isinstance(error, SyntaxError) and error.filename:
        return f"{text} ({error.filename}, line {error.lineno})"
    frame = users_frame(error)
    return f"{text} ({frame.filename}, line {frame.lineno})" if frame else text


def shown_line(error: BaseException) -> str:
    """Return the line that `in_one_line` names, as messages show it; empty where there is none."""
    if isinstance(error, SyntaxError) and error.text and error.lineno:
        line = error.text.rstrip()
        return excerpt(line, error.lineno, error.offset if error.offset and error.offset > 0 else None)
    frame = users_frame(error)
    return excerpt(frame.line, frame.lineno) if frame and frame.line and frame.lineno else ""


def users_frame(error: BaseException) -> traceback.FrameSummary | None:
    """Return the last frame in the user's code; else the last one that is not of multiserve; None if there is none."""
    frames = own_frames(error)
    users = [frame for frame in frames if not is_foreign(frame.filename)]
    return next(reversed(users or frames), None)


def is_foreign(file: str) -> bool:
    """Return whether a file belongs to the standard library, to an installed package or to multiserve."""
    return file.startswith(("<", _HERE, *_FOREIGN)) or any(each in file for each in _INSTALLED)


def own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames of an exception without those of multiserve and of the import system at either end."""
    frames = list(traceback.extract_tb(error.__traceback__))
    ours = (_HERE, importlib.__file__, "<frozen importlib")
    while frames and frames[0].filename.startswith(ours):
        del frames[0]
    while frames and frames[-1].filename.startswith(_HERE):  # what multiserve refuses, the line that asked for it did
        del frames[-1]
    return frames

"""What users read of an exception: its last line, and the traceback without the frames that are ours."""

from __future__ import annotations

import importlib
import linecache
import traceback
from pathlib import Path

from multiserve.errors import LoadError

_HERE = str(Path(__file__).parent / "_")[:-1]  # the folder of this package, with the separator behind it


def format_cause(error: LoadError) -> str:
    """Format the error, and behind it the application's own traceback if it raised one."""
    return f"{error}\n{format_traceback(error)}".rstrip()


def format_traceback(error: LoadError) -> str:
    """Format the traceback of what the application raised; empty if it raised nothing."""
    if error.__cause__ is None:
        return ""
    linecache.checkcache()
    details = traceback.TracebackException.from_exception(error.__cause__)
    del details.stack[: len(details.stack) - len(own_frames(error.__cause__))]
    return "".join(details.format()).rstrip()


def in_one_line(error: BaseException) -> str:
    """Return what was raised and where, in one line."""
    # The lines of a SyntaxError's source come first and are indented; further lines of the message and notes follow.
    lines = "".join(traceback.format_exception_only(error)).splitlines()
    text = next((line for line in lines if not line.startswith(" ")), type(error).__name__)
    if isinstance(error, SyntaxError) and error.filename:
        return f"{text} ({error.filename}, line {error.lineno})"
    frames = own_frames(error)
    return f"{text} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else text


def own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Return the frames of an exception without those of multiserve and of the import system at either end."""
    frames = list(traceback.extract_tb(error.__traceback__))
    ours = (_HERE, importlib.__file__, "<frozen importlib")
    while frames and frames[0].filename.startswith(ours):
        del frames[0]
    while frames and frames[-1].filename.startswith(_HERE):  # what multiserve refuses, the line that asked for it did
        del frames[-1]
    return frames

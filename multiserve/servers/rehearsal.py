"""A rehearsal: what would be raised is found out in a child process, so that this one imports no application."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections.abc import Callable
from typing import Any

from multiserve.errors import MultiserveError, ServeError


def rehearse(act: Callable[[], None], *, seconds: int = 0) -> None:
    """Run `act` in a forked child and raise here what it raises there; without fork, run it here.

    Args:
        act: What may fail.
        seconds: How long it may take; 0 for as long as it likes.

    Raises:
        MultiserveError: What `act` raised.
        ServeError: The child ended without a word, such as by os._exit or a signal.
    """
    if not hasattr(os, "fork"):  # Windows
        act()
        return
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)
        _report(act, writing)
    os.close(writing)
    answer = _read_answer(reading)
    _, status = os.waitpid(child, 0)
    if answer is None:
        code = os.waitstatus_to_exitcode(status)
        raise ServeError(f"the process that loaded the applications ended by itself, with exit code {code}")
    kind, problems = answer
    if kind is not None:
        raise kind(*problems)


def _read_answer(reading: int) -> Any:
    """Read what the child reports, and no further: processes that the applications start hold the pipe open."""
    with os.fdopen(reading, "rb") as pipe:
        try:
            return pickle.load(pipe)  # noqa: S301 (from our own child)
        except (EOFError, pickle.UnpicklingError):
            return None


def _report(act: Callable[[], None], writing: int) -> None:
    """Run `act` in the child and end the child, whatever happens."""
    kind: type[MultiserveError] | None = None
    problems: tuple[object, ...] = ()
    try:
        act()
    except MultiserveError as error:
        kind, problems = type(error), error.problems
    except BaseException:  # noqa: BLE001 (nothing may run on in this process)
        traceback.print_exc()
        os._exit(1)
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(pickle.dumps((kind, problems)))
    os._exit(0)

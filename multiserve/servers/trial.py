"""A rehearsal: what would be raised is found out in a child process, so that this one imports no application."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

from multiserve.errors import MultiserveError, ServeError

T = TypeVar("T")

_INTERRUPTED = 130  # what shells give for Ctrl-C


def rehearse(act: Callable[[], T]) -> T:
    """Run `act` in a forked child, and return or raise here what it does there; without fork, run it here.

    Args:
        act: What may fail; what it returns has to be picklable.

    Raises:
        MultiserveError: What `act` raised.
        ServeError: The child ended without a word, such as by os._exit or a signal.
    """
    if not hasattr(os, "fork"):  # Windows
        return act()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _report(act, writing)
    os.close(writing)
    before = signal.signal(signal.SIGTERM, partial(_end, child))
    try:
        answer = _read_answer(reading)
    except BaseException:  # such as Ctrl-C: nobody waits for the child any longer
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
        signal.signal(signal.SIGTERM, before)
    if answer is None:
        code = os.waitstatus_to_exitcode(status)
        raise ServeError(f"the process that loaded the applications ended by itself, with exit code {code}")
    result, kind, problems, details = answer
    if kind is not None:
        error = kind(*problems)
        error.details = details
        raise error
    return cast("T", result)


def _end(child: int, number: int, _: object) -> None:
    """End both processes by a signal that only this one has got."""
    os.kill(child, signal.SIGKILL)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _read_answer(reading: int) -> Any:
    """Read what the child reports, and no further: processes that the applications start hold the pipe open."""
    with os.fdopen(reading, "rb") as pipe:
        try:
            return pickle.load(pipe)  # noqa: S301 (from our own child)
        except (EOFError, pickle.UnpicklingError):
            return None


def _report(act: Callable[[], object], writing: int) -> None:
    """Run `act` in the child and end the child, whatever happens."""
    code = 1
    try:
        try:
            answer: tuple[Any, ...] = (act(), None, (), "")
        except MultiserveError as error:
            answer = (None, type(error), error.problems, error.details)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(pickle.dumps(answer))
        code = 0
    except BrokenPipeError:  # nobody waits for the answer any more
        pass
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BaseException:  # noqa: BLE001 (nothing may run on in this process)
        traceback.print_exc()
    finally:
        os._exit(code)

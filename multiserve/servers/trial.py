"""Runs a function in a child process, such as one that loads all applications, so that this process imports none."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

from multiserve.errors import MultiserveError, ServeError

T = TypeVar("T")

_INTERRUPTED = 130  # what shells give for Ctrl-C
_ORPHANED = 1


def try_in_child(act: Callable[[], T]) -> T:
    """Run a function in a forked child, and return its result or raise its error here; without fork, run it here.

    The child ends with this process, however this one ends.

    Args:
        act: The function; what it returns has to be picklable.

    Raises:
        MultiserveError: What the function raised.
        ServeError: The child ended without an answer, such as by os._exit or a signal.
    """
    if not hasattr(os, "fork"):  # Windows
        return act()
    reading, writing = os.pipe()
    parent_ended, parent_lives = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # an application that loads would catch what a handler raises
        os.close(reading)
        os.close(parent_lives)
        threading.Thread(target=_end_with_parent, args=(parent_ended,), daemon=True).start()
        _report(act, writing)
    os.close(writing)
    os.close(parent_ended)
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, partial(_end, child, before))
    try:
        answer = _read_answer(reading)
    except BaseException:  # such as Ctrl-C
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
        os.close(parent_lives)
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


def _end_with_parent(parent_ended: int) -> None:
    """Wait in a thread of the child for the end of the parent, which has the pipe's only other end, and end as well."""
    os.read(parent_ended, 1)
    os._exit(_ORPHANED)


def _end(child: int, before: Any, number: int, _: object) -> None:
    """End the child by a signal that only the parent was sent, and do with this process what it does otherwise."""
    os.kill(child, signal.SIGKILL)
    signal.signal(number, before)
    os.kill(os.getpid(), number)


def _read_answer(reading: int) -> Any:
    """Read the child's answer, and no further: processes that the applications start may hold the pipe open."""
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
    except BrokenPipeError:  # the parent has ended
        pass
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BaseException:  # noqa: BLE001 (this process must end here)
        traceback.print_exc()
    finally:
        os._exit(code)

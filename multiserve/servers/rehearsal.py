"""A rehearsal: what would be raised is found out in a child process, so that this one imports no application."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable

from multiserve.errors import MultiserveError, ServeError


def rehearse(act: Callable[[], None]) -> None:
    """Run `act` in a forked child and raise here what it raises there; without fork, run it here.

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
        _report(act, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pipe.read()
    _, status = os.waitpid(child, 0)
    if not result:
        code = os.waitstatus_to_exitcode(status)
        raise ServeError(f"the process that loaded the applications ended by itself, with exit code {code}")
    kind, problems = pickle.loads(result)  # noqa: S301 (from our own child)
    if kind is not None:
        raise kind(*problems)


def _report(act: Callable[[], None], writing: int) -> None:
    """Run `act` in the child and end the child, whatever happens."""
    kind: type[MultiserveError] | None = None
    problems: tuple[object, ...] = ()
    try:
        act()
    except MultiserveError as error:
        kind, problems = type(error), error.problems
    except BaseException:  # noqa: BLE001 (nothing may run on in this process)
        os._exit(1)
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(pickle.dumps((kind, problems)))
    os._exit(0)

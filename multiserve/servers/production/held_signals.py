"""Signals that come before gunicorn can heed them: they are held while the applications load, not fatal."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

_HELD = tuple(
    getattr(signal, name)
    for name in ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGTTIN", "SIGTTOU")
    if hasattr(signal, name)
)


@contextlib.contextmanager
def held_signals() -> Iterator[Callable[[], None]]:
    """Hold the signals that tell a running gunicorn to do something, and yield a function that sends them again.

    A handler holds them, not the mask of the process: programs that the applications start would inherit that.
    """
    held: list[int] = []

    def hold(number: int, _: object) -> None:
        if number not in held:
            held.append(number)

    def release() -> None:
        while held:
            os.kill(os.getpid(), held.pop(0))

    before = {number: signal.signal(number, hold) for number in _HELD}
    try:
        yield release
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is hold:
                signal.signal(number, handler)

"""Processes that have imported multiserve and wait to be a group: after a save only the application is to be loaded."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import threading
from collections.abc import Collection, Iterator
from typing import TypeAlias

from multiserve.servers.development.groups.start import Start

_Key: TypeAlias = tuple[object, ...]


class WaitingProcess:
    """A process that waits until it is told which group it is.

    Attributes:
        process: The process.
        line: Our end of the line to it.
    """

    def __init__(self, start: Start) -> None:
        """Start it: it has the terminal, as the process in front has, and no socket.

        Args:
            start: How.

        Raises:
            OSError: The system refuses to.
        """
        self.line, theirs = socket.socketpair()
        descriptor = theirs.fileno()
        try:
            with _interrupts_later():
                self.process = subprocess.Popen(  # noqa: S603 (our own command)
                    [*start.command, str(descriptor)], env=start.environ, pass_fds=[descriptor]
                )
        except BaseException:
            self.line.close()
            raise
        finally:
            theirs.close()

    def give(self, listener: socket.socket) -> None:
        """Give it the socket that it is to serve; does nothing where it has ended."""
        with contextlib.suppress(OSError):
            socket.send_fds(self.line, [b"."], [listener.fileno()])

    def end(self) -> None:
        """End it, before it is a group."""
        self.process.kill()
        self.process.wait()
        self.line.close()


class WaitingProcesses:
    """One process that waits for each interpreter, for any of the groups."""

    def __init__(self) -> None:
        """Start none yet."""
        self._waiting: dict[_Key, WaitingProcess] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    def take(self, start: Start) -> WaitingProcess:
        """Return a process, which is no other group's: the one that waits, or a new one.

        Raises:
            OSError: The system refuses to start one.
        """
        with self._lock:
            found = self._waiting.pop(_key(start), None)
        if found is not None and found.process.poll() is not None:
            found.end()
            found = None
        return found or WaitingProcess(start)

    def fill(self, start: Start) -> None:
        """Have a process wait for the next start of a group."""
        key = _key(start)
        with self._lock, contextlib.suppress(OSError):
            if key not in self._waiting and not self._is_closed:
                self._waiting[key] = WaitingProcess(start)

    def keep_only(self, starts: Collection[Start]) -> None:
        """End the processes that none of these groups needs."""
        keys = set(map(_key, starts))
        with self._lock:
            for key in self._waiting.keys() - keys:
                self._waiting.pop(key).end()

    def close(self) -> None:
        """End all of them, for good."""
        self.keep_only(())
        self._is_closed = True
        self.keep_only(())


def _key(start: Start) -> _Key:
    """Return what is the same for all groups of one interpreter."""
    return (*start.command, *sorted(start.environ.items()))


@contextlib.contextmanager
def _interrupts_later() -> Iterator[None]:
    """Have a process that a thread starts here get no SIGINT before it asks for one: it would be in an import."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

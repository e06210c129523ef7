"""A line between a process and one that it has started: each message is a kind and a value, as JSON, in a line of text.

Its end tells each of the two that the other has ended, however that came.
"""

from __future__ import annotations

import contextlib
import json
import select
import time
from collections.abc import Iterator
from socket import socket
from typing import Any

_BLOCK = 65536
_BLOCKS = 64  # that are read at a time: what never stops must not stop the others
_PATIENCE = 10.0  # seconds for the other process to take what it is told: one that hangs must not hang this one
_SHORTEST = 0.001  # seconds: 0 would mean not to wait at all, which is another error
_LONGEST = 16 * 1024 * 1024  # bytes of a message


class Line:
    """One end of the line.

    Attributes:
        has_ended: Whether the other process has closed its end, says what no process of ours does, or has taken only a
            part of a message, which the next one would spoil.
    """

    def __init__(self, end: socket) -> None:
        """Talk over a connected socket."""
        self._socket = end
        self._heard = b""
        self._is_cut = False  # only a part of a message was sent
        self.has_ended = False
        end.settimeout(0)

    def fileno(self) -> int:
        """Return the descriptor, to wait for."""
        return self._socket.fileno()

    def tell(self, kind: str, value: object = None) -> None:
        """Send a message; does nothing where nobody listens any more."""
        if self._is_cut:
            return
        left = data = json.dumps([kind, value]).encode() + b"\n"
        deadline = time.monotonic() + _PATIENCE
        try:
            while left:
                self._socket.settimeout(max(deadline - time.monotonic(), _SHORTEST))
                left = left[self._socket.send(left) :]
        except TimeoutError:
            if len(left) < len(data):
                self._is_cut = self.has_ended = True
        except OSError:  # what the other process has said before its end is still to be heard
            pass
        with contextlib.suppress(OSError):
            self._socket.settimeout(0)

    def hear(self) -> Iterator[tuple[str, Any]]:
        """Yield the messages that have come, without waiting for any."""
        for _ in range(_BLOCKS):
            if self.has_ended:
                break
            try:
                data = self._socket.recv(_BLOCK)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self.has_ended = not data
            self._heard += data
        *lines, self._heard = self._heard.split(b"\n")
        self.has_ended = self.has_ended or len(self._heard) > _LONGEST
        for line in lines:
            try:
                kind, value = json.loads(line)
            except (ValueError, TypeError, RecursionError):  # not from us
                self.has_ended = True
                return
            yield kind, value

    def wait(self) -> tuple[str, Any] | None:
        """Wait for a message, and return it; None if the other process has ended. Later ones have not come yet."""
        while not self.has_ended:
            select.select([self._socket], [], [])
            for message in self.hear():
                return message
        return None

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

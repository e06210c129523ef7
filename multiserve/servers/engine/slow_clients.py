"""Gives up clients that keep the server waiting: for a head, for a body, or by not taking a response."""

from __future__ import annotations

import array
import sys
from logging import Logger
from typing import Any

if sys.platform != "win32":
    import fcntl
    import termios

    def unsent(transport: Any) -> int:
        """Return the bytes that the kernel still has for a client: they become fewer as long as it reads."""
        buffer = array.array("i", [0])
        try:
            fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, buffer)
        except (OSError, ValueError, AttributeError):  # the system does not tell, or it is closed
            return 0
        return buffer[0]

else:

    def unsent(transport: Any) -> int:  # noqa: ARG001 (Windows does not tell)
        """Return 0: Windows does not tell."""
        return 0


class WatchedConnection:
    """A connection that is looked at now and then, whatever is spoken on it."""

    transport: Any
    log: Logger
    _awaited: object = None  # what the client was expected to do at the last look
    _awaited_since = 0.0

    def look(self, now: float, patience: float) -> None:
        """Close the connection if the client keeps the server waiting for the same thing for `patience` seconds."""
        size = self.transport.get_write_buffer_size()
        awaited = ("read", size, unsent(self.transport)) if size else self.expected()
        if awaited is None or awaited != self._awaited:
            self._awaited, self._awaited_since = awaited, now
        elif now - self._awaited_since >= patience:
            self.log.info("A client kept the server waiting for more than %d s.", patience)
            if size:
                self.transport.abort()
            else:
                self.give_up()

    def expected(self) -> object:
        """Return what the client has to do, another object whenever it does something; None for nothing."""
        return None

    def give_up(self) -> None:
        """Close the connection of a client that has sent nothing more."""

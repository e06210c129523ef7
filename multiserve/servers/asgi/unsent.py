"""How much of a response a client has still to take, as the kernel knows it."""

from __future__ import annotations

import array
import fcntl
import termios
from typing import Any


def unsent(sock: Any) -> int:
    """Give the bytes that the kernel still has for a client: they become fewer as long as it reads."""
    buffer = array.array("i", [0])
    try:
        fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, buffer)
    except (OSError, ValueError):  # the system does not tell, or it is closed
        return 0
    return buffer[0]

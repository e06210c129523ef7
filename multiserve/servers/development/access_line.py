"""The line of the development server for one request or WebSocket, the same for WSGI and ASGI."""

from __future__ import annotations

import time
from typing import NamedTuple
from urllib.parse import parse_qs

from multiserve.dispatch.pages import WAITING_STATUSES
from multiserve.hosts import is_loopback
from multiserve.servers.development.refresh import FOLDER
from multiserve.servers.engine.access import Access
from multiserve.styles import Paint, Role, plain

_ROLES: dict[int, Role] = {1: "good", 2: "good", 3: "note", 4: "warning", 5: "bad"}  # by the first digit of the status


class Answered(NamedTuple):
    """One request that has been answered, or one WebSocket that has ended.

    Attributes:
        client: The address of the client.
        method: The method; `WEBSOCKET` for a WebSocket, and empty where the request could not be read.
        target: The target, as it came.
        status: The status of the response; 101 for a WebSocket that was accepted.
        mount: The key of the mount; empty if none has answered.
        seconds: How long it took.
    """

    client: str
    method: str
    target: str
    status: int
    mount: str
    seconds: float

    def line(self, paint: Paint = plain) -> str:
        """Return the line: time, status, duration, request, mount, and the client if it is another machine."""
        when, duration = time.strftime("%H:%M:%S"), _duration(self.seconds).rjust(7)
        mount = _printable(self.mount) or "no mount"
        client = self.client.removeprefix("::ffff:")  # IPv4 on a socket of IPv6
        parts = [
            paint(when, "faint"),
            paint(str(self.status), _ROLES.get(self.status // 100, "bad")),
            paint(duration, "faint"),
            f"{self.method} {_printable(self.target)}".lstrip(),
            paint(f"({mount})", "faint"),
            *([f"from {_printable(client)}"] if client and not is_loopback(client) else []),
        ]
        return "  ".join(parts)


def is_of_our_own_pages(status: int, target: str, *, waits: bool) -> bool:
    """Return whether no line says that a request was answered, as its user has not made it.

    A page may ask whether it is to load again, and is not. The debugger's page asks for its parts, with its secret.

    Args:
        status: The status of the response.
        target: The target of the request.
        waits: Whether the request says that it comes from a page that waits.
    """
    if waits:
        return status in WAITING_STATUSES or FOLDER in target
    if "__debugger__" not in target:
        return False
    asked = parse_qs(target.partition("?")[2])
    return asked.get("__debugger__") == ["yes"] and "cmd" in asked


def answered(access: Access) -> Answered:
    """Return what the engine reports of a request or a WebSocket."""
    method = "WEBSOCKET" if access.scope["type"] == "websocket" else access.method
    return Answered(access.client, method, access.target, access.status, access.mount, access.seconds)


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s"


def _printable(text: str) -> str:
    """Escape what a terminal would obey, or the encoding of a stream may not have."""
    if text.isascii() and text.isprintable():
        return text
    text = text.encode("ascii", "backslashreplace").decode()
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)

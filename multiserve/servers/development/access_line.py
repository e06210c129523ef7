"""The line of the development server for one request or WebSocket, the same for WSGI and ASGI."""

from __future__ import annotations

import time
from typing import NamedTuple
from urllib.parse import parse_qs

from multiserve.dispatch.pages import WAITING_STATUSES
from multiserve.hosts import is_loopback
from multiserve.servers.development.refresh import FOLDER
from multiserve.servers.engine.access import Access
from multiserve.servers.json_log import AccessLine
from multiserve.styles import Paint, Role, plain

_ROLES: dict[int, Role] = {1: "good", 2: "good", 3: "note", 4: "warning", 5: "bad"}  # by the first digit of the status
_GOOD_CODES = (1000, 1001, 1005)  # a normal end, a page that was left, and an end without a code


class Answered(NamedTuple):
    """One request that has been answered, or a WebSocket that has been opened, refused or closed.

    Attributes:
        client: The address of the client.
        method: The method; `WEBSOCKET` for a WebSocket, and empty where the request could not be read.
        target: The target, as it came.
        status: The status of the response; 101 for a WebSocket that was accepted.
        mount: The key of the mount; empty if none has answered.
        seconds: How long it took.
        protocol: The protocol, such as HTTP/1.1.
        sent: Bytes of the body.
        request_id: The id of the request; empty if requests have none.
        code: The code with which a WebSocket was closed; 0 for anything else.
    """

    client: str
    method: str
    target: str
    status: int
    mount: str
    seconds: float
    protocol: str = ""
    sent: int = 0
    request_id: str = ""
    code: int = 0

    def line(self, paint: Paint = plain) -> str:
        """Return the line: time, status, duration, request, mount, and the client if it is another machine."""
        when, duration = time.strftime("%H:%M:%S"), _duration(self.seconds).rjust(7)
        mount = _printable(self.mount) or "no mount"
        client = self.client.removeprefix("::ffff:")  # IPv4 on a socket of IPv6
        parts = [
            paint(when, "faint"),
            self._outcome(paint),
            paint(duration, "faint"),
            f"{self.method} {_printable(self.target)}{' closed' if self.code else ''}".lstrip(),
            paint(f"({mount})", "faint"),
            *([f"from {_printable(client)}"] if client and not is_loopback(client) else []),
        ]
        return "  ".join(parts)

    def _outcome(self, paint: Paint) -> str:
        if self.code:
            return paint(str(self.code), "good" if self.code in _GOOD_CODES else "warning")
        return paint(str(self.status), _ROLES.get(self.status // 100, "bad"))

    def as_access_line(self) -> AccessLine:
        """Return the same for a log of JSON."""
        path, _, query = self.target.partition("?")
        return AccessLine(
            client=self.client,
            method=self.method,
            path=path,
            query=query,
            protocol=self.protocol,
            status=self.status,
            seconds=self.seconds,
            sent=self.sent,
            mount=self.mount,
            request_id=self.request_id,
            code=self.code,
        )


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
    return Answered(
        client=access.client,
        method=method,
        target=access.target,
        status=access.status,
        mount=access.mount,
        seconds=access.seconds,
        protocol=access.protocol,
        sent=access.sent,
        request_id=access.request_id,
        code=access.code,
    )


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

"""Answers in plain text that stand in for an application: one for a URL without a mount, one for a broken mount."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from multiserve._types import Message, Receive, Scope, Send, StartResponse, WSGIEnvironment

_DENIAL = "websocket.http.response"  # the extension of ASGI by which a server lets a handshake be refused in words


class Answer:
    """The same answer to every request, over either interface."""

    def __init__(self, status: str, text: str, *headers: tuple[str, str]) -> None:
        """Answer with a status line such as `404 Not Found`, a text, and headers beside those of the text."""
        self.status = status
        self.body = text.encode("utf-8", "replace")
        self.headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(self.body))),
            ("X-Content-Type-Options", "nosniff"),
            *headers,
        ]

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        start_response(self.status, list(self.headers))
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [self.body]

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application; a WebSocket is refused before it is accepted."""
        kind = "http.response"
        if scope["type"] == "websocket":
            await receive()  # its first event, websocket.connect
            if _DENIAL not in (scope.get("extensions") or {}):
                await send({"type": "websocket.close"})  # the server makes it a 403
                return
            kind = _DENIAL
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        body = b"" if scope.get("method") == "HEAD" else self.body
        start: Message = {"type": f"{kind}.start", "status": int(self.status[:3]), "headers": headers}
        await send(start)
        await send({"type": f"{kind}.body", "body": body})


def not_found(names: Sequence[str] = ()) -> Answer:
    """Make the answer where no mount takes a URL, with the `names` of the mounts for a development server."""
    lines = ["Not Found: no mount answers this URL.", *(["", "The mounts are:"] if names else ())]
    return Answer("404 Not Found", "\n".join([*lines, *(f"    {name}" for name in names), ""]))


def broken(name: str, details: str = "") -> Answer:
    """Make the answer of a mount that could not be loaded (RFC 9110, section 15.6.4).

    Args:
        name: The mount, as its key spells it.
        details: What went wrong, for a development server; a production server gives none away.
    """
    return _unavailable(f"the application at {name} could not be loaded", details)


def not_started(name: str, details: str = "") -> Answer:
    """Make the answer of a mount whose start-up failed; the arguments are those of `broken`."""
    return _unavailable(f"the application at {name} could not be started", details)


def _unavailable(reason: str, details: str) -> Answer:
    lines = [f"Service Unavailable: {reason}.", *(["", details.rstrip()] if details else [])]
    return Answer("503 Service Unavailable", "\n".join([*lines, ""]), ("Cache-Control", "no-store"))


def starting(name: str) -> Answer:
    """Make the answer of a mount whose start-up takes longer than requests wait."""
    text = f"Service Unavailable: the application at {name} is still starting.\n"
    return Answer("503 Service Unavailable", text, ("Cache-Control", "no-store"), ("Retry-After", "10"))

"""Answers that stand in for an application: for a URL without a mount, for a mount that is broken or not yet there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from multiserve._types import Message, Receive, Scope, Send, StartResponse, WSGIEnvironment
from multiserve.dispatch import pages
from multiserve.errors import Problem

_DENIAL = "websocket.http.response"  # the extension of ASGI by which a server lets a handshake be refused in words
_UNAVAILABLE = "503 Service Unavailable"
_MENDING = "60"  # seconds after which a client may ask again for what a person has to mend
_STARTING = "10"  # and for what only needs time
_ADVICE = "Saving the repair restarts the server, unless it runs with --no-reload. Then this page loads again."


class _Content(NamedTuple):
    headers: list[tuple[str, str]]
    body: bytes


class Answer:
    """The same answer to every request, over either interface: a text, and a page for a client that asks for HTML."""

    def __init__(
        self,
        status: str,
        text: str,
        *headers: tuple[str, str],
        page: str = "",
        policy: str = pages.POLICY,
        kind: str = "text/plain",
    ) -> None:
        """Answer with a status line such as `404 Not Found`, a text, and headers beside those of the text.

        Args:
            status: The status line, without the version of HTTP.
            text: The body.
            headers: More headers.
            page: The body as HTML; without it everybody gets the text.
            policy: The Content-Security-Policy of the page; empty for none.
            kind: The media type of the text.
        """
        self.status = status
        if page:
            headers = (*headers, ("Vary", "Accept"))
        self._text = _content(kind, text, *headers)
        secured = (*headers, ("Content-Security-Policy", policy)) if policy else headers
        self._page = _content("text/html", page, *secured) if page else self._text

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        content = self._choose(environ.get("HTTP_ACCEPT", ""))
        start_response(self.status, list(content.headers))
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [content.body]

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application; a WebSocket is refused before it is accepted."""
        kind = "http.response"
        if scope["type"] == "websocket":
            await receive()  # its first event, websocket.connect
            if _DENIAL not in (scope.get("extensions") or {}):
                await send({"type": "websocket.close"})  # the server makes it a 403
                return
            kind = _DENIAL
        accepted = b",".join(value for name, value in scope.get("headers") or () if name == b"accept")
        content = self._choose(accepted.decode("latin-1"))
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in content.headers]
        body = b"" if scope.get("method") == "HEAD" else content.body
        start: Message = {"type": f"{kind}.start", "status": int(self.status[:3]), "headers": headers}
        await send(start)
        await send({"type": f"{kind}.body", "body": body})

    def _choose(self, accept: str) -> _Content:
        return self._page if self._page is not self._text and accepts_html(accept) else self._text


def _content(kind: str, text: str, *headers: tuple[str, str]) -> _Content:
    body = text.encode("utf-8", "replace")
    described = [
        ("Content-Type", f"{kind}; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return _Content([*described, *headers], body)


def accepts_html(accept: str) -> bool:
    """Return whether an Accept header asks for HTML by name (RFC 9110, section 12.5.1), as browsers do."""
    for entry in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in entry.split(";"))
        if kind == "text/html":
            return not any(each.startswith("q=") and not each[2:].strip("0.") for each in parameters)
    return False


def not_found() -> Answer:
    """Return the 404 for a URL without a mount."""
    return Answer("404 Not Found", "Not Found: no mount answers this URL.\n")


ELSEWHERE = "Multiserve-Elsewhere"
"""The header of an answer for a mount of another process: an application may answer 421 for reasons of its own."""


def misdirected(name: str) -> Answer:
    """Return the answer for a mount that another process serves (RFC 9110, section 15.5.20).

    Whatever sends its requests here would otherwise get the answers of another application.
    """
    text = f"Misdirected Request: {name} is served by another process.\n"
    return Answer("421 Misdirected Request", text, (ELSEWHERE, "1"))


def broken(name: str, problems: Sequence[Problem] = (), traceback: str = "") -> Answer:
    """Return the answer of a mount that could not be loaded (RFC 9110, section 15.6.4).

    Args:
        name: The mount, as its key spells it.
        problems: What went wrong, for a development server; a production server gives none away.
        traceback: The application's own, likewise.
    """
    parts = []
    for problem in problems:
        parts.append(pages.paragraph(f"{problem.key}: {problem.message}" if problem.key else problem.message))
        parts += [pages.listing(problem.excerpt)] if problem.excerpt else []
        parts += [pages.hint(problem.hint)] if problem.hint else []
    parts += [pages.listing(traceback)] if traceback else []
    details = "\n".join([*map(str, problems), *([traceback] if traceback else [])])
    return _unavailable(f"the application at {name} could not be loaded", details, parts)


def not_started(name: str, details: str = "") -> Answer:
    """Return the answer of a mount whose start-up failed.

    Args:
        name: The mount, as its key spells it.
        details: What its lifespan says, often with a traceback, for a development server.
    """
    parts = [pages.listing(details)] if details else []
    return _unavailable(f"the application at {name} could not be started", details, parts)


def group_down(name: str, group: str, reason: str = "") -> Answer:
    """Return the answer of a mount whose group has no process that serves.

    Args:
        name: The mount, as its key spells it.
        group: The name of the group.
        reason: Why not, for a development server.
    """
    parts = [pages.listing(reason)] if reason else []
    return _unavailable(f"the process of the group {group}, which serves {name}, is down", reason, parts)


def group_lost(name: str) -> Answer:
    """Return the answer to a request that a process of a group has not answered (RFC 9110, section 15.6.3)."""
    text = f"Bad Gateway: the process that serves {name} ended before it answered.\n"
    return Answer("502 Bad Gateway", text, ("Cache-Control", "no-store"))


def ended(how: str) -> Answer:
    """Return the answer of a development server whose applications have ended its process, in the words of `how`."""
    details = "The terminal may say why."
    return _unavailable(f"the process that served {how}", details, [pages.paragraph(details)])


def failed(name: str, details: str = "") -> Answer:
    """Return the answer of a tenant whose application could not be made (RFC 9110, section 15.6.1).

    Args:
        name: The mount, as its key spells it.
        details: What went wrong, for a development server; a production server gives none away.
    """
    title = f"Internal Server Error: the application at {name} could not be made for this tenant."
    text = "\n".join([title, *(["", details.rstrip()] if details else []), ""])
    page = pages.page(title, pages.listing(details)) if details else ""
    return Answer("500 Internal Server Error", text, ("Cache-Control", "no-store"), page=page)


def _unavailable(reason: str, details: str, parts: Sequence[str]) -> Answer:
    """Refuse for a reason; what there is to say besides is the `details` of the text and the `parts` of the page."""
    title = f"Service Unavailable: {reason}."
    text = "\n".join([title, *(["", details.rstrip()] if details else []), ""])
    page = pages.page(title, *parts, footer=_ADVICE, waits=True) if parts else ""
    return _refusal(text, _MENDING, page)


def _refusal(text: str, seconds: str, page: str) -> Answer:
    headers = (("Cache-Control", "no-store"), ("Retry-After", seconds))
    return Answer(_UNAVAILABLE, text, *headers, page=page, policy=pages.WAITING_POLICY)


def starting(name: str) -> Answer:
    """Return the answer of a mount whose start-up takes longer than requests wait."""
    title = f"Service Unavailable: the application at {name} is still starting."
    page = pages.page(title, footer="This page loads again when it has started.", waits=True)
    return _refusal(f"{title}\n", _STARTING, page)


def in_maintenance(name: str, page: str = "") -> Answer:
    """Return the answer of a mount that is in maintenance.

    Args:
        name: The mount, as its key spells it.
        page: A page of the user's, as HTML, in place of ours.
    """
    title = f"Service Unavailable: {name} is in maintenance."
    if not page:
        ours = pages.page(title, footer="This page loads again when it is over.", waits=True)
        return _refusal(f"{title}\n", _MENDING, ours)
    headers = (("Cache-Control", "no-store"), ("Retry-After", _MENDING))
    return Answer(_UNAVAILABLE, f"{title}\n", *headers, page=page, policy="")


def busy(name: str) -> Answer:
    """Return the answer of a mount that has as many requests as its `max_concurrency` allows."""
    text = f"Service Unavailable: the application at {name} is busy.\n"
    return Answer(_UNAVAILABLE, text, ("Cache-Control", "no-store"), ("Retry-After", "1"))

"""The 404 of a development server: the URL that was asked for, and every mount with its state, target and link."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote

from multiserve._types import Receive, Scope, Send, StartResponse, WSGIEnvironment
from multiserve.dispatch import pages
from multiserve.dispatch.answers import Answer, not_found
from multiserve.keys import MountKey

_REASON = "Not Found: no mount answers this URL."


class ListedMount(NamedTuple):
    """One mount of the page.

    Attributes:
        key: Its key.
        target: What is mounted, as the file spells it.
        state: The state in a word or two.
    """

    key: MountKey
    target: str
    state: str

    def url(self, host: str) -> str:
        """Return the URL of the mount as a browser at `host` can follow it; empty for a mount with many URLs."""
        if {"*", "{"} & {*self.key.host, *self.key.prefix}:
            return ""
        path = f"{quote(self.key.prefix)}/"
        if not self.key.host:
            return path
        _, _, port = host.rpartition(":")
        given = str(self.key.port) if self.key.port else port if port.isdigit() else ""
        return f"//{self.key.host}{given and f':{given}'}{path}"


class NotFoundPage(Answer):
    """The answer for a URL without a mount; what was asked is a part of it."""

    def __init__(self, mounts: Sequence[ListedMount], reason: str = _REASON) -> None:
        """List these mounts; `reason` is the first line."""
        super().__init__("404 Not Found", "")
        self._mounts = mounts
        self._reason = reason

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        host = environ.get("HTTP_HOST", "")
        path = quote(f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}".encode("latin-1", "replace"))
        query = environ.get("QUERY_STRING", "")
        url = _url(environ.get("wsgi.url_scheme", "http"), host, path, query)
        return self._answer(url, host).wsgi(environ, start_response)

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application."""
        hosts = [value.decode("latin-1") for name, value in scope.get("headers") or () if name == b"host"]
        host = hosts[0] if hosts else ""
        path = quote(scope.get("path", ""), errors="replace")
        query = scope.get("query_string", b"").decode("latin-1")
        await self._answer(_url(scope.get("scheme", "http"), host, path, query), host).asgi(scope, receive, send)

    def _answer(self, url: str, host: str) -> Answer:
        rows = [(str(each.key), each.target, each.state) for each in self._mounts]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        asked = f"Asked for: {url}"
        text = "\n".join([self._reason, "", asked, "", "The mounts are:", *(f"    {line}" for line in lines), ""])
        table = pages.table([(each.url(host), *row) for each, row in zip(self._mounts, rows, strict=True)])
        page = pages.page(self._reason.rstrip("."), pages.paragraph(asked), pages.paragraph("The mounts are:"), table)
        return Answer(self.status, text, page=page)


def _url(scheme: str, host: str, path: str, query: str) -> str:
    return f"{host and f'{scheme}://{host}'}{path or '/'}{query and f'?{query}'}"


def not_found_in(mounts: Sequence[ListedMount], *, development: bool) -> Answer:
    """Return the 404 for a URL without a mount, which lists the mounts in development alone."""
    return NotFoundPage(mounts) if development and mounts else not_found()


def left_out_of(mounts: Sequence[ListedMount], name: str) -> Answer:
    """Return the answer of a development server for a mount that `--only` leaves out."""
    return NotFoundPage(mounts, f"Not Found: --only leaves out the mount {name}.")

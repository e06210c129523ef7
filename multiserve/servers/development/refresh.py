"""Loads the pages of applications again in the browser after a save, by a script behind each page of HTML."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any
from urllib.parse import quote

from multiserve._types import (
    ASGIApplication,
    Message,
    Receive,
    Scope,
    Send,
    StartResponse,
    WSGIApplication,
    WSGIEnvironment,
)
from multiserve.dispatch.answers import Answer, accepts_html, not_found
from multiserve.dispatch.pages import POLICY, WAITING_POLICY, WAITS_HEADER

FOLDER = "/__multiserve__/refresh/"
"""The path below which the script and what it asks for are; no mount sees it."""

_NAME = "page.js"
_PROCESS = "process"
_SCRIPT = f"""(() => {{
  const {{ src, dataset }} = document.currentScript;
  if (window.multiserveRefreshes) return;
  window.multiserveRefreshes = true;
  const url = new URL("{_PROCESS}", src);
  async function look() {{
    if (!document.hidden) {{
      try {{
        const answer = await fetch(url, {{ cache: "no-store", headers: {{ "{WAITS_HEADER}": "1" }} }});
        if (await answer.text() !== dataset.process) return location.reload();
      }} catch {{ /* the server is about to start, or has ended */ }}
    }}
    setTimeout(look, 500);
  }}
  look();
}})();
"""
# A page from a cache would be that of an earlier process, and be loaded again for ever.
_CONDITIONS = ("if-none-match", "if-modified-since")
_VALIDATORS = frozenset({"etag", "last-modified", "cache-control", "expires"})
_NOT_IN_A_PAGE = frozenset({"content-encoding", "content-disposition", "content-range"})
_DOCUMENTS = frozenset({"document", "iframe", "frame"})
_SHOWN = frozenset({2, 4, 5})  # the first digits of the statuses whose page a browser shows
_POLICY = f"{POLICY}; script-src 'self'; connect-src 'self'"  # of our own pages: the script, and what it asks


class Refresh:
    """Puts the script behind the pages of one process.

    Attributes:
        process: What the pages of this process are told apart by.
    """

    def __init__(self) -> None:
        """Choose what this process is called."""
        self.renew()

    def renew(self) -> None:
        """Have every page that is open now loaded again."""
        self.process = secrets.token_hex(8)

    def wrap_wsgi(self, application: WSGIApplication) -> WSGIApplication:
        """Return a WSGI application whose pages load again."""

        def refreshing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            path: str = environ.get("PATH_INFO", "")
            if path.startswith(FOLDER):
                return self._answer(path).wsgi(environ, start_response)
            kind, accept = environ.get("HTTP_SEC_FETCH_DEST", ""), environ.get("HTTP_ACCEPT", "")
            if not _wants_page(environ.get("REQUEST_METHOD", ""), kind, accept):
                return application(environ, start_response)
            for name in _CONDITIONS:
                environ.pop(f"HTTP_{name.replace('-', '_').upper()}", None)
            tag = self._tag(environ.get("SCRIPT_NAME", "").encode("latin-1", "replace"))
            return _Page(application, environ, start_response, tag)

        return refreshing

    def wrap_asgi(self, application: ASGIApplication) -> ASGIApplication:
        """Return an ASGI application whose pages load again."""
        from multiserve.dispatch.asgi import split_root_path  # asyncio takes long to import

        async def refreshing(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await application(scope, receive, send)
                return
            root_path, path = split_root_path(scope)
            if path.startswith(FOLDER):
                await self._answer(path).asgi(scope, receive, send)
                return
            fields = {name: value.decode("latin-1") for name, value in scope["headers"]}
            if not _wants_page(scope["method"], fields.get(b"sec-fetch-dest", ""), fields.get(b"accept", "")):
                await application(scope, receive, send)
                return
            conditions = [name.encode() for name in _CONDITIONS]
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in conditions]
            await application(scope, receive, _add_to(send, self._tag(root_path.encode("utf-8", "replace"))))

        return refreshing

    def _answer(self, path: str) -> Answer:
        name = path.removeprefix(FOLDER)
        if name == _NAME:
            return Answer("200 OK", _SCRIPT, ("Cache-Control", "no-cache"), kind="text/javascript")
        if name == _PROCESS:
            return Answer("200 OK", self.process, ("Cache-Control", "no-store"))
        return not_found()

    def _tag(self, root_path: bytes) -> bytes:
        source = escape(f"{quote(root_path)}{FOLDER}{_NAME}")
        return f'<script src="{source}" data-process="{self.process}" async></script>\n'.encode()


def _wants_page(method: str, destination: str, accept: str) -> bool:
    """Return whether a browser will show the response as a page, as far as the request says."""
    if method != "GET":
        return False
    return destination in _DOCUMENTS if destination else accepts_html(accept)


def _with_tag(status: int, headers: list[tuple[str, str]], length: int) -> list[tuple[str, str]] | None:
    """Return the headers of a page with something behind it; None if the response is none, or cannot have that."""
    fields = {name.lower(): value for name, value in headers}
    kind, _, parameters = fields.get("content-type", "").lower().partition(";")
    is_page = status // 100 in _SHOWN and kind.strip() == "text/html" and "utf-16" not in parameters
    policy = fields.get("content-security-policy")
    if not is_page or not _NOT_IN_A_PAGE.isdisjoint(fields) or policy == WAITING_POLICY:  # which loads again by itself
        return None
    if policy == POLICY:
        headers = [(name, _POLICY if value == POLICY else value) for name, value in headers]
    kept = [pair for pair in headers if pair[0].lower() not in _VALIDATORS | {"content-length"}]
    size = fields.get("content-length", "")
    if size.isascii() and size.isdigit():
        kept.append(("Content-Length", str(int(size) + length)))
    return [*kept, ("Cache-Control", "no-store")]


class _Page:
    """The response of a WSGI application, with the tag behind it if it turns out to be a page."""

    def __init__(
        self, application: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse, tag: bytes
    ) -> None:
        self._start_response = start_response
        self._tag = tag
        self._is_page = False
        self._result = application(environ, self._start)

    def _start(self, status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
        changed = _with_tag(int(status[:3]), headers, len(self._tag))
        write = self._start_response(status, headers if changed is None else changed, *exc_info)
        self._is_page = changed is not None  # not before: it raises if another response has been sent already
        return write

    def __iter__(self) -> Iterator[bytes]:
        yield from self._result
        if self._is_page:
            yield self._tag

    def close(self) -> None:
        """Close the application's own body."""
        if hasattr(self._result, "close"):
            self._result.close()


def _add_to(send: Send, tag: bytes) -> Send:
    """Return a `send` that adds something to the end of a page."""
    rest = b""

    async def adding(message: Message) -> None:
        nonlocal rest
        if message["type"] == "http.response.start":
            pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers") or ()]
            changed = _with_tag(message["status"], pairs, len(tag))
            if changed is not None:
                rest = tag
                raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in changed]
                message = {**message, "headers": raw}
        elif rest and message["type"] == "http.response.body" and not message.get("more_body"):
            message = {**message, "body": message.get("body", b"") + rest}
        await send(message)

    return adding

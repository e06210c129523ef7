"""One file at one URL as a mount, for WSGI and ASGI."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from multiserve._types import Receive, Scope, Send, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.answers import Answer
from multiserve.mounts.static.files import FileFound
from multiserve.mounts.static.responses import respond

if TYPE_CHECKING:
    from multiserve.mounts.static.asgi import Sender

_MISSING = Answer("404 Not Found", "Not Found: there is no such file.\n")
_NOT_ALLOWED = Answer("405 Method Not Allowed", "Method Not Allowed: files can only be read.\n", ("Allow", "GET, HEAD"))
_THREADS = 2


class SingleFile:
    """One file, which answers at the URL of its mount and nowhere below it."""

    def __init__(self, path: Path, *, max_age: int | None = None) -> None:
        """Serve a file, which may be a symbolic link to any place.

        Args:
            path: The file.
            max_age: Seconds for which clients may cache the file; None if they must revalidate it each time.
        """
        self._path = os.path.abspath(path)  # noqa: PTH100 (a string is several times faster)
        caching = "no-cache" if max_age is None else f"public, max-age={max_age}"
        self._headers = [("Cache-Control", caching), ("X-Content-Type-Options", "nosniff")]
        self._sender: Sender | None = None

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        return self._answer(environ)(environ, start_response)

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application without a lifespan; WebSockets are refused."""
        if scope["type"] == "lifespan":
            raise NotImplementedError
        if scope["type"] == "websocket":
            await _MISSING.asgi(scope, receive, send)
            return
        if self._sender is None:
            from multiserve.mounts.static.asgi import Sender  # asyncio is slow to import, and WSGI does not need it

            self._sender = Sender(self.wsgi, _THREADS, f"file:{self._path}")
        await self._sender(scope, receive, send)

    def _answer(self, environ: WSGIEnvironment) -> WSGIApplication:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _NOT_ALLOWED.wsgi
        root = "" if environ.get("SCRIPT_NAME") else "/"  # of a host, whose URL ends with a slash
        if environ.get("PATH_INFO", "") not in ("", root):
            return _MISSING.wsgi
        found = self._open()
        if found is None:
            return _MISSING.wsgi
        return respond(found, environ, name=self._path, coding="", headers=self._headers)

    def _open(self) -> FileFound | None:
        try:
            file = FileIO(self._path, "rb", opener=_open)
        except OSError:
            return None
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            return FileFound((), status, file)
        file.close()
        return None


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))

"""What a static folder and a single file have in common: they are only read, over WSGI and over ASGI."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from multiserve._types import Receive, Scope, Send, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.answers import Answer

if TYPE_CHECKING:
    from multiserve.mounts.static.asgi import Sender

MISSING = Answer("404 Not Found", "Not Found: there is no such file.\n")
_NOT_ALLOWED = Answer("405 Method Not Allowed", "Method Not Allowed: files can only be read.\n", ("Allow", "GET, HEAD"))


class ReadOnly:
    """Answers GET and HEAD with files; a subclass decides in `answer` which file that is."""

    def __init__(self, name: str, threads: int) -> None:
        """Read files in at most `threads` threads of this name under ASGI, so that a slow disk stops nothing else."""
        self._name = name
        self._threads = threads
        self._sender: Sender | None = None

    def answer(self, environ: WSGIEnvironment) -> WSGIApplication:
        """Return what answers a GET or HEAD."""
        raise NotImplementedError

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        may_read = environ["REQUEST_METHOD"] in ("GET", "HEAD")
        answer = self.answer(environ) if may_read else _NOT_ALLOWED.wsgi
        return answer(environ, start_response)

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application without a lifespan; WebSockets are refused."""
        if scope["type"] == "lifespan":
            raise NotImplementedError
        if scope["type"] == "websocket":
            await MISSING.asgi(scope, receive, send)
            return
        if self._sender is None:
            from multiserve.mounts.static.asgi import Sender  # asyncio is slow to import, and WSGI does not need it

            self._sender = Sender(self.wsgi, self._threads, self._name)
        await self._sender(scope, receive, send)

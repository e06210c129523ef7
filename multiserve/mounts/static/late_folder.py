"""A static folder that was not there when the server started: it answers as soon as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from multiserve._types import Receive, Scope, Send, StartResponse, WSGIEnvironment
from multiserve.dispatch.answers import Answer
from multiserve.mounts.static.folder import StaticFolder


class LateFolder:
    """Answers 503 until its folder can be opened, and from then on as the folder does.

    Attributes:
        unavailable: What answers until then.
    """

    def __init__(self, open_folder: Callable[[], StaticFolder | None], unavailable: Answer) -> None:
        """Wait for a folder.

        Args:
            open_folder: Returns the folder, or None while it is not there; asked for each request until then.
            unavailable: What answers until then.
        """
        self.unavailable = unavailable
        self._open = open_folder
        self._folder: StaticFolder | None = None

    def _found(self) -> StaticFolder | Answer:
        if self._folder is None:
            self._folder = self._open()
        return self._folder or self.unavailable

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        return self._found().wsgi(environ, start_response)

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application without a lifespan."""
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await self._found().asgi(scope, receive, send)

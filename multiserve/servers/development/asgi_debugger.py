"""The debugger around an ASGI application: its page in place of a response that failed, through the bridge to WSGI."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from http import HTTPStatus
from urllib.parse import parse_qs

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
from multiserve.dispatch.bridge import WSGIBridge
from multiserve.dispatch.threads import ThreadPool

_THREADS = 4  # for pages, and for the consoles in them
_LARGEST = 1024 * 1024  # bytes of a response of 500 that are held back
_PATIENCE = 0.1  # seconds for which it is held back: a framework raises at once, and what streams or works on does not


class ASGIDebugger:
    """Lets a debugger for WSGI applications answer the exceptions of ASGI applications."""

    def __init__(self, debug: Callable[[WSGIApplication], WSGIApplication]) -> None:
        """Use `debug`, which wraps a WSGI application in the debugger."""
        self._debug = debug
        self._threads = ThreadPool(_THREADS, "debugger")

    def wrap(self, application: ASGIApplication) -> ASGIApplication:
        """Return an ASGI application whose exceptions, and the requests of its own pages, the debugger answers."""

        async def debugged(scope: Scope, receive: Receive, send: Send) -> None:
            __traceback_hide__ = True
            if scope["type"] != "http":
                await application(scope, receive, send)
                return
            if _is_of_the_page(scope):
                await self._bridge(_not_found)(scope, receive, send)
                return
            response = _HeldResponse(send)
            try:
                await application(scope, receive, response.send)
                await response.release()
            except Exception as error:
                response.stop_waiting()
                if response.is_sent:
                    raise
                await self._bridge(_raising(error))(scope, _receive_nothing, send)

        return debugged

    def _bridge(self, application: WSGIApplication) -> WSGIBridge:
        return WSGIBridge(self._debug(application), self._threads.submit)


class _HeldResponse:
    """Holds back a response of 500: frameworks send one before they raise the exception that is the reason.

    They send it whole and raise at once. What comes in parts, is large, or is not followed by an exception for a moment
    is the application's own answer, and sent.

    Attributes:
        is_sent: Whether the client has got anything.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: list[Message] = []
        self._size = 0
        self._order = asyncio.Lock()
        self._waiting: asyncio.Task[None] | None = None
        self.is_sent = False

    async def send(self, message: Message) -> None:
        if not self.is_sent and (self._held or message.get("status") == HTTPStatus.INTERNAL_SERVER_ERROR):
            self._held.append(message)
            self._size += len(message.get("body", b""))
            if self._size > _LARGEST or message.get("more_body"):
                await self.release()
            elif self._waiting is None:
                self._waiting = asyncio.create_task(self._release_later())
            return
        self.is_sent = True
        async with self._order:
            await self._send(message)

    async def _release_later(self) -> None:
        await asyncio.sleep(_PATIENCE)
        self._waiting = None  # nothing stops it any more: it sends
        with contextlib.suppress(Exception):  # the client has left; the application is told by the server
            await self.release()

    async def release(self) -> None:
        """Send what was held back."""
        self.stop_waiting()
        async with self._order:
            held, self._held = self._held, []
            self.is_sent = self.is_sent or bool(held)
            for message in held:
                await self._send(message)

    def stop_waiting(self) -> None:
        """Keep what is held back from being sent by itself."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


def _is_of_the_page(scope: Scope) -> bool:
    """Return whether a request is for the files of the debugger's page, for its console, or for its PIN."""
    query = scope.get("query_string", b"")
    return b"__debugger__" in query and parse_qs(query.decode("latin-1")).get("__debugger__") == ["yes"]


def _raising(error: Exception) -> WSGIApplication:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        __traceback_hide__ = True
        del environ, start_response
        raise error

    return application


def _not_found(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request that the debugger leaves alone, such as one of a page of another process."""
    del environ
    start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
    return [b"Not Found: load the page of the debugger again.\n"]


async def _receive_nothing() -> Message:
    """Wait for ever: the application may have taken the body of the request already."""
    return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

"""A WSGI application that reads files as an ASGI 3.0 application: it runs in threads, and sends its response in blocks.

Each block takes a thread only while it is read: a slow disk does not block the event loop, and a slow client holds no
thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from multiserve._types import Message, Receive, Scope, Send, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.threads import ThreadPool
from multiserve.mounts.static.responses import REUSES_MEMORY
from multiserve.paths import to_wsgi

Buffer: TypeAlias = bytes | memoryview

# The headers that such an application reads.
_VARIABLES = {
    name.lower().replace("_", "-").encode(): f"HTTP_{name}"
    for name in (
        "ACCEPT",
        "ACCEPT_ENCODING",
        "IF_MATCH",
        "IF_MODIFIED_SINCE",
        "IF_NONE_MATCH",
        "IF_RANGE",
        "IF_UNMODIFIED_SINCE",
        "RANGE",
        "SEC_FETCH_MODE",
    )
}


def build_environ(scope: Scope) -> WSGIEnvironment:
    """Build the part of an environ (PEP 3333) that an application which only reads files needs."""
    root_path: str = scope.get("root_path", "")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": to_wsgi(root_path, "surrogatepass"),
        "PATH_INFO": to_wsgi(scope["path"][len(root_path) :], "surrogatepass"),
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        REUSES_MEMORY: True,
    }
    for name, value in scope["headers"]:
        if variable := _VARIABLES.get(name):
            text = value.decode("latin-1")
            environ[variable] = f"{environ[variable]}, {text}" if variable in environ else text
    return environ


class Sender:
    """A WSGI application that only reads files, as an ASGI application."""

    def __init__(self, application: WSGIApplication, threads: int, name: str) -> None:
        """Send the responses of `application`, with at most `threads` disk accesses at a time."""
        self._application = application
        self._threads = ThreadPool(threads, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of type `http`."""
        reply = _Reply(self._application, build_environ(scope))
        try:
            block = await self._in_thread(reply.read)
            with contextlib.suppress(_ClientGone):
                await _deliver(send, reply.start)
                if not reply.is_closed:
                    block = await self._send_all_but_last(block, reply, receive, send)
                await _deliver(send, _body(block, more=False))
        finally:
            if not reply.is_closed:
                self._threads.submit(reply.close)

    async def _send_all_but_last(self, block: Buffer, reply: _Reply, receive: Receive, send: Send) -> Buffer:
        leaving = asyncio.create_task(_wait_until_gone(receive))
        try:
            while not reply.is_closed:
                if leaving.done():
                    raise _ClientGone
                await _deliver(send, _body(block, more=True))
                block = await self._in_thread(reply.read)
        finally:
            leaving.cancel()
        return block

    async def _in_thread(self, job: Callable[[], Buffer]) -> Buffer:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Buffer] = loop.create_future()

        def run() -> None:
            if done.cancelled():  # the server gave up the request before a thread was free
                return
            try:
                settle = functools.partial(done.set_result, job())
            except BaseException as error:  # noqa: BLE001 (it is raised in the coroutine)
                settle = functools.partial(done.set_exception, error)
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server is shutting down
                loop.call_soon_threadsafe(lambda: done.done() or settle())

        self._threads.submit(run)
        return await done


class _ClientGone(Exception):  # noqa: N818 (it is a state)
    """The client has disconnected and no longer waits for the response."""


class _Reply:
    """One response of a WSGI application, read in threads."""

    def __init__(self, application: WSGIApplication, environ: WSGIEnvironment) -> None:
        self._application = application
        self._environ = environ
        self._content: Any = ()
        self._blocks: Iterator[Buffer] | None = None
        self._remaining = 0  # bytes until Content-Length is reached
        self._reading = threading.Lock()
        self.start: Message = {}
        self.is_closed = False

    def read(self) -> Buffer:
        """Return the next block, and close the file after the last one; the first call runs the application."""
        with self._reading:
            if self.is_closed:  # by another thread
                return b""
            if self._blocks is None:
                self._content = self._application(self._environ, self._start_response)
                self._blocks = iter(self._content)
            block = next(self._blocks, b"")[: self._remaining]  # no more, even if the file has grown
            self._remaining -= len(block)
            if not block or not self._remaining:
                self._close()
            return block

    def close(self) -> None:
        """Close the file, but never while a thread reads from it."""
        with self._reading:
            if not self.is_closed:
                self._close()

    def _close(self) -> None:
        self.is_closed = True
        if hasattr(self._content, "close"):
            self._content.close()

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], _exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        self._remaining = int(dict(headers).get("Content-Length", 0))
        self.start = {
            "type": "http.response.start",
            "status": int(status[:3]),
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        }
        return _refuse_to_write


def _refuse_to_write(_: bytes) -> object:
    raise TypeError("an application that reads files returns blocks, and does not call write()")


async def _deliver(send: Send, message: Message) -> None:
    try:
        await send(message)
    except OSError as error:  # raised by servers of ASGI 2.4 when the client has disconnected
        raise _ClientGone from error


def _body(block: Buffer, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": bytes(block), "more_body": more}


async def _wait_until_gone(receive: Receive) -> None:
    """Wait until the client disconnects; the body of its request is ignored."""
    while (await receive())["type"] != "http.disconnect":
        pass

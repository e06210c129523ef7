"""Calls an application as a server does and collects the response: WSGI in this thread, ASGI in one with a loop."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from email.message import Message as EmailMessage
from typing import Any, TypeVar
from wsgiref.headers import Headers

from multiserve._types import ASGIApplication, Message, Scope, WSGIApplication
from multiserve.dispatch.environ import build_environ
from multiserve.errors import LoadError, Problem

T = TypeVar("T")

_TIMEOUT = 30.0  # seconds for one request to an ASGI application, and for its lifespan


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What an application answers.

    Attributes:
        status: The status code.
        headers: The headers; `headers["Content-Type"]` finds one in any spelling, or None.
        body: The whole body.
    """

    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, in the charset of its Content-Type, or else UTF-8."""
        content_type = EmailMessage()
        content_type["Content-Type"] = self.headers["Content-Type"] or "text/plain"
        return self.body.decode(content_type.get_content_charset("utf-8"), "replace")

    def json(self) -> Any:
        """Parse the body as JSON."""
        return json.loads(self.body)


def call_wsgi(application: WSGIApplication, scope: Scope, body: bytes) -> Response:
    """Call a WSGI application as a server does (PEP 3333)."""
    chunks = iter([body] if body else [])
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        if exc_info is not None and written:
            raise exc_info[1].with_traceback(exc_info[2])
        started.append((status, headers))
        return written.append

    result = application(build_environ(scope, lambda: next(chunks, b"")), start_response)
    try:
        written.extend(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    if not started:
        raise RuntimeError("the application has not called start_response")
    status, headers = started[-1]
    return Response(status=int(status[:3]), headers=Headers(headers), body=b"".join(written))


class RunningASGI:
    """An ASGI application whose lifespan runs, in an event loop in a thread of its own."""

    def __init__(self, application: ASGIApplication) -> None:
        """Start the application, and wait until it has started."""
        self._application = application
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="multiserve client", daemon=True)
        self._thread.start()
        self._stopping = asyncio.Event()
        self._lifespan: asyncio.Task[None] | None = None
        self._has_started = False
        try:
            self._run(self._start())
        except BaseException:
            self.stop()
            raise
        self._has_started = True

    def call(self, scope: Scope, body: bytes) -> Response:
        """Send one request, and wait until the application has returned."""
        return self._run(_Exchange(body).run(self._application, scope))

    def stop(self) -> None:
        """Shut the application down, and end the event loop; one that is blocked is left to its daemon thread."""
        try:
            self._run(self._shut_down())
        except TimeoutError:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        call = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return call.result(_TIMEOUT)
        except TimeoutError:
            if call.done():  # the application itself has raised it
                raise
            raise TimeoutError(f"the application has not answered after {_TIMEOUT:g} seconds") from None
        finally:
            call.cancel()

    async def _start(self) -> None:
        """Start the lifespan (ASGI Lifespan Specification 2.0), and raise if that fails."""
        answered: asyncio.Future[str] = self._loop.create_future()
        events = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> Message:
            if answered.done():
                await self._stopping.wait()
            return {"type": next(events)}

        async def send(message: Message) -> None:
            if not answered.done():
                failed = message["type"] == "lifespan.startup.failed"
                answered.set_result(message.get("message") or "no reason is given" if failed else "")

        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}
        self._lifespan = asyncio.ensure_future(self._application(scope, receive, send))
        if failure := await answered:
            raise LoadError(Problem(message=f"the start-up failed: {failure}"))

    async def _shut_down(self) -> None:
        self._stopping.set()
        if self._lifespan is not None:
            await asyncio.wait([self._lifespan], timeout=_TIMEOUT / 2 if self._has_started else 0)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await self._loop.shutdown_asyncgens()


@dataclass(slots=True)
class _Exchange:
    """The client's side of one request over ASGI 3.0."""

    body: bytes
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    received: bytearray = field(default_factory=bytearray)
    was_read: bool = False
    is_complete: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, application: ASGIApplication, scope: Scope) -> Response:
        await application(scope, self._receive, self._send)
        return Response(status=self.status, headers=Headers(self.headers), body=bytes(self.received))

    async def _receive(self) -> Message:
        if not self.was_read:
            self.was_read = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.is_complete.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
        elif message["type"] == "http.response.body":
            self.received += message.get("body", b"")
            if not message.get("more_body", False):
                self.is_complete.set()

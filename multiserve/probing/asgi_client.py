"""Requests to composed ASGI applications in this process, in a thread with an event loop, where their lifespans run."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any, Self

from multiserve._types import Message, Scope
from multiserve.dispatch.asgi import ASGIDispatcher
from multiserve.probing.exchange import Received, build_scope, too_slow

_GRACE = 1.0  # seconds for an application to end after its response, and for the loop to react
_STARTUP = 30.0  # seconds, a few more than the time limit of `Lifespans`


class ASGIClient:
    """Sends requests to an ASGI application (ASGI 3.0) in a thread with an event loop, where its lifespans run."""

    def __init__(self, application: ASGIDispatcher) -> None:
        """Create a client of `application`."""
        self._application = application
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="probe", daemon=True)
        self._is_over = False
        self._blocking: Future[Any] | None = None  # the call that made the loop unresponsive
        self._blocker = ""  # the lifespan that blocked it, if that was during start-up

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._call(self._application.lifespans.start(refuse=False), _STARTUP):
            self._blocker = self._find_blocker()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._end(), self._application.lifespans.shutdown_timeout + 2 * _GRACE)
        self._is_over = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_GRACE)

    def _run(self) -> None:
        while not self._is_over:
            # A SystemExit in a task that an application has started would end the loop for all applications.
            with contextlib.suppress(SystemExit, KeyboardInterrupt):
                self._loop.run_forever()
        self._loop.close()

    @property
    def blocker(self) -> str:
        """The name of the lifespan that has blocked the event loop since start-up; "" if there is none."""
        return self._blocker if self._blocking is not None and not self._blocking.done() else ""

    def _find_blocker(self) -> str:
        """Return the lifespan that blocks the loop: that of the running task, or the first that has not started."""
        task = asyncio.current_task(self._loop)
        lifespans = self._application.lifespans.lifespans
        running = [each.name for each in lifespans if task and task.get_name() == f"lifespan of {each.name}"]
        waiting = [each.name for each in lifespans if not each.is_serving and not each.failure]
        return next(iter([*running, *waiting]), "")

    def ask(self, method: str, url: str, accept: str, seconds: float) -> Received:
        """Send one request; the time limit also holds for an application that blocks the event loop."""
        received = Received()
        asking = _Asking(received)
        began = time.perf_counter()
        run = asking.run(self._application, build_scope(method, url, accept), seconds)
        if not self._call(run, seconds + 3 * _GRACE):
            received = Received(error=TimeoutError("the event loop is blocked, by this application or one before it"))
        received.seconds = asking.seconds or time.perf_counter() - began
        return received

    def _call(self, coroutine: Coroutine[Any, Any, Any], seconds: float) -> bool:
        """Run a coroutine in the event loop, and return whether it has ended in time."""
        if self._blocking is not None and not self._has_ended(self._blocking, _GRACE):
            coroutine.close()
            return False
        call = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        self._blocking = None if self._has_ended(call, seconds) else call
        return self._blocking is None

    @staticmethod
    def _has_ended(call: Future[Any], seconds: float) -> bool:
        with contextlib.suppress(TimeoutError, CancelledError):
            call.exception(seconds)
        return call.done()

    async def _end(self) -> None:
        await self._application.lifespans.stop()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_GRACE)
        await self._loop.shutdown_asyncgens()


class _Asking:
    """The client's side of one request over ASGI."""

    def __init__(self, received: Received) -> None:
        self.received = received
        self.seconds = 0.0
        self._was_asked = False
        self._closed = asyncio.Event()  # the response is complete, or the client has stopped reading
        self._is_complete = False

    async def run(self, application: ASGIDispatcher, scope: Scope, seconds: float) -> None:
        """Let the application answer within the time limit, and then end."""
        began = time.perf_counter()
        task = asyncio.ensure_future(application(scope, self._receive, self._send))
        closed = asyncio.ensure_future(self._closed.wait())
        await asyncio.wait([task, closed], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        self.seconds = time.perf_counter() - began
        if not (task.done() or self._closed.is_set()):
            self.received.error = too_slow(seconds)
        was_cut_short = self._closed.is_set() != self._is_complete or self.received.error is not None
        self._closed.set()
        await asyncio.wait([task], timeout=_GRACE)
        if not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=_GRACE)
        elif not was_cut_short and not task.cancelled():
            self.received.error = task.exception()

    async def _receive(self) -> Message:
        if not self._was_asked:
            self._was_asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._closed.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        """Record the valid parts of a message; the validator reports the rest."""
        if self._closed.is_set():
            if self._is_complete:
                return
            raise OSError("the client has left")
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "http.response.start":
            status = message.get("status")
            self.received.status = status if isinstance(status, int) else None
            self.received.headers = [*_headers(message.get("headers"))]
        elif kind == "http.response.body":
            body = message.get("body", b"")
            self.received.body += body if isinstance(body, bytes) else b""
            self._is_complete = not message.get("more_body", False)
            if self._is_complete or self.received.is_large:
                self._closed.set()


def _headers(headers: Any) -> list[tuple[str, str]]:
    try:
        pairs = [(name, value) for name, value in headers or ()]
    except (TypeError, ValueError):
        return []
    return [
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in pairs
        if isinstance(name, bytes) and isinstance(value, bytes)
    ]

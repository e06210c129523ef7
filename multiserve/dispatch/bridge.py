"""The bridge from WSGI into ASGI: a WSGI application (PEP 3333) as an ASGI 3.0 application.

The application runs in a thread. Whenever it needs the client it asks the coroutine of its request (`conversation`).
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from types import TracebackType
from typing import TypeAlias

from multiserve._types import Message, Receive, Scope, Send, WSGIApplication
from multiserve.dispatch.conversation import Conversation
from multiserve.dispatch.environ import build_environ
from multiserve.dispatch.forks import FORKS, leave

log = logging.getLogger("multiserve")

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

# Connection management is the server's (PEP 3333, "Other HTTP Features"); gunicorn drops these, too.
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding",
     "upgrade")
)  # fmt: skip
_NO_BODY = (204, 304)


class WSGIBridge:
    """One WSGI application as an ASGI application, in threads."""

    def __init__(self, application: WSGIApplication, submit: Callable[[Callable[[], object]], None]) -> None:
        """Bridge `application`, each of whose requests is a job for `submit`, to be run in another thread."""
        self.application = application
        self.submit = submit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of type `http`."""
        loop = asyncio.get_running_loop()
        conversation = Conversation(loop, receive, send)
        call = _Call(self.application, scope, conversation)
        context = contextvars.copy_context()
        self.submit(lambda: context.run(call.run))
        await conversation.serve()


class _Call:
    """One call of a WSGI application, in its thread."""

    def __init__(self, application: WSGIApplication, scope: Scope, conversation: Conversation) -> None:
        self.application = application
        self.scope = scope
        self.conversation = conversation
        self.start: Message | None = None  # the status and the headers, until they are sent
        self.is_started = False
        self.is_finished = False
        self.has_body = True
        self.remaining: int | None = None  # bytes until Content-Length is reached

    def run(self) -> None:
        """Run the application to its end, and tell the coroutine whatever happens."""
        forks = FORKS.count
        if self.conversation.is_over:  # cancelled by the server while it waited for this thread
            return
        try:
            self._respond()
        except BaseException as error:
            if FORKS.count != forks:
                leave()
            if self.is_finished:
                log.exception("An application raised after its response was complete.")
            else:
                self.conversation.fail(error)
        if FORKS.count != forks:
            leave()

    def _respond(self) -> None:
        environ = build_environ(self.scope, self.conversation.receive)
        response = self.application(environ, self._start_response)
        try:
            is_alone = isinstance(response, list | tuple) and len(response) == 1
            for chunk in response:
                self._send(chunk, is_last=is_alone)
            if not self.is_finished:
                self._finish(b"")
        finally:
            if hasattr(response, "close"):
                response.close()

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], object]:
        if exc_info is not None:
            try:
                if self.is_started and exc_info[1] is not None:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # it would be a cycle with this frame
        elif self.start is not None or self.is_started:
            raise AssertionError("start_response was called twice without exc_info")
        code = int(status[:3])
        kept = [(name.lower(), value) for name, value in headers if name.lower() not in _HOP_BY_HOP]
        lengths = [value for name, value in kept if name == "content-length"]
        self.remaining = int(lengths[0]) if lengths else None
        self.has_body = self.scope["method"] != "HEAD" and code not in _NO_BODY
        self.start = {
            "type": "http.response.start",
            "status": code,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept],
        }
        return self._write

    def _write(self, data: bytes) -> None:
        self._send(data, is_last=False)

    def _send(self, chunk: bytes, *, is_last: bool) -> None:
        if not isinstance(chunk, bytes):
            raise TypeError(f"a response consists of bytes, not of {type(chunk).__name__}")
        if not chunk or not self.has_body or self.is_finished:
            return
        if self.remaining is not None:
            chunk = chunk[: self.remaining]  # as gunicorn does: the rest would be taken for the next response
            self.remaining -= len(chunk)
            is_last = is_last or self.remaining == 0
        if is_last:
            self._finish(chunk)
        else:
            self.conversation.send(_body(chunk, more=True), None if self.is_started else self._begin())

    def _finish(self, chunk: bytes) -> None:
        """Send the last chunk, before `close` is called: it may take its time."""
        end = _body(chunk, more=False)
        self.conversation.finish(*((end,) if self.is_started else (self._begin(), end)))
        self.is_finished = True

    def _begin(self) -> Message:
        """Return the message that starts the response; the headers leave with the first chunk that is not empty."""
        if self.start is None:
            raise AssertionError("the application did not call start_response")
        self.is_started = True
        return self.start


def _body(chunk: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more}

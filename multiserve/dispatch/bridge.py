"""The bridge from WSGI into ASGI: a WSGI application (PEP 3333) as an ASGI 3.0 application.

The application runs in a thread. Whenever it needs the client it asks the coroutine of its request, which does what is
asked and answers: nothing is buffered on the way, and one of the two always waits for the other.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from queue import SimpleQueue
from types import TracebackType
from typing import Literal, NamedTuple, TypeAlias

from multiserve._types import Message, Receive, Scope, Send, WSGIApplication
from multiserve.dispatch.environ import build_environ
from multiserve.dispatch.forks import FORKS, leave
from multiserve.dispatch.threads import take_from_client

log = logging.getLogger("multiserve")

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

# Connection management is the server's (PEP 3333, "Other HTTP Features"); gunicorn drops these, too.
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding",
     "upgrade")
)  # fmt: skip
_NO_BODY = (204, 304)


class ClientGone(OSError):  # noqa: N818 (it is a state, and the name that applications' logs should show)
    """The client has left: raised in the application where it reads from the client or writes to it."""


class WSGIBridge:
    """One WSGI application as an ASGI application, in threads."""

    def __init__(self, application: WSGIApplication, submit: Callable[[Callable[[], object]], None]) -> None:
        """Bridge `application`, each of whose requests is a job for `submit`, to be run in another thread."""
        self.application = application
        self.submit = submit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of type `http`."""
        loop = asyncio.get_running_loop()
        conversation = _Conversation(loop, receive, send)
        call = _Call(self.application, scope, conversation)
        context = contextvars.copy_context()
        self.submit(lambda: context.run(call.run))
        await conversation.serve()


class _Ask(NamedTuple):
    """What the thread wants of the coroutine."""

    what: Literal["receive", "send", "finish", "fail"]
    messages: tuple[Message, ...] = ()
    error: BaseException | None = None


class _Conversation:
    """The two sides of one request: the thread asks, the coroutine acts and answers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, send: Send) -> None:
        self._forks = FORKS.count
        self._loop = loop
        self._receive = receive
        self._send = send
        self._asked: asyncio.Future[_Ask] = loop.create_future()
        self._answers: SimpleQueue[bytes | ClientGone] = SimpleQueue()
        self._pulling: asyncio.Task[None] | None = None
        self._body = b""
        self._body_ended = False
        self._gone = False

    # In the thread of the application.

    @property
    def is_over(self) -> bool:
        """Whether nobody waits for the response any more."""
        return self._gone

    def receive(self) -> bytes:
        """Wait for the next part of the request's body; empty at its end.

        Raises:
            ClientGone: The client has left.
        """
        return self._ask(_Ask("receive"))

    def send(self, *messages: Message) -> None:
        """Send a part of the response, and wait until the server has room for more.

        Raises:
            ClientGone: The client has left.
        """
        self._ask(_Ask("send", messages))

    def finish(self, *messages: Message) -> None:
        """Send the last part of the response; nothing is asked after that."""
        self._tell(_Ask("finish", messages))

    def fail(self, error: BaseException) -> None:
        """Give up; nothing is asked after that."""
        self._tell(_Ask("fail", error=error))

    def _ask(self, ask: _Ask) -> bytes:
        if not self._gone and self._tell(ask):
            answer = take_from_client(self._answers)
            if isinstance(answer, bytes):
                return answer
            raise answer
        raise ClientGone("the client has left")

    def _tell(self, ask: _Ask) -> bool:
        if FORKS.count != self._forks:  # the application has forked, and only its parent answers
            leave()
        try:
            self._loop.call_soon_threadsafe(self._deliver, ask)
        except RuntimeError:  # the loop is closed: the server is on its way out
            return False
        return True

    # In the event loop.

    def _deliver(self, ask: _Ask) -> None:
        if not self._asked.done():  # it is cancelled where the server has cancelled the request
            self._asked.set_result(ask)

    async def serve(self) -> None:
        """Do what the thread asks until its response is complete."""
        ask: _Ask | None
        try:
            while True:
                ask = await self._asked
                self._asked = self._loop.create_future()
                if ask.what == "fail":
                    _raise(ask.error)
                    return
                if ask.what == "finish":
                    await self._send_all(ask.messages)
                    return
                self._answers.put(await self._act(ask))
        finally:
            ask = None  # an error in it would be a cycle with this frame, and keep the request in memory
            # However it ends: the thread must not wait for an answer that never comes.
            self._gone = True
            self._answers.put(ClientGone("the client has left"))
            if self._pulling is not None:
                self._pulling.cancel()

    async def _act(self, ask: _Ask) -> bytes | ClientGone:
        if ask.what == "receive":
            return await self._next_of_body()
        if not await self._send_all(ask.messages):
            return ClientGone("the client has left")
        # From here on the response streams: learn early if the client leaves. An event that turns out to be a part of
        # the body stays here until the application reads it.
        if self._body_ended or not self._body:
            self._pull()
        return b""

    async def _send_all(self, messages: tuple[Message, ...]) -> bool:
        try:
            for message in messages:
                await self._send(message)
        except OSError:  # what servers of ASGI 2.4 raise when the client has left
            return False
        return True

    async def _next_of_body(self) -> bytes | ClientGone:
        while not (self._body or self._body_ended):
            if self._gone:
                return ClientGone("the client has left before its request was complete")
            await self._pull()
        body, self._body = self._body, b""
        return body

    def _pull(self) -> asyncio.Task[None]:
        """Start to receive the next event, unless that is under way."""
        if self._pulling is None or self._pulling.done():
            self._pulling = self._loop.create_task(self._receive_event())
        return self._pulling

    async def _receive_event(self) -> None:
        event = await self._receive()
        if event["type"] == "http.disconnect":
            self._gone = True
        else:
            self._body = event.get("body", b"")
            self._body_ended = not event.get("more_body", False)


def _raise(error: BaseException | None) -> None:
    """Raise what the application raised, but nothing that would end the server's event loop."""
    try:
        if isinstance(error, Exception):
            if not isinstance(error, ClientGone):
                raise error
        elif error is not None:  # such as SystemExit
            raise RuntimeError(f"the application raised {error!r}") from error
    finally:
        del error  # it would be a cycle with this frame


class _Call:
    """One call of a WSGI application, in its thread."""

    def __init__(self, application: WSGIApplication, scope: Scope, conversation: _Conversation) -> None:
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
            self.conversation.send(*self._begin(), _body(chunk, more=True))

    def _finish(self, chunk: bytes) -> None:
        """Send the last chunk, before `close` is called: it may take its time."""
        self.conversation.finish(*self._begin(), _body(chunk, more=False))
        self.is_finished = True

    def _begin(self) -> list[Message]:
        """Give the message that starts the response, once; the headers leave with the first chunk that is not empty."""
        if self.is_started:
            return []
        if self.start is None:
            raise AssertionError("the application did not call start_response")
        self.is_started = True
        return [self.start]


def _body(chunk: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more}

"""The conversation of one request: between the thread of its application and the coroutine that knows its client.

What the thread sends is queued for the coroutine, which sends it at once: neither waits for the other with each chunk.
The thread waits only for the body of the request, and where much of its response is unsent.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from queue import SimpleQueue
from typing import Literal, NamedTuple

from multiserve._types import Message, Receive, Send
from multiserve.dispatch.forks import FORKS, leave
from multiserve.dispatch.threads import take_from_client

# Bytes of a response that may be unsent: to change between the threads costs more than to send some chunks, but memory
# is for those clients that make use of it.
_UNSENT = 128 * 1024
_UNSENT_IF_QUICK = 1024 * 1024
_QUICK = 0.01  # seconds in which the server takes all of that for a quick client
_CHUNK = 4096  # bytes that a chunk counts beside its own: many small ones need memory and time, too


class ClientGone(OSError):  # noqa: N818 (it is a state, and the name that applications' logs should show)
    """The client has left: raised in the application where it reads from the client or writes to it."""


class _Ask(NamedTuple):
    """What the thread wants of the coroutine, beside that a message is sent."""

    what: Literal["receive", "flush", "finish", "fail"]
    error: BaseException | None = None


class Conversation:
    """The two sides of one request: the thread asks, the coroutine acts, and answers where the thread waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, send: Send) -> None:
        """Talk about the request that `receive` and `send` belong to, in the loop that is running."""
        self._forks = FORKS.count
        self._loop = loop
        self._receive = receive
        self._send = send
        self._asked: deque[Message | _Ask] = deque()
        self._answers: SimpleQueue[bytes | ClientGone] = SimpleQueue()
        self._unsent = 0  # bytes, or fewer; for the thread alone, as is the next
        self._most_unsent = _UNSENT
        self._is_awake = False  # the coroutine looks once more before it waits for the thread
        self._waking: asyncio.Future[None] | None = None
        self._pulling: asyncio.Task[None] | None = None
        self._body = b""
        self._body_ended = False
        self._has_sent = False
        self._gone = False
        self._is_over = False

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

    def send(self, chunk: Message, start: Message | None = None) -> None:
        """Send a part of the body, with the start of the response in front of the first; wait if much is unsent.

        Raises:
            ClientGone: The client has left.
        """
        if self._gone or not self._tell((chunk,) if start is None else (start, chunk)):
            raise ClientGone("the client has left")
        self._unsent += len(chunk["body"]) + _CHUNK
        if self._unsent >= self._most_unsent:
            self._flush()

    def finish(self, *messages: Message) -> None:
        """Send the last part of the response; nothing is asked after that."""
        self._tell((*messages, _Ask("finish")))

    def fail(self, error: BaseException) -> None:
        """Give up; nothing is asked after that."""
        self._tell((_Ask("fail", error),))

    def _flush(self) -> None:
        began = time.monotonic()
        self._ask(_Ask("flush"))
        is_quick = time.monotonic() - began < _QUICK
        self._most_unsent = min(self._most_unsent * 2, _UNSENT_IF_QUICK) if is_quick else _UNSENT
        self._unsent = 0

    def _ask(self, ask: _Ask) -> bytes:
        if not self._gone and self._tell((ask,)):
            answer = take_from_client(self._answers)
            if isinstance(answer, bytes):
                return answer
            raise answer
        raise ClientGone("the client has left")

    def _tell(self, asked: tuple[Message | _Ask, ...]) -> bool:
        if FORKS.count != self._forks:  # the application has forked, and only its parent answers
            leave()
        self._asked.extend(asked)
        if not self._is_awake:
            self._is_awake = True
            try:
                self._loop.call_soon_threadsafe(self._wake)
            except RuntimeError:  # the loop is closed: the server is on its way out
                self._gone = True
                return False
        return True

    # In the event loop.

    def _wake(self) -> None:
        if self._is_over:
            self._asked.clear()  # an error in it would be a cycle with the frames of the thread
        elif self._waking is not None and not self._waking.done():
            self._waking.set_result(None)

    async def serve(self) -> None:
        """Do what the thread asks until its response is complete."""
        ask: _Ask | None
        try:
            while True:
                ask = await self._send_on()
                if ask.what == "finish":
                    return
                if ask.what == "fail":
                    _raise(ask.error)
                    return
                await self._answer(ask)
        finally:
            ask = None  # an error in it would be a cycle with this frame, and keep the request in memory
            # However it ends: the thread must not wait for an answer that never comes.
            self._gone = self._is_over = True
            self._is_awake = False
            self._asked.clear()
            self._answers.put(ClientGone("the client has left"))
            if self._pulling is not None:
                self._pulling.cancel()

    async def _send_on(self) -> _Ask:
        """Send what comes until the thread asks for something else."""
        asked = self._asked
        while True:
            while not asked:
                self._watch_client()
                self._is_awake = False
                if asked:  # the thread may have looked before it could see that it has to wake
                    break
                self._waking = self._loop.create_future()
                await self._waking
            message = asked.popleft()
            if isinstance(message, _Ask):
                return message
            if not self._gone:
                self._has_sent = True
                try:
                    await self._send(message)
                except OSError:  # what servers of ASGI 2.4 raise when the client has left
                    self._gone = True

    async def _answer(self, ask: _Ask) -> None:
        if ask.what == "receive":
            self._answers.put(await self._next_of_body())
            return
        self._watch_client()
        self._answers.put(ClientGone("the client has left") if self._gone else b"")
        await asyncio.sleep(0)  # a thread that is always ahead would keep the loop from all other requests

    def _watch_client(self) -> None:
        """Learn early if the client leaves, once the response streams.

        An event that turns out to be a part of the body stays here until the application reads it.
        """
        if self._has_sent and (self._body_ended or not self._body):
            self._pull()

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

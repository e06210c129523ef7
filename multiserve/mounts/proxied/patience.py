"""How long a request waits: for the first byte of a response, and no longer than its client does."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class Patience:
    """A block that ends early when the server takes too long, or when the client leaves; it raises `TimeoutError` then.

    Attributes:
        client_has_left: Whether the client was the reason.
    """

    def __init__(self, seconds: float) -> None:
        """Wait for a server for that many seconds at a time."""
        self._seconds = seconds
        self._limit = asyncio.timeout(None)
        self._loop = asyncio.get_running_loop()
        self._is_over = False
        self._has_answer = False
        self.client_has_left = False

    async def __aenter__(self) -> Self:
        """Begin to wait for the server."""
        await self._limit.__aenter__()
        self.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise `TimeoutError` if the block has ended early."""
        self._is_over = True
        await self._limit.__aexit__(kind, error, trace)

    @property
    def is_exhausted(self) -> bool:
        """Whether the block has ended early."""
        return self._limit.expired()

    def wait(self) -> None:
        """Begin to wait for the server anew, as it has just been given something."""
        if not self._has_answer:
            self._set(self._loop.time() + self._seconds)

    def rest(self) -> None:
        """Stop waiting for the server: it is the client that has to do something."""
        self._set(None)

    def answered(self) -> None:
        """Stop waiting for the server, which has begun to answer, and may go on for as long as it likes."""
        self._has_answer = True
        self._set(None)

    def give_up(self) -> None:
        """End the block: the client has left."""
        self.client_has_left = True
        self._set(self._loop.time())

    def _set(self, when: float | None) -> None:
        if self._is_over or self._limit.expired() or (self.client_has_left and when is None):
            return
        self._limit.reschedule(when)

"""A connection that keeps its promise: what a response has left open stays open for one more request.

gunicorn's own closes a connection when the worker is told to stop in the middle of a response that promised otherwise;
the request that the client may send next would be lost.
"""

from __future__ import annotations

from typing import Any

from gunicorn.asgi.protocol import ASGIProtocol


class PromisingConnection(ASGIProtocol):  # type: ignore[misc]
    """gunicorn's connection, which can be told that its worker is about to stop."""

    worker: Any

    def __init__(self, worker: Any) -> None:
        """Serve one connection for `worker`, the object that gunicorn's protocol asks for everything."""
        super().__init__(worker)
        self._answered: object = None  # the last request to which a response has begun
        self._closes = False  # that response has told the client that the connection ends with it

    def _will_close(self, request: Any, response_requires_close: bool) -> bool:  # noqa: FBT001 (gunicorn's)
        """Decide once for each response."""
        if request is not self._answered:
            is_stopping = isinstance(self.worker, _StoppingWorker)
            self._closes = is_stopping or super()._will_close(request, response_requires_close)
            self._answered = request
        return self._closes or response_requires_close

    @property
    def closes(self) -> bool:
        """Whether the client has been told that the connection ends with this response."""
        return self._closes

    def keep_promise(self) -> None:
        """Stay open for one more request if a response under way has promised it."""
        if self._answered is not None and not self._closes and not self._awaiting_request:
            self.worker = _StoppingWorker(self.worker, self)


class _StoppingWorker:
    """A worker that stops, as a connection sees it that still has to take a request."""

    def __init__(self, worker: Any, connection: PromisingConnection) -> None:
        self._worker = worker
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._worker, name)

    @property
    def alive(self) -> bool:
        """Whether to go on, which gunicorn asks after each response."""
        return not self._connection.closes

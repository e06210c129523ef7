"""Counts what an ASGI dispatcher answers, in the event loop."""

from __future__ import annotations

from time import perf_counter_ns

from multiserve._types import ASGIApplication, Receive, Scope, Send
from multiserve.dispatch.asgi import ASGIDispatcher, requested_host, split_root_path
from multiserve.dispatch.counting.counts import ACTIVE, FAILED, OPEN, OPENED, UNMATCHED, Counts
from multiserve.dispatch.environ_keys import MOUNT_KEY
from multiserve.dispatch.request_ids import REQUEST
from multiserve.paths import to_wsgi


class ASGICounting:
    """Wraps what answers all requests and WebSockets."""

    def __init__(self, dispatcher: ASGIDispatcher, counts: Counts, answer: ASGIApplication) -> None:
        """Count what `answer` does for a dispatcher."""
        self._dispatcher = dispatcher
        self._counts = counts
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and count that."""
        REQUEST.set(scope)  # what is logged meanwhile belongs to its mount; every request has a context of its own
        if scope["type"] == "websocket":
            await self._count_websocket(scope, receive, send)
            return
        counts, began = self._counts, perf_counter_ns()
        found = self._find(scope)
        active = counts.offset_of(found) + ACTIVE
        status, is_open, is_gone = 0, True, False
        counts.cells[active] += 1

        def finish() -> None:
            nonlocal is_open
            is_open = False
            counts.cells[active] -= 1
            counts.finish(scope.get(MOUNT_KEY, found), scope["method"], status, perf_counter_ns() - began)

        async def send_counted(message: Scope) -> None:
            nonlocal status, is_gone
            if message["type"] == "http.response.start":
                status = message["status"]
            try:
                await send(message)
            except OSError:
                is_gone = True
                raise
            if is_open and message["type"] == "http.response.body" and not message.get("more_body", False):
                finish()

        try:
            await self._answer(scope, receive, send_counted)
        except Exception:
            status = status if is_gone else FAILED  # that the client has gone is no failure of the application
            raise
        finally:
            if is_open:
                finish()

    def _find(self, scope: Scope) -> str:
        """Return the name of the mount that will answer, if its factory does not refuse the tenant.

        It counts where the dispatcher has named none: middleware has given it a copy of the scope, or has answered.
        """
        router = self._dispatcher.router
        path = split_root_path(scope)[1]
        routed = path if path.isascii() else to_wsgi(path, "replace")
        host = requested_host(scope) if router.has_hosts else ""
        route = router.find(routed, host, scope.get("scheme", "http"))
        return UNMATCHED if route is None else route.name

    async def _count_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        cell = 0
        counts, found = self._counts, self._find(scope)

        async def send_counted(message: Scope) -> None:
            nonlocal cell
            if message["type"] == "websocket.accept" and not cell:
                offset = counts.offset_of(scope.get(MOUNT_KEY, found))
                cell = offset + OPEN
                counts.cells[cell] += 1
                counts.cells[offset + OPENED] += 1
            await send(message)

        try:
            await self._answer(scope, receive, send_counted)
        finally:
            if cell:
                counts.cells[cell] -= 1

"""A bound on how many requests a mount may have at a time, over either interface: what is beyond it gets 503 at once.

A mount that has become slow would take all the threads of a worker otherwise, and nobody else would be answered.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from multiserve._types import ASGIApplication, Receive, Scope, Send, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.answers import Answer, busy
from multiserve.dispatch.held_responses import Once, hold
from multiserve.dispatch.tenants import ASGITenantMount, WSGITenantMount


class WSGILimit:
    """A WSGI application (PEP 3333) with a bound.

    A request counts until its response is closed: until then it holds a thread.
    """

    def __init__(self, application: WSGIApplication, limit: int, name: str) -> None:
        """Let `application`, mounted as `name`, have at most `limit` requests at a time."""
        self.application = application
        self._free = threading.Semaphore(limit)
        self._busy = busy(name)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if not self._free.acquire(blocking=False):
            return self._busy.wsgi(environ, start_response)
        end = Once(self._free.release)
        try:
            return hold(self.application(environ, start_response), environ, end)
        except BaseException:
            end()
            raise


class ASGILimit:
    """An ASGI 3.0 application with a bound on its requests; what is waiting counts, too, and WebSockets do not."""

    def __init__(self, application: ASGIApplication, limit: int, name: str) -> None:
        """Let `application`, mounted as `name`, have at most `limit` requests at a time."""
        self.application = application
        self._free = limit
        self._busy: Answer = busy(name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
        elif self._free <= 0:
            await self._busy.asgi(scope, receive, send)
        else:
            self._free -= 1
            try:
                await self.application(scope, receive, send)
            finally:
                self._free += 1


class WSGITenantsLimit(WSGITenantMount):
    """The tenants of a mount with a bound on the requests to all of them; one that waits for a factory counts, too."""

    def __init__(self, tenants: WSGITenantMount, limit: int, name: str) -> None:
        """Let `tenants`, mounted as `name`, have at most `limit` requests at a time."""
        self.tenants = tenants
        self._free = threading.Semaphore(limit)
        self._busy = busy(name)

    def claim(self, values: tuple[str, ...], prefix: str) -> WSGIApplication | None:
        """Give the application of a tenant, as the tenants do."""
        if not self._free.acquire(blocking=False):
            return self._busy.wsgi
        end = Once(self._free.release)
        try:
            application = self.tenants.claim(values, prefix)
        except BaseException:
            end()
            raise
        if application is None:
            end()
            return None

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            try:
                return hold(application(environ, start_response), environ, end)
            except BaseException:
                end()
                raise

        return answer


class ASGITenantsLimit(ASGITenantMount):
    """The same over ASGI; WebSockets count only while their tenant is made."""

    def __init__(self, tenants: ASGITenantMount, limit: int, name: str) -> None:
        """Let `tenants`, mounted as `name`, have at most `limit` requests at a time."""
        self.tenants = tenants
        self._free = limit
        self._busy = busy(name)

    async def claim(self, values: tuple[str, ...], prefix: str) -> ASGIApplication | None:
        """Give the application of a tenant, as the tenants do."""
        if self._free <= 0:
            return self._busy.asgi
        self._free -= 1
        end = Once(self._release)
        try:
            application = await self.tenants.claim(values, prefix)
        except BaseException:
            end()
            raise
        if application is None:
            end()
            return None

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                end()
            try:
                await application(scope, receive, send)
            finally:
                end()

        return answer

    async def stop(self, seconds: float) -> None:
        """Shut the tenants down."""
        await self.tenants.stop(seconds)

    def _release(self) -> None:
        self._free += 1

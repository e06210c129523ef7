"""Limits how many requests a mount may have at a time, over either interface; further requests get 503 at once.

Without a limit a slow mount could take all threads of a worker, and no other mount would answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from multiserve._types import ASGIApplication, Receive, Scope, Send, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.answers import Answer, busy
from multiserve.dispatch.held_responses import Once, hold
from multiserve.dispatch.tenants import ASGITenantMount, WSGITenantMount

if TYPE_CHECKING:
    from concurrent.futures import Future


class WSGILimit:
    """A WSGI application (PEP 3333) with a limit.

    A request counts until its response is closed, because it holds a thread until then.
    """

    def __init__(self, application: WSGIApplication, limit: int, name: str) -> None:
        """Allow `application`, mounted as `name`, at most `limit` requests at a time."""
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
    """An ASGI 3.0 application with a limit on its requests; waiting requests count, and WebSockets do not."""

    def __init__(self, application: ASGIApplication, limit: int, name: str) -> None:
        """Allow `application`, mounted as `name`, at most `limit` requests at a time."""
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
    """The tenants of a mount, with a limit on the requests to all of them; requests that wait for a factory count."""

    def __init__(self, tenants: WSGITenantMount, limit: int, name: str) -> None:
        """Allow `tenants`, mounted as `name`, at most `limit` requests at a time."""
        self.tenants = tenants
        self._free = threading.Semaphore(limit)
        self._busy = busy(name)

    def claim(self, values: tuple[str, ...], prefix: str) -> WSGIApplication | None:
        """Return the application of a tenant, or one that answers 503."""
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

    def close_all(self) -> list[Future[None]]:
        """Begin to close the tenants."""
        return self.tenants.close_all()


class ASGITenantsLimit(ASGITenantMount):
    """The tenants of a mount over ASGI, with a limit; WebSockets count only while their tenant is built."""

    def __init__(self, tenants: ASGITenantMount, limit: int, name: str) -> None:
        """Allow `tenants`, mounted as `name`, at most `limit` requests at a time."""
        self.tenants = tenants
        self._free = limit
        self._busy = busy(name)

    async def claim(self, values: tuple[str, ...], prefix: str) -> ASGIApplication | None:
        """Return the application of a tenant, or one that answers 503."""
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

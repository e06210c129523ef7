"""A set of WSGI mounts, with WSGI middleware around all of them, as one ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from multiserve._types import ASGIApplication, Receive, Scope, Send, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.bridge import WSGIBridge
from multiserve.dispatch.environ_keys import MOUNT_KEY
from multiserve.dispatch.tenants import WSGITenantMount
from multiserve.dispatch.threads import ThreadPool


class BridgedSet:
    """One WSGI application that serves all mounts, called in threads."""

    def __init__(self, application: WSGIApplication, threads: int, refuse_websocket: ASGIApplication) -> None:
        """Serve `application` in as many threads; `refuse_websocket` answers WebSockets."""
        self.application = application
        self.refuse_websocket = refuse_websocket
        self._pool = ThreadPool(threads, "the mounts")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse a WebSocket."""
        if scope["type"] == "websocket":
            await self.refuse_websocket(scope, receive, send)
            return

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            try:
                return self.application(environ, start_response)
            finally:
                if MOUNT_KEY in environ:
                    scope[MOUNT_KEY] = environ[MOUNT_KEY]  # for the access log of the server

        await WSGIBridge(answer, self._pool.submit)(scope, receive, send)


class BridgedTenants:
    """The tenants of a WSGI mount, which are closed when the lifespans end."""

    def __init__(self, tenants: WSGITenantMount) -> None:
        """Close `tenants` in the end."""
        self.tenants = tenants

    async def stop(self, seconds: float) -> None:
        """Close all applications within that many seconds."""
        if closed := [asyncio.wrap_future(each) for each in self.tenants.close_all()]:
            _, waiting = await asyncio.wait(closed, timeout=seconds)
            for each in waiting:
                each.cancel()

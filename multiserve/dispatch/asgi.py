"""The ASGI dispatcher: hands a request or a WebSocket to the mount that the router finds, with root_path grown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from multiserve._types import ASGIApplication, Receive, Scope, Send
from multiserve.dispatch.absolute_form import BAD_AUTHORITY, take_authority_of_scope
from multiserve.dispatch.answers import Answer, not_started, starting
from multiserve.dispatch.environ_keys import MOUNT_KEY
from multiserve.dispatch.forks import FORKS, leave
from multiserve.dispatch.lifespan import Lifespan, Lifespans
from multiserve.dispatch.tenants import ASGITenantMount, NotMineError
from multiserve.dispatch.wsgi import WSGIDispatcher
from multiserve.paths import to_wsgi
from multiserve.routing import Route, Router

# What an outer framework leaves in the scope for its own use; the application would take it for its own.
_FOREIGN = ("app", "app_root_path", "endpoint", "path_params", "route", "router", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class ASGIMount:
    """One mounted application.

    Attributes:
        http: What answers requests.
        websocket: What answers WebSockets; a refusal for a WSGI application behind the bridge.
        lifespan: The lifespan of the application; None for one that has none, such as a WSGI application.
    """

    http: ASGIApplication
    websocket: ASGIApplication
    lifespan: Lifespan | None = None


class ASGIDispatcher:
    """Many applications as one ASGI 3.0 application.

    `root_path` grows by the prefix; `path` and `raw_path` stay whole, as the specification says.
    """

    def __init__(
        self,
        router: Router[Any],
        lifespans: Lifespans,
        not_found: Answer,
        startup_timeout: float,
        *,
        details: bool = False,
        trusted_proxies: int = 0,
    ) -> None:
        """Dispatch over the mounts of a router.

        Args:
            router: An `ASGIMount` for each mount, or an `ASGITenantMount` where a key has placeholders.
            lifespans: Their lifespans.
            not_found: What answers where no mount does.
            startup_timeout: Seconds that a request waits for its mount to start.
            details: Tell clients why an application could not start.
            trusted_proxies: How many proxies are in front; what they say counts before anything is looked up.
        """
        self.replace(router, not_found)
        self._believe: Callable[[Scope], object] | None = None
        if trusted_proxies:
            from multiserve.dispatch.forwarded import believe_scope

            self._believe = partial(believe_scope, hops=trusted_proxies)
        self._answer: ASGIApplication = self._dispatch
        self.inner: WSGIDispatcher | None = None  # has the mounts, where WSGI middleware is around all of them
        self.lifespans = lifespans
        self.startup_timeout = startup_timeout
        self.details = details

    def replace(self, router: Router[Any], not_found: Answer) -> None:
        """Serve the mounts of another router from the next request on; whether any has a host stays the same."""
        self.router = router
        self.not_found = not_found
        self._is_plain = not (router.has_hosts or router.has_placeholders)
        self._find_path = router.find_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await self.lifespans(receive, send)
            return
        if not scope["path"].startswith("/") and not take_authority_of_scope(scope):
            await BAD_AUTHORITY.asgi(scope, receive, send)
            return
        if self._believe is not None:
            self._believe(scope)
        await self._answer(scope, receive, send)

    def surround(self, wrap: Callable[[ASGIApplication], ASGIApplication]) -> None:
        """Wrap what answers requests and WebSockets, once what trusted proxies say counts; lifespans stay outside."""
        self._answer = wrap(self._answer)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send, refused: tuple[str, ...] = ()) -> None:
        root_path, path = split_root_path(scope)
        routed = path if path.isascii() else to_wsgi(path, "replace")
        if self._is_plain:
            route, tenant = self._find_path(routed), None
        else:
            route, tenant = await self._find(scope, routed, refused)
        if route is None:
            await self.not_found.asgi(scope, receive, send)
            return
        scope[MOUNT_KEY] = route.name  # in the server's own scope, for its access log
        child = _child_scope(scope, root_path, path, route)
        application = tenant
        if application is None:
            lifespan = route.mount.lifespan
            if lifespan is not None:
                if not lifespan.is_serving and (refusal := await self._wait_for(lifespan, route.name)):
                    await refusal.asgi(scope, receive, send)
                    return
                child["state"] = lifespan.state.copy()
            application = route.mount.websocket if scope["type"] == "websocket" else route.mount.http
        try:
            await _call(application, route.name, child, receive, send)
        except NotMineError as error:
            await self._dispatch(scope, error.receive, send, (*refused, route.name))

    async def _find(
        self, scope: Scope, path: str, refused: Collection[str]
    ) -> tuple[Route[Any] | None, ASGIApplication | None]:
        """Find the mount by host and path, and the application of a tenant; without one it is the next best mount.

        Args:
            scope: The request.
            path: Its path, as the router has it.
            refused: The names of the mounts that have no such tenant.
        """
        host = requested_host(scope) if self.router.has_hosts else ""
        scheme = scope.get("scheme", "http")
        if not self.router.has_placeholders:
            return self.router.find(path, host, scheme), None
        for route in self.router.rank(path, host, scheme):
            if route.name in refused:
                continue
            if not route.values or not isinstance(route.mount, ASGITenantMount):
                return route, None
            if (application := await route.mount.claim(route.values, route.prefix)) is not None:
                return route, application
        return None, None

    async def _wait_for(self, lifespan: Lifespan, name: str) -> Answer | None:
        """Wait until an application has started; give the answer in its place if it has not."""
        if not await lifespan.wait(self.startup_timeout):
            return starting(name)
        return not_started(name, lifespan.failure if self.details else "") if lifespan.failure else None


async def _call(application: ASGIApplication, name: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Call the application of a mount, so that whatever it does concerns this connection alone."""
    forks = FORKS.count
    try:
        await application(scope, receive, send)
    except Exception:
        raise
    except BaseException as error:
        # SystemExit would end the loop for every mount, and servers answer nothing for the others: make all of them an
        # ordinary error.
        if isinstance(error, GeneratorExit) or _is_cancelled(error):
            raise
        raise RuntimeError(f"the application at {name} raised {error!r}") from error
    finally:
        if FORKS.count != forks:
            leave()


def _is_cancelled(error: BaseException) -> bool:
    """Whether the server has cancelled the request, and not the application something of its own."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling() > 0)


def split_root_path(scope: Scope) -> tuple[str, str]:
    """Take an incoming root_path off the path, at a segment boundary: give the root_path and the rest of the path."""
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    if not root_path:
        return "", path
    root_path = root_path.rstrip("/")
    if root_path and (path == root_path or path.startswith(f"{root_path}/")):
        return root_path, path[len(root_path) :]
    return root_path, path


def _child_scope(scope: Scope, root_path: str, path: str, route: Route[Any]) -> Scope:
    """Return the scope for the application."""
    child = dict(scope)
    if "app" in child or "router" in child:  # one of the two is always among what Starlette and its like leave
        for name in _FOREIGN:
            child.pop(name, None)
    child["root_path"] = root_path + route.prefix
    if root_path and path == scope["path"]:
        # A proxy took the root_path off, but the specification wants the path whole.
        child["path"] = root_path + path
        child["raw_path"] = quote(root_path, errors="replace").encode() + (
            scope.get("raw_path") or quote(path, errors="replace").encode()
        )
    return child


def requested_host(scope: Scope) -> str:
    """Return the Host header of a request; empty if there is none or more than one (RFC 9112, section 3.2)."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return hosts[0].decode("latin-1") if len(hosts) == 1 else ""

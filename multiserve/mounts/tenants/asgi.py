"""The tenants of a mount in an ASGI composition; their applications may be WSGI or ASGI."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from multiserve._types import ASGIApplication, Receive, Scope, Send
from multiserve.dispatch.answers import failed
from multiserve.dispatch.bridge import WSGIBridge
from multiserve.dispatch.lifespan import Lifespan
from multiserve.dispatch.tenants import ASGITenantMount
from multiserve.dispatch.threads import ThreadPool
from multiserve.errors import LoadError
from multiserve.mounts.tenants.failures import FailureLog
from multiserve.mounts.tenants.registry import CacheLimits, Failure, Instance, Instances, Tenant
from multiserve.mounts.tenants.wsgi import ClosingThreads, Factory, fail, refuse_asgi

log = logging.getLogger("multiserve")

_FACTORIES = 32  # threads: a factory that hangs takes one
_CLEAN_UP = 1.0  # seconds that a lifespan which was cut short gets besides


class _Life:
    """The lifespan of one object that the factory has made, however many tenants have it."""

    def __init__(self, made: Any, application: Any, lifespan: Lifespan | None) -> None:
        self.made = made
        self.application = application  # with its middleware, which the lifespan starts
        self.lifespan = lifespan  # None for a WSGI application
        self.stopping: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True)
class _Running(Instance):
    life: _Life


class ASGITenants(ASGITenantMount):
    """The tenants of one mount, in an ASGI composition.

    Everything but the factory and WSGI applications runs in the event loop.
    """

    def __init__(  # noqa: PLR0913 (the options of the mount)
        self,
        factory: Factory,
        *,
        name: str,
        threads: int,
        limits: CacheLimits,
        details: bool,
        startup_timeout: float,
        shutdown_timeout: float,
        refuse_websocket: ASGIApplication,
        takes_asgi: bool = True,
    ) -> None:
        """Prepare; no application is made yet.

        Args:
            factory: What makes the applications.
            name: The mount, as its key spells it.
            threads: How many requests to all WSGI applications together run at a time.
            limits: How many applications are kept, and for how long.
            details: Tell clients why an application could not be made.
            startup_timeout: Seconds that the lifespan start-up of an application may take.
            shutdown_timeout: Seconds that an evicted application gets to shut down.
            refuse_websocket: What answers WebSockets to WSGI applications.
            takes_asgi: Whether the applications may be ASGI.
        """
        self.factory = factory
        self.name = name
        self.limits = limits
        self.details = details
        self.startup_timeout = startup_timeout
        self.shutdown_timeout = shutdown_timeout
        self.refuse_websocket = refuse_websocket
        self.takes_asgi = takes_asgi
        self._instances: Instances[_Running] = Instances(limits)
        self._lives: dict[int, _Life] = {}  # by the id of what was made, until it has shut down
        self._builds: set[asyncio.Task[None]] = set()
        self._watch: asyncio.TimerHandle | None = None
        self._requests = ThreadPool(threads, name)
        self._factories = ThreadPool(_FACTORIES, f"{name} factory")  # so that builds do not starve requests
        self._failures = FailureLog(name)
        self._closing = ClosingThreads(self._failures)

    async def claim(self, values: tuple[str, ...], prefix: str) -> ASGIApplication | None:
        """Return the application of a tenant, to be called exactly once; None if the factory returned None.

        Waits while it is made. The tenant is in use until the call has ended, and any thread that it started.
        """
        tenant, must_build = self._instances.claim(values)
        if must_build:
            # In a context of its own: the application outlives the request that happens to come first.
            build = asyncio.get_running_loop().create_task(
                self._build(tenant, prefix), name=f"build of {self.name} {tenant}", context=contextvars.Context()
            )
            self._builds.add(build)
            build.add_done_callback(self._builds.discard)
        if tenant.instance is None and not tenant.outcome.done():
            try:
                await asyncio.shield(asyncio.wrap_future(tenant.outcome))
            except BaseException:  # the client has left; the build goes on, for the next one
                self._release(tenant)
                raise
        outcome = tenant.instance or tenant.outcome.result()
        if outcome is None:
            return None
        if isinstance(outcome, Failure):
            return failed(self.name, outcome.details).asgi
        return functools.partial(self._call, tenant, outcome)

    async def stop(self, seconds: float) -> None:
        """Shut all applications down, side by side, even those in use; builds are given up."""
        if builds := list(self._builds):
            for build in builds:
                build.cancel()
            await asyncio.wait(builds, timeout=min(_CLEAN_UP, seconds))
        self._stop_all(self._instances.drain(), seconds)
        if self._watch is not None:
            self._watch.cancel()
        if stopping := [life.stopping for life in self._lives.values() if life.stopping is not None]:
            await asyncio.wait(stopping, timeout=seconds + _CLEAN_UP)

    async def _call(
        self, tenant: Tenant[_Running], running: _Running, scope: Scope, receive: Receive, send: Send
    ) -> None:
        application: ASGIApplication = running.application
        if running.life.lifespan is not None:
            scope["state"] = running.life.lifespan.state.copy()
        elif scope["type"] == "websocket":
            application = self.refuse_websocket
        else:
            application = WSGIBridge(running.application, functools.partial(self._submit, tenant))
        try:
            await application(scope, receive, send)
        finally:
            self._release(tenant)

    def _submit(self, tenant: Tenant[_Running], job: Callable[[], object]) -> None:
        """Run a request to a WSGI application, which uses its tenant to the end, even if its client has left."""
        self._instances.claim_again(tenant)
        loop = asyncio.get_running_loop()

        def run() -> None:
            try:
                job()
            finally:
                with contextlib.suppress(RuntimeError):  # the loop is closed: the server is on its way out
                    loop.call_soon_threadsafe(self._release, tenant)

        try:
            self._requests.submit(run)
        except BaseException:  # there is no thread to be had
            self._release(tenant)
            raise

    def _release(self, tenant: Tenant[_Running]) -> None:
        self._stop_all(self._instances.release(tenant), self.shutdown_timeout)

    async def _build(self, tenant: Tenant[_Running], prefix: str) -> None:
        try:
            running = await self._make(tenant, prefix)
        except BaseException as error:  # noqa: BLE001 (it is logged)
            is_logged = isinstance(error, _StartupError) or _is_given_up()
            fail(self._instances, tenant, error, failures=self._failures, details=self.details, is_logged=is_logged)
        else:
            if running is None:
                self._instances.refuse(tenant, None)
                return
            self._stop_all(self._instances.settle(tenant, running), self.shutdown_timeout)
            if self._instances.begin_watch():
                self._expire()

    async def _make(self, tenant: Tenant[_Running], prefix: str) -> _Running | None:
        try:
            async with asyncio.timeout(self.startup_timeout):
                made = await self._in_thread(lambda: self.factory.call(tenant.values, prefix))
                if inspect.isawaitable(made):
                    made = await made
        except TimeoutError:
            raise LoadError(f"the factory took longer than {self.startup_timeout:.1f} seconds") from None
        try:
            loaded = self.factory.finish(made, prefix)
            if not self.takes_asgi:
                refuse_asgi(loaded)
        except BaseException:
            if id(made) not in self._lives:
                self._closing.close(made, str(tenant))
            raise
        if loaded is None:
            return None
        lifespan = Lifespan(loaded.application, f"{self.name}: the tenant {tenant}", may_log=self._failures.allows)
        life = _Life(made, loaded.application, lifespan if loaded.interface == "asgi" else None)
        life = await self._start(life, tenant)
        return _Running(made, life.application, life)

    async def _in_thread(self, call: Callable[[], Any]) -> Any:
        result: Future[Any] = Future()

        def run() -> None:
            if result.set_running_or_notify_cancel():
                try:
                    result.set_result(call())
                except BaseException as error:  # noqa: BLE001 (it is raised in the event loop)
                    result.set_exception(error)

        self._factories.submit(run)
        return await asyncio.wrap_future(result)

    async def _start(self, life: _Life, tenant: Tenant[_Running]) -> _Life:
        """Start the lifespan of an object and wait until it is up; if the object has one already, wait for that."""
        while (earlier := self._lives.get(id(life.made))) is not None and earlier.stopping is not None:
            await asyncio.wait([earlier.stopping])
        life = self._lives.setdefault(id(life.made), life)
        if earlier is None and life.lifespan is not None:
            life.lifespan.start()
        self._instances.hold(life.made)
        try:
            await self._wait_for(life.lifespan)
        except BaseException:
            if self._instances.drop(life.made):
                self._begin_stop(life, tenant, self.shutdown_timeout)
            raise
        return life

    async def _wait_for(self, lifespan: Lifespan | None) -> None:
        if lifespan is None:
            return
        if not await lifespan.wait(self.startup_timeout):
            raise LoadError(f"the start-up took longer than {self.startup_timeout:.1f} seconds")
        if lifespan.failure:
            raise _StartupError(f"the start-up failed: {lifespan.failure}")

    def _stop_all(self, evicted: list[Tenant[_Running]], seconds: float) -> None:
        for tenant in evicted:
            if tenant.instance is not None:
                self._begin_stop(tenant.instance.life, tenant, seconds)

    def _begin_stop(self, life: _Life, tenant: Tenant[_Running], seconds: float) -> None:
        life.stopping = asyncio.get_running_loop().create_task(self._stop(life, tenant, seconds))

    async def _stop(self, life: _Life, tenant: Tenant[_Running], seconds: float) -> None:
        try:
            if life.lifespan is not None:
                await life.lifespan.stop(seconds)
            else:
                closed = asyncio.wrap_future(self._closing.close(life.made, str(tenant)))
                _, waiting = await asyncio.wait([closed], timeout=seconds)
                if waiting:
                    log.warning("%s: closing the tenant %s takes longer than %.1f seconds.", self.name, tenant, seconds)
                closed.cancel()  # the shut-down does not wait for it any longer
        finally:
            del self._lives[id(life.made)]

    def _expire(self) -> None:
        evicted, pause = self._instances.expire()
        self._stop_all(evicted, self.shutdown_timeout)
        self._watch = None if pause is None else asyncio.get_running_loop().call_later(pause, self._expire)


def _is_given_up() -> bool:
    """Return whether the current task was cancelled from outside; a factory may raise CancelledError, too."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class _StartupError(LoadError):
    """The start-up failed, which its lifespan has logged."""

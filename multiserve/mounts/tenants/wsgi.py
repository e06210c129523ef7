"""Tenants: an application for each name that the placeholders of a mount capture, made by a factory on first demand.

This module holds what WSGI and ASGI share, and the tenants of a WSGI composition.
"""

from __future__ import annotations

import functools
import inspect
import logging
import threading
import time
import traceback
from collections.abc import Awaitable, Iterable
from concurrent.futures import Future
from typing import Any, Protocol

from multiserve._types import Loaded, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.answers import failed
from multiserve.dispatch.held_responses import Once, hold
from multiserve.dispatch.tenants import WSGITenantMount
from multiserve.dispatch.threads import ThreadPool
from multiserve.errors import LoadError, Problem
from multiserve.mounts.tenants.failures import FailureLog
from multiserve.mounts.tenants.registry import CacheLimits, Failure, Instance, Instances, Tenant
from multiserve.tracebacks import format_cause

log = logging.getLogger("multiserve")

_CLOSERS = 4  # threads: a close() that hangs holds up no other


class Factory(Protocol):
    """What makes the applications of tenants."""

    def call(self, values: tuple[str, ...], prefix: str) -> Any:
        """Call the user's factory, which may take seconds; its result may have to be awaited.

        Raises:
            LoadError: It cannot be called; the cause is its own exception, if it raised one.
        """

    def finish(self, made: Any, prefix: str) -> Loaded | None:
        """Return the application that the factory has made; None if it returned None.

        Raises:
            LoadError: What it made is not an application.
        """


class WSGITenants(WSGITenantMount):
    """The tenants of one mount, in a WSGI composition."""

    def __init__(self, factory: Factory, *, name: str, limits: CacheLimits, details: bool) -> None:
        """Prepare; no application is made yet, as a server may still fork.

        Args:
            factory: What makes the applications.
            name: The mount, as its key spells it.
            limits: How many applications are kept, and for how long.
            details: Tell clients why an application could not be made.
        """
        self.factory = factory
        self.name = name
        self.limits = limits
        self.details = details
        self._instances: Instances[Instance] = Instances(limits)
        self._failures = FailureLog(name)
        self._closing = ClosingThreads(self._failures)

    def claim(self, values: tuple[str, ...], prefix: str) -> WSGIApplication | None:
        """Return the application of a tenant, to be called exactly once; None if the factory returned None.

        Waits while it is made, here or in another thread. The tenant is in use until the response is closed.
        """
        tenant, must_build = self._instances.claim(values)
        if must_build:
            self._build(tenant, prefix)
        try:
            outcome = tenant.instance or tenant.outcome.result()
        except BaseException:  # of a thread that is interrupted while it waits
            self._release(tenant)
            raise
        if outcome is None:
            return None
        if isinstance(outcome, Failure):
            return failed(self.name, outcome.details).wsgi
        return functools.partial(self._call, tenant, outcome.application)

    def _call(
        self,
        tenant: Tenant[Instance],
        application: WSGIApplication,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        try:
            response = application(environ, start_response)
        except BaseException:
            self._release(tenant)
            raise
        if type(response) in (list, tuple):  # it is complete, and servers know how to send it in one piece
            self._release(tenant)
            return response
        return hold(response, environ, Once(functools.partial(self._release, tenant)))

    def close_all(self) -> list[Future[None]]:
        """Begin to close all applications, even those in use; each future ends with one of them."""
        return self._close(self._instances.drain())

    def _release(self, tenant: Tenant[Instance]) -> None:
        self._close(self._instances.release(tenant))

    def _build(self, tenant: Tenant[Instance], prefix: str) -> None:
        try:
            instance = self._make(tenant.values, prefix)
        except KeyboardInterrupt:
            self._instances.refuse(tenant, Failure("interrupted"), seconds=0)
            raise
        except BaseException as error:  # noqa: BLE001 (it is logged)
            fail(self._instances, tenant, error, failures=self._failures, details=self.details)
            return
        if instance is None:
            self._instances.refuse(tenant, None)
            return
        self._instances.hold(instance.made)
        self._close(self._instances.settle(tenant, instance))
        if self._instances.begin_watch():
            threading.Thread(target=self._watch, name=f"{self.name} idle", daemon=True).start()

    def _make(self, values: tuple[str, ...], prefix: str) -> Instance | None:
        made = self.factory.call(values, prefix)
        if inspect.isawaitable(made):
            import asyncio  # it takes long, and few need it here

            made = asyncio.run(_wait_for(made))
        try:
            loaded = self._finish(made, prefix)
        except BaseException:
            self._closing.close(made, ", ".join(map(repr, values)))
            raise
        return None if loaded is None else Instance(made, loaded.application)

    def _finish(self, made: Any, prefix: str) -> Loaded | None:
        loaded = self.factory.finish(made, prefix)
        refuse_asgi(loaded)
        return loaded

    def _watch(self) -> None:
        pause: float | None = 0.0
        while pause is not None:
            time.sleep(pause)
            evicted, pause = self._instances.expire()
            self._close(evicted)

    def _close(self, evicted: list[Tenant[Instance]]) -> list[Future[None]]:
        return [
            self._closing.close(tenant.instance.made, str(tenant)) for tenant in evicted if tenant.instance is not None
        ]


def refuse_asgi(loaded: Loaded | None) -> None:
    """Refuse an ASGI application where all mounts are WSGI.

    Raises:
        LoadError: It is one.
    """
    if loaded is not None and loaded.interface == "asgi":
        problem = Problem(
            message="the factory returned an ASGI application, and all mounts are WSGI",
            hint='Write interface = "asgi" on this mount, so that the set is served by an ASGI server.',
        )
        raise LoadError(problem)


async def _wait_for(made: Awaitable[Any]) -> Any:
    return await made


def fail(
    instances: Instances[Any],
    tenant: Tenant[Any],
    error: BaseException,
    *,
    failures: FailureLog,
    details: bool,
    is_logged: bool = False,
) -> None:
    """End a build that raised: all requests that wait get their answer, and the traceback is logged once.

    Args:
        instances: What the tenant is one of.
        tenant: What was to be built.
        error: What was raised; anything but a `LoadError` is the factory's own exception.
        failures: Decides whether the log still has room for this one.
        details: Whether clients see the traceback.
        is_logged: Whether it has been logged already.
    """
    if not isinstance(error, LoadError):
        cause, error = error, LoadError(f"the factory raised {_line(error)}")
        error.__cause__ = cause
    trace = format_cause(error)
    is_same = instances.refuse(tenant, Failure(str(error), trace if details else ""))
    if is_logged or not failures.allows():
        return
    if is_same:
        log.error("%s: the tenant %s still fails: %s", failures.name, tenant, str(error).partition("\n")[0])
    else:
        log.error("%s: the tenant %s answers 500:\n%s", failures.name, tenant, trace)


def _line(error: BaseException) -> str:
    return "".join(traceback.format_exception_only(error)).strip().partition("\n")[0]


class ClosingThreads:
    """Threads in which evicted WSGI applications are closed, out of the way of requests."""

    def __init__(self, failures: FailureLog) -> None:
        """Start no thread yet; `failures` decides what is logged where closing fails."""
        self._failures = failures
        self._pool = ThreadPool(_CLOSERS, f"{failures.name} close")
        self._lock = threading.Lock()  # only one thread at a time may submit

    def close(self, application: Any, tenant: str) -> Future[None]:
        """Call the `close` of an application in a thread, if it has one; what that raises is logged."""
        closed: Future[None] = Future()
        if not callable(getattr(application, "close", None)):
            closed.set_result(None)
            return closed
        closed.set_running_or_notify_cancel()  # a caller can stop waiting, but not cancel it

        def close() -> None:
            try:
                application.close()
            except BaseException:
                if self._failures.allows():
                    log.exception("%s: closing the application of the tenant %s failed.", self._failures.name, tenant)
            closed.set_result(None)

        with self._lock:
            self._pool.submit(close)
        return closed

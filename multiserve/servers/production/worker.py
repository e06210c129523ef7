"""The worker for gunicorn's master: the engine in one event loop, with every lifespan run to its end."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sys
from collections.abc import Iterable
from typing import Any

from gunicorn.sock import ssl_context
from gunicorn.workers import base

from multiserve.dispatch.asgi import ASGIDispatcher
from multiserve.dispatch.lifespan import Lifespan
from multiserve.errors import LoadError
from multiserve.servers.engine.descriptors import fit_descriptors
from multiserve.servers.engine.listener import Listener, hand_over_errors
from multiserve.servers.engine.settings import SWITCH_INTERVAL, EngineSettings
from multiserve.servers.production.access_log import access_writer
from multiserve.servers.production.readiness import Readiness

_MARGIN = 0.75  # seconds before the master would kill the worker
_AT_ONCE = 1.0  # seconds for the lifespans when everything else is dropped
_CLEANUP = 0.25  # seconds for what is left then


class Worker(base.Worker):  # type: ignore[misc]
    """Serves the composed application in one event loop."""

    asgi: ASGIDispatcher
    loop: asyncio.AbstractEventLoop
    reports_ready_itself = True  # when its lifespans are up

    def __init__(self, *args: Any) -> None:
        """Prepare to serve in a process that is still to be forked."""
        self._stopping = asyncio.Event()
        self._admitted = asyncio.Event()  # the master lets this worker serve
        self._serving: asyncio.Task[None] | None = None
        self._listener: Listener | None = None
        self._late: list[asyncio.Task[None]] = []
        super().__init__(*args)

    @property
    def alive(self) -> bool:
        """Whether to go on; gunicorn clears it on a signal, and when a file has changed."""
        return self._alive

    @alive.setter
    def alive(self, value: bool) -> None:
        self._alive = value
        if not value:
            if self._listener is not None:
                self._listener.announce_stop()
            self.loop.call_soon_threadsafe(self._stopping.set)

    def init_process(self) -> None:
        """Make the event loop before gunicorn asks for signal handlers."""
        self.loop = _new_event_loop(getattr(self.cfg, "asgi_loop", "auto"))  # since gunicorn 25
        asyncio.set_event_loop(self.loop)
        super().init_process()

    def init_signals(self) -> None:
        """Handle signals in the loop."""
        for each in self.SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        self.loop.add_signal_handler(signal.SIGTERM, self._stop)
        self.loop.add_signal_handler(signal.SIGQUIT, self._quit)
        self.loop.add_signal_handler(signal.SIGINT, self._quit)
        self.loop.add_signal_handler(signal.SIGUSR1, self.reopen_logs)
        self.loop.add_signal_handler(signal.SIGABRT, self._abort)
        signal.signal(signal.SIGWINCH, signal.SIG_IGN)  # it is for the master, and comes from a terminal, too

    def reopen_logs(self) -> None:
        """Reopen the log files, which were rotated; a user who may not open them goes on with the old ones."""
        names = {str(name) for name in (self.cfg.errorlog, self.cfg.accesslog) if name not in (None, "-")}
        try:
            for name in names:
                with open(name, "a", encoding="utf-8"):  # noqa: PTH123 (a name that gunicorn opens as it is)
                    pass
        except OSError as error:
            self.log.warning("This worker cannot reopen its log, and writes on to the old file: %s", error)
        else:
            self.log.reopen_files()

    def _stop(self) -> None:
        self.alive = False

    def _quit(self) -> None:
        """Stop at once, even if a stop in good order is under way."""
        if self.alive:
            self.alive = False
            self.cfg.worker_int(self)
        if self._serving is not None:
            self._serving.cancel()

    def _abort(self) -> None:
        self.alive = False
        self.cfg.worker_abort(self)
        sys.exit(1)

    def load_wsgi(self) -> None:
        """Load the application."""
        self.asgi = self.app.wsgi()

    def run(self) -> None:
        """Serve until the worker has to stop."""
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._serving = self.loop.create_task(self._serve())
        try:
            self.loop.run_until_complete(self._serving)
        except asyncio.CancelledError:
            self.log.info("Worker stops at once.")
        except (SystemExit, KeyboardInterrupt) as error:
            if self._serving.done():
                raise  # our own refusal
            # A task that an application has made raised it; the master must not take its code for a refusal.
            self.log.exception("An application ended the worker.")
            raise SystemExit(1) from error
        finally:
            self._cleanup()

    def _cleanup(self) -> None:
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.wait(left, timeout=_CLEANUP))
        self.loop.remove_signal_handler(signal.SIGUSR1)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # a rotation of the logs must not kill a worker that ends
        self.loop.close()

    async def _serve(self) -> None:
        heart = asyncio.create_task(self._beat())
        self._listener = listener = self._make_listener()
        self.app.readiness.end_connections = listener.announce_stop
        if line := self.app.readiness.line:
            self.loop.add_reader(line, self._obey)
            self._obey()  # what came while it was loading, before anything is served
        try:
            await self._join(listener)
            await self._stopping.wait()
            # The master kills a worker after graceful_timeout; by then the lifespans must have had their shut-down.
            seconds = max(self.cfg.graceful_timeout - _MARGIN, 0.0)
            reserved = min(self.asgi.lifespans.shutdown_timeout, seconds / 2)
            await listener.stop(seconds - reserved)
            await self.asgi.lifespans.stop(reserved)
        except asyncio.CancelledError:
            await listener.stop(0)
            await self.asgi.lifespans.stop(_AT_ONCE)
            raise
        finally:
            for task in (heart, *self._late):
                task.cancel()

    def _make_listener(self) -> Listener:
        errors = getattr(self.log, "error_log", None)  # a logger_class of one's own may have none
        if errors is not None:
            hand_over_errors(errors.handlers, errors.level)
        settings = fit_descriptors(engine_settings(self.cfg, self.app.config.server), self.log)
        logs_access = getattr(self.log, "access_log_enabled", True)
        return Listener(self.asgi, settings, self.log, access_writer(self.log) if logs_access else None)

    async def _join(self, listener: Listener) -> None:
        """Listen and start the applications.

        A worker that serves alone listens at once: requests wait for the start-up of their own mount, and no mount
        waits for another one. Where others serve, they go on until this one is ready.
        """
        readiness: Readiness = self.app.readiness
        if readiness.is_alone:
            await self._listen(listener)
        missing = await self._start(readiness)
        readiness.report(self, self._reasons(missing))
        late = [each for each in self.asgi.lifespans.lifespans if each.serves(missing) and not each.failure]
        self._late = [asyncio.create_task(self._report_late(readiness, each)) for each in late]
        if readiness.waits and readiness.line:
            await self._wait_for_others()
        if not readiness.is_alone and self.alive:
            await self._listen(listener)

    async def _listen(self, listener: Listener) -> None:
        context = ssl_context(self.cfg) if self.cfg.is_ssl else None
        await listener.start([each.sock for each in self.sockets], context)

    async def _start(self, readiness: Readiness) -> list[str]:
        """Start the applications, and return the names of those that are not up; exit if they must not be served."""
        if getattr(self.cfg, "asgi_lifespan", "auto") == "off":  # since gunicorn 25
            return []
        lifespans = self.asgi.lifespans
        starting = asyncio.create_task(lifespans.start(refuse=readiness.may_refuse, awaited=readiness.expected))
        await self._unless_stopped(starting)
        if not starting.done():
            starting.cancel()  # a worker that stops does not wait for what is slow to start
            return []
        failed = [each for each in lifespans.lifespans if each.failure]
        lost = [f"{each.name}: {each.failure}" for each in failed if each.serves(readiness.expected)]
        if reason := starting.result() or "\n".join(lost):
            await lifespans.stop()
            if not readiness.is_alone:
                readiness.refuse(reason)
            self.log.error("Required, but not started: %s", reason.splitlines()[0])
            sys.exit(LoadError.exit_code)
        return lifespans.missing

    def _reasons(self, missing: Iterable[str]) -> dict[str, str]:
        """Return why each mount that this worker does not serve is not served."""
        lifespans = self.asgi.lifespans
        not_started = {name: lifespans.failure_of(name) or "it is still starting" for name in missing}
        return {**not_started, **self.app.broken}

    async def _report_late(self, readiness: Readiness, lifespan: Lifespan) -> None:
        """Report to the master once an application is up that no worker has waited for."""
        await lifespan.wait(math.inf)
        readiness.report_again(self._reasons(self.asgi.lifespans.missing))

    async def _wait_for_others(self) -> None:
        """Wait until the other new workers are ready, too."""
        await self._unless_stopped(waiting := asyncio.create_task(self._admitted.wait()))
        waiting.cancel()

    def _obey(self) -> None:
        """Do what the master says, as soon as it says it."""
        readiness: Readiness = self.app.readiness
        if readiness.obey():
            self._admitted.set()
        if readiness.is_forsaken and readiness.line:
            self.loop.remove_reader(readiness.line)

    async def _unless_stopped(self, task: asyncio.Task[Any]) -> None:
        """Wait for a task, or until the worker has to stop."""
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    async def _beat(self) -> None:
        """Report to the master once a second that the loop is alive; stop after max_requests, or without a master."""
        while self.ppid == os.getppid():
            if self._listener is not None:
                self.nr = self._listener.answered
            self.notify()
            if self.nr >= self.max_requests:  # where the master is not asked for another worker first
                self.log.info("Worker has served its max_requests.")
                self.alive = False
                return
            await asyncio.sleep(1.0)
        self.log.info("The master has gone.")
        self.alive = False


def engine_settings(cfg: Any, server: Any) -> EngineSettings:
    """Return the engine's settings.

    Args:
        cfg: gunicorn's settings.
        server: The table `[server]` of the configuration.
    """
    return EngineSettings(
        client_timeout=server.client_timeout,
        keepalive=cfg.keepalive,
        max_connections=cfg.worker_connections,
        max_websockets=server.max_websockets,
        backlog=cfg.backlog,
        longest_line=cfg.limit_request_line,
        most_fields=cfg.limit_request_fields,
        longest_field=cfg.limit_request_field_size,
        is_alone=cfg.workers == 1,
    )


def _new_event_loop(wanted: str) -> asyncio.AbstractEventLoop:
    """Make a loop of uvloop where that is installed and not unwanted; `wanted` is gunicorn's `asgi_loop`."""
    if wanted != "asyncio":
        try:
            import uvloop
        except ImportError:
            if wanted == "uvloop":
                raise
        else:
            return uvloop.new_event_loop()
    return asyncio.new_event_loop()

"""gunicorn's ASGI worker, made to stop at once and in good order, and to run every lifespan to its end."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from gunicorn.sock import ssl_context
from gunicorn.workers.gasgi import ASGIWorker

from multiserve.dispatch.asgi import ASGIDispatcher
from multiserve.errors import LoadError
from multiserve.servers.asgi import SWITCH_INTERVAL, Listener

_MARGIN = 0.75  # seconds before the master would kill the worker
_AT_ONCE = 1.0  # seconds for the lifespans when everything else is dropped


class Worker(ASGIWorker):  # type: ignore[misc]
    """Serves the composed application in one event loop."""

    asgi: ASGIDispatcher

    def __init__(self, *args: Any) -> None:
        """Prepare to serve in a process that is still to be forked."""
        self._stopping = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        super().__init__(*args)

    @property
    def alive(self) -> bool:
        """Whether to go on; gunicorn clears it on a signal, at `max_requests`, and when a file has changed."""
        return self._alive

    @alive.setter
    def alive(self, value: bool) -> None:
        self._alive = value
        if not value:
            self.loop.call_soon_threadsafe(self._stopping.set)

    def handle_quit_signal(self) -> None:
        """Stop at once for SIGINT and SIGQUIT, even if a stop in good order is under way."""
        super().handle_quit_signal()
        if self._serving is not None:
            self._serving.cancel()

    def run(self) -> None:
        """Serve until told to stop."""
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

    async def _serve(self) -> None:
        heart = asyncio.create_task(self._beat())
        listener = Listener(self)
        try:
            if failure := await self._start(listener):
                self.log.error("Required, but not started: %s", failure.splitlines()[0])
                sys.exit(LoadError.exit_code)
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
            heart.cancel()

    async def _start(self, listener: Listener) -> str:
        """Listen and start the applications; say why the worker must not serve.

        Requests wait for the start-up of their own mount, and no mount waits for another one. Only the first workers
        may refuse: a service that was up is not taken down by a required application that no longer starts.
        """
        # gunicorn's own version would serve without TLS if the context cannot be made.
        context = ssl_context(self.cfg) if self.cfg.is_ssl else None
        await listener.start([each.sock for each in self.sockets], context)
        if self.cfg.asgi_lifespan == "off":
            return ""
        may_refuse = getattr(self.app, "is_first", False) and self.age <= self.cfg.workers
        starting = asyncio.create_task(self.asgi.lifespans.start(refuse=may_refuse))
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if starting.done():
            return starting.result()
        starting.cancel()  # a worker that is told to stop does not wait for what is slow to start
        return ""

    async def _beat(self) -> None:
        """Tell the master once a second that the loop is alive, and stop if the master is gone."""
        while self.ppid == os.getppid():
            self.notify()
            await asyncio.sleep(1.0)
        self.log.info("The master has gone.")
        self.alive = False

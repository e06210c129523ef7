"""The `startup` and `shutdown` functions of WSGI mounts: what an ASGI application does in its lifespan."""

from __future__ import annotations

import atexit
import logging
import threading
import traceback
from collections.abc import Callable, Iterable

from multiserve._types import Receive, Scope, Send, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.answers import not_started

log = logging.getLogger("multiserve")


class Hooks:
    """The functions of one mount, each of which runs at most once in a process.

    Attributes:
        name: The name of the mount.
        failure: Why the start failed, as a traceback; empty while it did not.
    """

    def __init__(self, name: str, startup: Callable[[], object] | None, shutdown: Callable[[], object] | None) -> None:
        """Run nothing yet: a server may still fork."""
        self.name = name
        self.failure = ""
        self._startup = startup
        self._shutdown = shutdown
        self._lock = threading.Lock()
        self._has_begun = False
        self._is_up = False

    def start(self) -> bool:
        """Run `startup`, unless that was done, and return whether it succeeded; a failure is logged."""
        if self._begin():
            log.error("%s: the start-up failed: %s", self.name, self.failure)
        return not self.failure

    def _begin(self) -> bool:
        """Run `startup`, unless that was done, and return whether it has just failed."""
        with self._lock:
            if self._has_begun:
                return False
            self._has_begun = True
            try:
                if self._startup is not None:
                    self._startup()
            except (Exception, SystemExit) as error:  # noqa: BLE001 (functions of users raise what they like)
                own = error.__traceback__.tb_next if error.__traceback__ else None
                self.failure = "".join(traceback.format_exception(type(error), error, own)).rstrip()
                return True
            self._is_up = True
            atexit.register(self.stop)  # for servers that do not say when they end
            return False

    def stop(self) -> None:
        """Run `shutdown` if the start has succeeded, unless that was done."""
        with self._lock:
            if not self._is_up:
                return
            self._is_up = False
        atexit.unregister(self.stop)
        try:
            if self._shutdown is not None:
                self._shutdown()
        except (Exception, SystemExit):
            log.exception("%s: the shut-down failed.", self.name)

    def guard(self, application: WSGIApplication, *, details: bool) -> WSGIApplication:
        """Return a WSGI application that starts before its first request, and answers 503 if that fails.

        Args:
            application: The application of the mount.
            details: Whether the answer says why.
        """

        def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if not self._is_up:
                self.start()
                if self.failure:
                    answer = not_started(self.name, self.failure if details else "")
                    return answer.wsgi(environ, start_response)
            return application(environ, start_response)

        return guarded

    async def lifespan(self, _: Scope, receive: Receive, send: Send) -> None:
        """Start and stop as the lifespan of an ASGI application (ASGI Lifespan Specification 2.0)."""
        await receive()
        await _in_thread(self._begin, self.name)  # who supervises the lifespan logs a failure
        if self.failure:
            await send({"type": "lifespan.startup.failed", "message": self.failure})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await _in_thread(self.stop, self.name)
        await send({"type": "lifespan.shutdown.complete"})


async def _in_thread(function: Callable[[], object], name: str) -> None:
    """Run a function, which logs what it raises, in a thread that nothing waits for when the process ends."""
    import asyncio  # it takes long to import, and a composition of WSGI applications does not need it
    from concurrent.futures import Future

    done: Future[None] = Future()

    def run() -> None:
        try:
            function()
        finally:
            done.set_result(None)

    done.set_running_or_notify_cancel()  # from here on it cannot be cancelled
    threading.Thread(target=run, name=name, daemon=True).start()
    await asyncio.wrap_future(done)

"""The lifespan of every ASGI application (ASGI Lifespan Specification 2.0): each in a task of its own."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from multiserve._types import ASGIApplication, Message, Receive, Send

log = logging.getLogger("multiserve")

_IGNORED = 5.0  # seconds; an application that has not called receive() by then does not implement lifespan
_CANCEL = 1.0  # seconds that a cancelled lifespan has to clean up
_ACKNOWLEDGE = 25.0  # seconds until start-up is reported as complete, as servers give up after 30


class Lifespan:
    """The lifespan of one application, and its state.

    Attributes:
        mounts: The names of all mounts that the application answers at; logs name it after them.
        state: What the application put into its state; each request gets a copy.
        failure: Why its start-up failed; empty while it did not.
    """

    def __init__(self, application: ASGIApplication, *mounts: str, may_log: Callable[[], bool] = lambda: True) -> None:
        """Supervise `application`, which answers at these mounts; `may_log` says whether one more failure is logged."""
        self.application = application
        self.mounts = list(mounts)
        self._may_log = may_log
        self.state: dict[str, Any] = {}
        self.failure = ""
        self.is_serving = False  # requests need neither wait nor be refused
        self._up = asyncio.Event()
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._was_asked = False  # the application has taken its first event
        self._has_started = False  # and has answered that its start-up is complete
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """What logs call the application."""
        return ", ".join(self.mounts)

    def serves(self, mounts: Collection[str]) -> bool:
        """Return whether the application answers at one of these mounts."""
        return not set(mounts).isdisjoint(self.mounts)

    def start(self) -> None:
        """Start the application, unless that is under way; `wait` for it."""
        if self._task is not None:
            return
        self._task = asyncio.create_task(self._run(), name=f"lifespan of {self.name}")

    async def wait(self, seconds: float) -> bool:
        """Wait until the application is up, has failed, or is known to have no lifespan; False if time runs out."""
        if self._task is None or self._up.is_set():  # without a task the server does not run lifespans
            return True
        patience = min(seconds, _IGNORED)
        for part in (patience, seconds - patience):
            try:
                await asyncio.wait_for(self._up.wait(), None if part == math.inf else part)
            except TimeoutError:
                if not self._was_asked:
                    self._set_up()
                    return True
            else:
                return True
        return False

    async def stop(self, seconds: float) -> None:
        """Shut an application down if it has started, and wait for it for at most that many seconds."""
        if self._task is None:
            return
        if self._has_started and not self._task.done():
            self._stopping.set()
            try:
                await asyncio.wait_for(self._stopped.wait(), seconds)
            except TimeoutError:
                log.warning("%s: the shut-down took longer than %.1f seconds and was cut short.", self.name, seconds)
        self._task.cancel()
        await asyncio.wait([self._task], timeout=min(_CANCEL, seconds))

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self.application(scope, self._receive, self._send)
        except asyncio.CancelledError:
            raise
        except BaseException:
            # To raise before any answer is the specification's way to say that an application has no lifespan.
            if self._was_asked and not self.failure and self._may_log():
                log.exception("%s: the lifespan ended with an error.", self.name)
        finally:
            self._set_up()
            self._stopped.set()

    def _set_up(self) -> None:
        self.is_serving = not self.failure
        self._up.set()

    async def _receive(self) -> Message:
        if not self._was_asked:
            self._was_asked = True
            return {"type": "lifespan.startup"}
        await self._stopping.wait()
        if self._stopped.is_set():
            await asyncio.Event().wait()  # there is no third event
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.complete":
            self._has_started = True
            self._set_up()
        elif kind == "lifespan.startup.failed":
            self.failure = message.get("message") or "the start-up failed"
            if self._may_log():
                log.error("%s: the start-up failed: %s", self.name, self.failure)
            self._set_up()
        elif kind == "lifespan.shutdown.failed":
            log.error("%s: the shut-down failed: %s", self.name, message.get("message", ""))
            self._stopped.set()
        elif kind == "lifespan.shutdown.complete":
            self._stopped.set()


class _Stoppable(Protocol):
    async def stop(self, seconds: float) -> None: ...


class Lifespans:
    """The lifespans of all applications; the server sees them as one."""

    def __init__(
        self,
        lifespans: Sequence[Lifespan],
        required: Sequence[Lifespan],
        shutdown_timeout: float,
        tenants: Sequence[_Stoppable] = (),
    ) -> None:
        """Supervise `lifespans`; a server must not start if a `required` one fails.

        Args:
            lifespans: In the order of the mounts.
            required: Some of them.
            shutdown_timeout: Seconds that all of them together get to shut down.
            tenants: Mounts whose lifespans start later, on demand, but shut down with all others.
        """
        self.lifespans = list(lifespans)
        self.leaving: set[asyncio.Task[None]] = set()
        self.required = required
        self.shutdown_timeout = shutdown_timeout
        self.tenants = tenants

    @property
    def missing(self) -> list[str]:
        """The names of the mounts whose application has not started, or could not."""
        return [mount for each in self.lifespans if not each.is_serving for mount in each.mounts]

    def failure_of(self, mount: str) -> str:
        """Return why the application of a mount could not be started; empty if it could, or may yet."""
        return next((each.failure for each in self.lifespans if mount in each.mounts), "")

    def begin(self, lifespan: Lifespan) -> None:
        """Start one more application, while the others serve; does nothing for one that is here already."""
        if lifespan not in self.lifespans:
            self.lifespans.append(lifespan)
            lifespan.start()

    def leave(self, mount: str) -> None:
        """Shut down the application of a mount, while the others serve, unless it answers at another mount as well."""
        for lifespan in [each for each in self.lifespans if mount in each.mounts]:
            lifespan.mounts.remove(mount)
            if not lifespan.mounts:
                self.lifespans.remove(lifespan)
                task = asyncio.create_task(lifespan.stop(self.shutdown_timeout))
                self.leaving.add(task)
                task.add_done_callback(self.leaving.discard)

    async def __call__(self, receive: Receive, send: Send) -> None:
        """Answer the server's lifespan scope."""
        await receive()
        if failure := await self.start():
            await send({"type": "lifespan.startup.failed", "message": failure})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def start(self, *, refuse: bool = True, awaited: Collection[str] = ()) -> str:
        """Start all at the same time, and return why the server must not start; empty if it may.

        Required and awaited applications are waited for as long as it takes. The others get 25 seconds, as servers
        give up after 30; those that are not up by then go on starting, and requests to their mounts wait for them.

        Args:
            refuse: Whether the server can still refuse to start; if not, no application is required.
            awaited: The names of mounts that other workers serve already.
        """
        required = self.required if refuse else ()
        for lifespan in self.lifespans:
            lifespan.start()
        waits = [
            asyncio.create_task(each.wait(math.inf if each in required or each.serves(awaited) else _ACKNOWLEDGE))
            for each in self.lifespans
        ]
        try:
            if waits:
                await asyncio.wait(waits)
        finally:
            for wait in waits:
                wait.cancel()
        failures = [f"{each.name}: {each.failure}" for each in required if each.failure]
        if failures:
            await self.stop()
        return "; ".join(failures)

    async def stop(self, seconds: float | None = None) -> None:
        """Shut down every application, in reverse order; none can use up the time of the remaining ones."""
        remaining = self.shutdown_timeout if seconds is None else seconds
        clock = asyncio.get_running_loop().time
        running: list[_Stoppable] = [*self.lifespans, *self.tenants]
        if self.leaving:
            await asyncio.wait(self.leaving, timeout=remaining)
        for position, lifespan in enumerate(reversed(running)):
            began = clock()
            await lifespan.stop(remaining / (len(running) - position))
            remaining = max(remaining - (clock() - began), 0.0)

"""gunicorn's master, which keeps replacing workers that fail, after pauses that grow with each failure."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Iterable
from socket import socketpair
from typing import TYPE_CHECKING, Any

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from multiserve.servers.production.readiness import Readiness
from multiserve.servers.production.workers import LONGEST, Generation, Member, Retries

if TYPE_CHECKING:
    from multiserve.servers.production.application import GunicornApplication

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)  # signals that end a worker
_MARGIN = 1.0  # seconds after which a worker is killed that should have stopped by itself


class CarefulArbiter(Arbiter):  # type: ignore[misc]
    """Never replaces a worker by one that fails a mount which the others still serve.

    Attributes:
        current: The workers that serve.
        leaving: Workers that have been signalled to stop, by process id; they no longer count.
        is_halting: Everything stops.
        pages: The file with the page of each mount in maintenance, by its name; empty for the page that all have.
    """

    app: GunicornApplication
    WORKERS: dict[int, Any]
    _num_workers: int

    def __init__(self, application: GunicornApplication) -> None:
        """Prepare to serve an application."""
        self.current = Generation(application, [])
        self.leaving: dict[int, Member] = {}
        self.is_halting = False
        self.pages: dict[str, str] = {}
        self._retries = Retries()
        self._first_workers = 0  # workers were started together, before any was replaced
        super().__init__(application)

    def start(self) -> None:
        """Bind the addresses and announce them."""
        if self.cfg.preload_app:  # the memory stays shared only if no worker's collector writes into it
            gc.collect()
            gc.freeze()
        super().start()
        self.current.listeners = self.LISTENERS
        self._first_workers = self.cfg.workers
        self.app.announce(self.LISTENERS)

    def stop(self, graceful: bool = True) -> None:  # noqa: FBT001, FBT002 (gunicorn's)
        """Stop all workers; those that fail while they stop are not replaced."""
        self.is_halting = True
        super().stop(graceful)

    def reexec(self) -> None:
        """Start a second master beside this one; if that fails, only the forked copy of this process ends."""
        try:
            super().reexec()
        except (Exception, SystemExit):
            self.log.exception("A second master cannot be started.")
            if os.getpid() != self.pid:
                os._exit(1)

    def spawn_worker(self) -> int:
        """Start a worker of the current generation."""
        return self.start_worker(self.current)

    def start_worker(self, generation: Generation) -> int:
        """Start a worker of a generation."""
        ours, theirs = socketpair()
        self.app.readiness = Readiness(
            theirs,
            expected=self.current.serves,
            may_refuse=generation.waits or self.worker_age < self._first_workers,
            waits=generation.waits,
            pages=self.pages,
        )
        # A worker that ends by them must not miss them while it still has the master's handlers.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        try:
            pid: int = super().spawn_worker()
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        generation.add(pid, ours, time.monotonic(), self.pages)
        return pid

    def drop_handlers(self) -> None:
        """In a new worker, let signals end it, also those that were sent since the fork."""
        for number in _ENDING:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)

    def handle_chld(self, *signal: Any) -> None:
        """Reap workers from the loop; gunicorn before 24 calls this as the handler of the signal, at any moment."""
        if signal and not self.is_halting:
            self.wakeup()
        else:
            super().handle_chld(*signal)

    def reap_workers(self) -> None:
        """Forget workers that have ended; stop everything only if the very first ones cannot start."""
        self.hear()
        while True:
            try:
                super().reap_workers()
            except HaltServer:
                self._forget_gone()
                self.hear()  # what it said before its end
                if not self.is_halting and self.worker_age <= self._first_workers and self._died_before_ready():
                    raise
            else:
                break
        self.leaving = {pid: member for pid, member in self.leaving.items() if pid in self.WORKERS}
        for pid, member in self.current.take_ended(self.WORKERS):
            if member.serves is None:
                self._pause(f"A worker (pid:{pid}) ended before it could serve.")
            elif not self.current.has_ready:
                self._retries.hasten()

    def _forget_gone(self) -> None:
        """Forget workers that have been reaped; gunicorn before 26 keeps one whose exit code says that it failed."""
        for pid in list(self.WORKERS):
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                self.WORKERS.pop(pid).tmp.close()

    def _died_before_ready(self) -> bool:
        """Return whether a worker ended before it reported ready."""
        ended = [member for pid, member in self.current.members.items() if pid not in self.WORKERS]
        # An ASGI worker that is not ours, such as uvicorn's, reports ready before it has run the lifespans.
        is_certain = self.app.takes == "wsgi" or getattr(self.worker_class, "reports_ready_itself", False)
        return any(member.serves is None or not is_certain for member in ended)

    def hear(self) -> None:
        """Read what the workers report."""
        for pid, kind, value in self.current.hear():
            if kind == "ready":
                self._retries.succeed()
            elif kind == "exhausted":
                self.log.info("Worker (pid:%s) has served its max_requests and is being replaced.", pid)
            elif kind == "raised":
                self.take_raised(pid, value)
            elif kind in ("refused", "mistaken"):
                self.retire(self.current, [pid])
                if kind == "mistaken":
                    self._end_for_mistake(value)
                self._pause(f"A worker (pid:{pid}) could not serve what the others do.", value)

    def take_raised(self, pid: int, found: list[Any]) -> None:
        """Take note of exceptions that a worker has logged."""

    def _end_for_mistake(self, reason: str) -> None:
        """End everything where the settings are wrong, if this is the one to say so; others try again."""

    def _pause(self, what: str, why: str = "") -> None:
        if not self.is_halting:
            seconds = self._retries.fail(time.monotonic())
            self.log.error("%s Another one starts in %.0f s.%s", what, seconds, why and f"\n{why}")

    def manage_workers(self) -> None:
        """Start or stop workers until their number is right."""
        self.reap_workers()
        self.hear()
        self._end_leaving()
        self._retire_late()
        self._retire_surplus()
        exhausted = self.current.exhausted
        missing = self.num_workers - (len(self.current.members) - len(exhausted))
        if missing > 0 and self._retries.is_due(time.monotonic()):
            if exhausted or self._retries.pause:  # one after the other
                missing = int(self.current.is_ready)
            self._start_workers(missing)
        self._measure()

    def _retire_late(self) -> None:
        """Stop workers that are not ready in time."""
        for pid in self.current.late(time.monotonic()):
            self.retire(self.current, [pid])
            self._pause(f"A worker (pid:{pid}) was not ready after {LONGEST:.0f} s.")

    def _retire_surplus(self) -> None:
        """Stop workers past their `max_requests` once others are ready, and the oldest if there are too many."""
        members, exhausted = self.current.members, self.current.exhausted
        ready = sum(member.serves is not None for member in members.values())
        self.retire(self.current, exhausted[: max(ready - self.num_workers, 0)])
        fresh = [pid for pid in members if pid not in exhausted]
        self.retire(self.current, fresh[: max(len(fresh) - self.num_workers, 0)])

    def _start_workers(self, count: int) -> None:
        try:
            for _ in range(count):
                self.spawn_worker()
        except Exception as error:  # such as too many processes, or what a hook raises
            if self.worker_age <= self._first_workers:
                raise
            self._pause(f"A worker cannot be started: {error}.")

    def retire(self, generation: Generation, pids: Iterable[int]) -> None:
        """Signal workers to stop, without waiting for them."""
        for pid in pids:
            member = generation.members.pop(pid)
            member.line.close()
            member.kill_at = time.monotonic() + generation.application.cfg.graceful_timeout + _MARGIN
            self.leaving[pid] = member
            self.kill_worker(pid, signal.SIGTERM)

    def _end_leaving(self) -> None:
        now = time.monotonic()
        for pid in [pid for pid, member in self.leaving.items() if now >= member.kill_at]:
            self.log.warning("Worker (pid:%s) did not stop in time and is killed.", pid)
            self.kill_worker(pid, signal.SIGKILL)

    def _measure(self) -> None:
        """Call gunicorn's own version for its metrics; it finds no worker to start or stop."""
        workers, number = self.WORKERS, self._num_workers
        self.WORKERS = {pid: workers[pid] for pid in self.current.members if pid in workers}
        self._num_workers = len(self.WORKERS)
        try:
            super().manage_workers()
        finally:
            self.WORKERS, self._num_workers = workers, number

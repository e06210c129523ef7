"""SIGHUP: new workers start beside the old ones and take their place together, or not at all."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gunicorn import util
from gunicorn.pidfile import Pidfile

from multiserve.errors import MultiserveError
from multiserve.servers.production import listeners, pid_file
from multiserve.servers.production.arbiter import CarefulArbiter
from multiserve.servers.production.workers import LONGEST, Generation

_PATIENCE = 10.0  # seconds that a reload waits for the very first workers
TICK = 0.05  # seconds between two looks at workers that are on their way
REFUSED = "the reload is refused, and the workers stay as they were:"
_AS_THEY_WERE = "The workers stay as they were:\n%s"
_PRELOADED = (
    "preload_app: what the master has imported stays as it is. SIGHUP applies the configuration; "
    "SIGUSR2 or a restart takes new code, too."
)


class SwappingArbiter(CarefulArbiter):
    """Reloads without a gap: the old workers serve until all of the new ones are ready.

    Attributes:
        candidate: The new workers, while it is open whether they take over.
    """

    control_path = ""  # of the socket over which this server can be asked
    pidfile: Pidfile | None
    PIPE: list[int]
    log: Any

    def __init__(self, *args: Any) -> None:
        """Prepare to serve an application."""
        self.candidate: Generation | None = None
        self._asked = 0.0  # when SIGHUP has asked for a reload that has not begun, on the monotonic clock
        self._outcomes = 0
        self._former: Path | None = None  # the pid file before a reload has renamed it
        super().__init__(*args)

    def start(self) -> None:
        """Start, and record for `multiserve reload` that this server reports outcomes."""
        if self.cfg.pidfile:
            pid_file.remove_stale(Path(self.cfg.pidfile))
        super().start()
        self._record()

    def maybe_promote_master(self) -> None:
        """Take the place of the old master after SIGUSR2, and the name of its pid file."""
        before = self.pidfile.fname if self.pidfile else None
        super().maybe_promote_master()
        if self.pidfile and self.pidfile.fname != before:
            pid_file.forget(Path(str(before)))
            self._record()

    def halt(self, *args: Any, **options: Any) -> None:
        """Stop everything, and remove the pid file and the record beside it."""
        for path in self._paths():
            pid_file.forget(path)
        super().halt(*args, **options)

    def stop(self, graceful: bool = True) -> None:  # noqa: FBT001, FBT002 (gunicorn's)
        """Stop all workers, beginning with those that are not ready."""
        self._dismiss()
        super().stop(graceful)

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Wait for signals, but only briefly while workers start: their reports come without a signal."""
        signals: list[int] = super().wait_for_signals(self._within(timeout))
        return signals

    def _within(self, seconds: float) -> float:
        """Return how long to wait for signals at most."""
        return min(seconds, TICK) if self.candidate or self._asked else seconds

    def sleep(self) -> None:
        """Do the same for gunicorn before 24, whose loop waits here."""
        select.select([self.PIPE[0]], [], [], self._within(1.0))
        with contextlib.suppress(BlockingIOError):
            while os.read(self.PIPE[0], 1):
                pass

    def reload(self) -> None:
        """Start workers of the configuration and the code as they are now, beside the ones that serve."""
        if self.candidate:
            self.log.info("Another reload follows when this one is over.")
        self._asked = self._asked or time.monotonic()

    def _begin(self) -> None:
        """Begin the requested reload once the current workers have reported what they serve."""
        is_known = self.current.has_ready or not self.current.members
        if self._asked and not self.candidate and (is_known or time.monotonic() > self._asked + _PATIENCE):
            self._asked = 0.0
            self._try()

    def _try(self) -> None:
        """Start a candidate: the next generation of workers."""
        try:
            self.candidate = self._prepare()
            with self._standing_in(self.candidate):
                for _ in range(self.cfg.workers):
                    self.start_worker(self.candidate)
        except MultiserveError as error:
            self._refuse(str(error))
        except Exception as error:  # noqa: BLE001 (hooks, and log files, raise what they like)
            self._refuse(f"the new workers cannot be started: {str(error) or type(error).__name__}")

    def _prepare(self) -> Generation:
        application = self.app.fresh()
        if application.cfg.preload_app:
            self.log.info(_PRELOADED)
        sockets = listeners.take_over(application.cfg, self.cfg, self.LISTENERS, self.log)
        return Generation(application, sockets, waits=True, deadline=time.monotonic() + LONGEST)

    def close_others(self) -> None:
        """In a new worker, close the sockets of the other generation, which every process that has them keeps open."""
        for generation in (self.current, self.candidate):
            for listener in generation.listeners if generation else ():
                if listener not in self.LISTENERS:
                    listener.close()

    @contextlib.contextmanager
    def _standing_in(self, generation: Generation) -> Iterator[None]:
        """Make this generation the one from which gunicorn forks: application, settings, sockets and log."""
        before = self.app, self.LISTENERS
        try:
            self._switch_to(generation.application, generation.listeners)
            yield
        finally:
            if os.getpid() == self.pid:  # not in a worker, which leaves by this way, too
                self._switch_to(*before)

    def _switch_to(self, application: Any, sockets: list[Any]) -> None:
        self.app.leave_environment()
        application.enter_environment()
        self.app, self.cfg, self.LISTENERS = application, application.cfg, sockets
        self.worker_class, self.timeout = self.cfg.worker_class, self.cfg.timeout
        if type(self.log) is self.cfg.logger_class:
            self.log.setup(self.cfg)
        else:  # text has become JSON, or the mounts in its lines are others
            self.log = self.cfg.logger_class(self.cfg)

    def manage_workers(self) -> None:
        """Complete or refuse a reload, and keep the number of workers."""
        if self.candidate:
            self._decide(self.candidate)
        super().manage_workers()
        self._begin()

    def _decide(self, candidate: Generation) -> None:
        for pid, kind, value in candidate.hear():
            if kind == "raised":
                self.take_raised(pid, value)
            if kind in ("refused", "mistaken"):
                self._refuse(value)
                return
        if ended := candidate.take_ended(self.WORKERS):
            self._refuse(f"a new worker (pid:{ended[0][0]}) ended before it could serve")
        elif candidate.is_ready:
            if self._may_swap(candidate):
                self._swap(candidate)
        elif time.monotonic() > candidate.deadline:
            self._refuse(f"not all of the new workers could serve after {LONGEST:.0f} seconds")

    def _may_swap(self, candidate: Generation) -> bool:
        """Return whether new workers that are ready may take over already."""
        del candidate
        return True

    def _dismiss(self) -> None:
        """Refuse the reload: stop the new workers, none of which has served."""
        if self.candidate:
            self.retire(self.candidate, list(self.candidate.members))
            listeners.close(self.candidate.listeners, self.LISTENERS)
            self.candidate = None

    def _refuse(self, reason: str) -> None:
        self._dismiss()
        self.log.error(_AS_THEY_WERE, reason)
        self._finish(reason)

    def _swap(self, candidate: Generation) -> None:
        """Complete the reload: the new workers serve, the old ones stop."""
        old, before = self.current, self.cfg
        self.candidate = None
        self.current = candidate
        candidate.waits = False
        try:
            self._switch_to(candidate.application, candidate.listeners)
            self._settle(before)
        except Exception:
            self.log.exception("The reload is done, but not all that belongs to it.")
        for member in candidate.members.values():
            member.admit()
        self.retire(old, list(old.members))
        listeners.close(old.listeners, self.LISTENERS)
        self._retries.succeed()
        self.log.info("The new workers have taken over.")
        self._finish("")

    def _settle(self, before: Any) -> None:
        """Do what gunicorn does at a reload, apart from the workers."""
        if stats := getattr(self, "_stats", None):  # since gunicorn 25
            stats["reloads"] += 1
        self.address, self.proc_name = self.cfg.address, self.cfg.proc_name
        self.num_workers = self.cfg.workers
        util._setproctitle(f"master [{self.proc_name}]")  # noqa: SLF001 (as gunicorn does)
        if before.address != self.cfg.address:
            self.log.info("Listening at: %s", ",".join(map(str, self.LISTENERS)))
        if before.worker_class_str != self.cfg.worker_class_str:
            self.log.info("Using worker: %s", self.cfg.worker_class_str)
        self.log.reopen_files()
        self._rename_pid_file(before.pidfile)
        self.cfg.on_reload(self)

    def _rename_pid_file(self, before: str | None) -> None:
        if self.cfg.pidfile == before:
            return
        new = None
        if self.cfg.pidfile is not None:
            new = Pidfile(self.cfg.pidfile)
            new.create(self.pid)
        old, self.pidfile = self.pidfile, new
        if self._former is not None:
            pid_file.forget(self._former)
        self._former = None
        if old is not None:
            self._former = Path(old.fname)  # where `multiserve reload` waits for the outcome
            old.unlink()

    def _finish(self, refusal: str) -> None:
        """Record the outcome of the reload, unless another one follows."""
        if not self._asked:
            self._conclude(refusal and f"{REFUSED}\n{refusal}")

    def _conclude(self, refusal: str) -> None:
        self._outcomes += 1
        self._record(refusal, () if refusal else self._broken())

    def _broken(self) -> list[str]:
        """Return the names of the mounts that answer 503."""
        return self.current.broken

    def _record(self, refusal: str = "", broken: Sequence[str] = ()) -> None:
        for path in self._paths():
            pid_file.record(path, self._outcomes, refusal, broken, self.control_path)

    def _paths(self) -> list[Path]:
        """Return the pid file, and the former one, which `multiserve reload` may still read."""
        return [*([Path(self.pidfile.fname)] if self.pidfile else []), *([self._former] if self._former else [])]

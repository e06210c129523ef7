"""gunicorn's master in front of all groups: what happens to it happens to them."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
from functools import partial
from typing import Any, NoReturn

from multiserve.servers.production.control import Control, ask
from multiserve.servers.production.groups.memory import resident
from multiserve.servers.production.groups.questions import Questions
from multiserve.servers.production.groups.status import describe_server
from multiserve.servers.production.groups.supervisor import Groups
from multiserve.servers.production.management import Management
from multiserve.servers.production.reload import REFUSED, TICK, SwappingArbiter
from multiserve.servers.production.systemd import Systemd, describe
from multiserve.servers.production.workers import Generation

_HANDED_ON = "_MULTISERVE_MAINTENANCE"  # the variable by which a second master learns which mounts are
_LOOK = 0.25  # seconds between two looks at groups that run


class FrontArbiter(SwappingArbiter):
    """Keeps the processes of the groups beside its own workers."""

    def __init__(self, application: Any, groups: Groups, systemd: Systemd) -> None:
        """Prepare to serve an application, and the groups of its configuration."""
        self.groups = groups
        self._systemd = systemd
        groups.beat = systemd.beat  # also in gunicorn's stop, which calls `reap_workers`
        self._refusal: str | None = None  # of a reload whose groups are not through yet
        self._expected: set[str] = set()  # what the candidate must not serve worse than it is served now
        self._control: Control | None = None
        self._management = Management(os.environ, resident)
        self._drained_at = math.inf  # when draining ends, on the monotonic clock
        self.since = time.time()
        super().__init__(application)
        self.pages = json.loads(os.environ.pop(_HANDED_ON, "{}"))

    def start(self) -> None:
        """Start the groups, and serve once it is known what can be served."""
        self._management.start(self.app.config.server.manage, waits="GUNICORN_PID" in os.environ)
        try:
            self._start()
        except BaseException:
            self._management.close(is_alone=not self._management.waits)
            raise

    def _start(self) -> None:
        before = signal.signal(signal.SIGTERM, _leave)  # until gunicorn handles it
        self.groups.take(self.app.config, self.cfg)
        self.groups.wait_until_settled(self.app.config, self.app.progress)
        signal.signal(signal.SIGTERM, before)
        self.app.fail_also(self.groups.broken)
        if self.cfg.pidfile:  # which says where to ask
            questions = Questions(self, self._management)
            self._control = Control(self.groups.places.folder / "control.sock", questions.answers)
            self.control_path = str(self._control.path)
            self._management.site.ask = partial(ask, self._control.path, os.getpid())
            self._management.site.check = questions.check
        super().start()

    def _within(self, seconds: float) -> float:
        """Return how long to wait for signals: what groups report comes without one."""
        seconds = min(seconds, max(self._drained_at - time.monotonic(), 0.0))
        if self._control is not None and self._control.is_awaited:
            return TICK
        is_awaited = self._management.is_on and not self.current.has_ready
        if is_awaited or (self._systemd.is_asked and not self._systemd.is_ready):  # workers report without a signal
            return TICK
        seconds = self._systemd.within(seconds)
        if self.groups.groups:
            seconds = min(seconds, TICK if self.groups.are_starting else _LOOK)
        return super()._within(seconds)

    def close_others(self) -> None:
        """In a new worker, close what concerns the master alone."""
        super().close_others()
        self.groups.close_here()
        self._management.close_here()
        if self._control is not None:
            self._control.close()

    def reap_workers(self) -> None:
        """Look after the groups before gunicorn takes note of any process that has ended."""
        self.groups.look()
        super().reap_workers()
        self._management.beat()
        self._management.totals.end_others(self.WORKERS)

    def start_worker(self, generation: Generation) -> int:
        """Start a worker, and remember what it counts in."""
        counts = self.app.counts = self._management.counts_for(generation.application.config)
        pid = super().start_worker(generation)
        self._management.begin(pid, counts)
        if self._is_draining:
            generation.members[pid].drain()
        return pid

    @property
    def _is_draining(self) -> bool:
        return self._drained_at < math.inf

    @property
    def _is_alone(self) -> bool:
        """Whether there is no other master."""
        return not (self.reexec_pid or self.master_pid)

    def handle_term(self) -> None:
        """Stop; with `drain_seconds` only after these, unless there is a second signal, or a second master."""
        seconds = self.app.config.server.drain_seconds
        if not seconds or self._is_draining or self.reexec_pid:
            super().handle_term()
        self.log.info("Serving on for %s s while /readyz says 503. A second TERM stops at once.", seconds)
        self._drained_at = time.monotonic() + seconds
        self._management.state.is_stopping = True
        for generation in (self.current, self.candidate):
            for member in generation.members.values() if generation else ():
                member.drain()

    def manage_workers(self) -> None:
        """Keep the number of workers, and say what became of a reload once the groups are through, too."""
        if time.monotonic() >= self._drained_at:
            raise StopIteration
        super().manage_workers()
        if self._control is not None:
            self._control.look()
        if not self.candidate and not self.leaving:
            self.groups.end_others()
        if self._refusal is not None and self.groups.are_settled:
            refusal, self._refusal = self._refusal, None
            self.groups.keep_only(self.app.config)
            if not self._asked:
                self._conclude("\n".join([*([f"{REFUSED}\n{refusal}"] if refusal else []), *self._refused_by_groups()]))
        if self._systemd.is_asked and not self.master_pid:  # a second master says nothing before it is the first
            self._report()
        if not self.master_pid:
            self._management.take_over()
        if self._management.is_on:
            self._take_raised_by_groups()
            status = describe_server(self, measure=lambda _: 0)
            origins = self.app.origins_of(self.current.listeners)
            self._management.look(status, self.app.config, origins, is_serving=self.current.has_ready)

    def take_raised(self, pid: int, found: list[Any]) -> None:
        """Show what a worker has logged."""
        self._management.state.tracebacks.add(found, pid)

    def _take_raised_by_groups(self) -> None:
        for name, pid, found in self.groups.take_raised():
            self._management.state.tracebacks.add(found, pid, name)

    def _report(self) -> None:
        """Report to systemd."""
        if self._systemd.is_ready:
            self._systemd.look(self._status)
        elif self.current.members and self.current.is_ready:
            self._systemd.ready(self._status)

    @property
    def _status(self) -> str:
        return describe([mount.name for mount in self.app.config.mounts], self._broken())

    def reload(self) -> None:
        """Reload, and report to systemd that one begins."""
        if self._is_draining:
            self.log.info("The server is stopping, and does not reload.")
            return
        super().reload()
        if self._systemd.is_ready:
            self._systemd.reloading()

    def _conclude(self, refusal: str) -> None:
        super()._conclude(refusal)
        self._management.note_reload(refusal)
        if self._systemd.is_ready:
            self._systemd.ready(self._status)

    def reexec(self) -> None:
        """Start a second master, which has the same mounts in maintenance, and which systemd is to watch later."""
        kept = {_HANDED_ON: json.dumps(self.pages)}
        kept |= self._management.hand_on()
        self.cfg.env_orig = {**self.cfg.env_orig, **self._systemd.variables, **kept}
        super().reexec()

    def _refused_by_groups(self) -> list[str]:
        return [
            f"the process of the group {name} stays as it was:\n{why}" for name, why in self.groups.refusals.items()
        ]

    def _prepare(self) -> Generation:
        served = self._served()
        generation = super()._prepare()
        application = generation.application
        config = application.config
        self._management.prepare(config.server.manage)
        self.groups.take(config, application.cfg)
        required = {each.name for each in config.mounts if each.group and (each.required or config.server.strict)}
        self._expected = served.intersection(mount.name for mount in config.mounts) | required
        return generation

    def _served(self) -> set[str]:
        """Return the names of the mounts that can be served now."""
        return set(self.current.serves).difference(self.groups.broken)

    def _may_swap(self, candidate: Generation) -> bool:
        """Let the new workers take over once the groups that are new can serve what has been served before."""
        if not self.groups.are_settled and time.monotonic() < candidate.deadline:
            return False
        broken = self.groups.broken
        if lost := [f"{name}: {broken[name]}" for name in self._expected if name in broken]:
            self._refuse("\n".join(lost))
        return not lost

    def _swap(self, candidate: Generation) -> None:
        super()._swap(candidate)
        self._management.switch(self.app.config.server.manage, is_alone=self._is_alone)

    def _refuse(self, reason: str) -> None:
        super()._refuse(reason)
        self._management.stay()
        self.groups.keep_only(self.app.config)  # none of the new workers has asked the new groups for anything

    def _finish(self, refusal: str) -> None:
        self._refusal = refusal

    def _broken(self) -> list[str]:
        return [*super()._broken(), *self.groups.broken]

    def handle_usr1(self) -> None:
        """Have the groups reopen their logs as well."""
        self.groups.signal(signal.SIGUSR1)
        super().handle_usr1()

    def stop(self, graceful: bool = True) -> None:  # noqa: FBT001, FBT002 (gunicorn's)
        """Stop the workers in front, then the groups: no request that was taken is lost."""
        deadline = time.monotonic() + self.cfg.graceful_timeout
        self._systemd.stopping(self.reexec_pid)
        self._management.state.is_stopping = not self.reexec_pid  # else a second master serves on the same addresses
        super().stop(graceful)
        if os.getpid() == self.pid:
            self.groups.stop(max(deadline - time.monotonic(), 1.0) if graceful else 0.0)

    def halt(self, *args: Any, **options: Any) -> None:
        """Stop everything, the management listener last: until then it says that the server stops."""
        try:
            super().halt(*args, **options)
        finally:
            if os.getpid() == self.pid:
                self._management.close(is_alone=self._is_alone)


def _leave(number: int, _: object) -> NoReturn:
    """End this process as the signal would, but not before the groups and their folder are gone."""
    sys.exit(128 + number)

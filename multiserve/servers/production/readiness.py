"""What a new worker reports to the master, and what it waits for, before it may serve."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterable, Mapping
from socket import socket
from types import MappingProxyType
from typing import Any, Literal, NoReturn

from multiserve.composition import Composition, refuse_failures
from multiserve.errors import LoadError
from multiserve.servers.groups.line import Line
from multiserve.servers.production.raised import Raised
from multiserve.tracebacks import format_cause

REFUSED = 5  # the exit code of a worker that would serve less than the others; gunicorn's own are 1, 3 and 4
Kind = Literal["ready", "refused", "mistaken", "exhausted", "maintained", "raised"]
_LOOK = 1.0  # seconds between two looks whether the master is still there


class Readiness:
    """The readiness of one worker, and its socket to the master.

    Attributes:
        expected: The keys of mounts that other workers serve: this one must not answer 503 for them.
        may_refuse: A required mount that fails refuses the start, or the reload, to which the worker belongs.
        waits: The worker may not serve before all workers of its generation can.
        pages: The file with the page of each mount in maintenance, by its name; empty for the page that all have.
        raised: The exceptions that are reported as well; None where nobody looks at them.
        maintain: Put mounts in maintenance, given the same; what serves sets it.
        end_connections: Let each response be the last one of its connection; what serves sets it.
    """

    def __init__(
        self,
        line: socket | None = None,
        *,
        expected: Iterable[str] = (),
        may_refuse: bool = False,
        waits: bool = False,
        pages: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Report over `line`; without one there is no master to report to."""
        self.line = Line(line) if line else None
        self.pages = dict(pages)
        self.raised: Raised | None = None
        self.maintain: Callable[[Mapping[str, str]], None] = lambda _: None
        self.end_connections: Callable[[], None] = lambda: None
        self.expected = frozenset(expected)
        self.may_refuse = may_refuse
        self.waits = waits

    @property
    def is_forsaken(self) -> bool:
        """Whether the master is gone."""
        return self.line is not None and self.line.has_ended

    @property
    def is_alone(self) -> bool:
        """Whether no other worker serves, so that requests wait for this one."""
        return not self.expected and not self.waits

    def judge(self, composition: Composition) -> None:
        """Exit if this worker must not serve what it has loaded."""
        lost = [loaded.error for loaded in composition.failures if loaded.mount.name in self.expected]
        if lost:
            self.refuse("\n\n".join(format_cause(error) for error in lost if error))
        if self.waits:
            try:
                refuse_failures(composition)
            except LoadError as error:
                self.refuse(error.details or str(error))

    def refuse(self, reason: str, *, is_mistake: bool = False) -> NoReturn:
        """Report why this worker must not serve, and exit.

        Args:
            reason: Why.
            is_mistake: Whether any other worker would say the same, as the settings are wrong.
        """
        self._tell("mistaken" if is_mistake else "refused", reason)
        sys.exit(REFUSED)

    def report(self, worker: Any, broken: Mapping[str, str]) -> None:
        """Report that this worker can serve all but these mounts, and later that it has reached `max_requests`.

        Args:
            worker: The worker.
            broken: Why each of the mounts answers 503, by its name.
        """
        if not getattr(worker, "reports_ready_itself", False):
            self.end_connections = lambda: worker.cfg.set("keepalive", 0)
            self.obey()
            self._obey_in_time(worker)
        self.report_again(broken)
        if self.line is not None:
            self._serve_on_after_max_requests(worker)

    def report_again(self, broken: Mapping[str, str]) -> None:
        """Report that this worker serves more mounts than before."""
        self._tell("ready", dict(broken))

    def _serve_on_after_max_requests(self, worker: Any) -> None:
        """Serve on after `max_requests` until another worker is ready, where gunicorn would stop at once."""
        limit, worker.max_requests = worker.max_requests, sys.maxsize
        notify = worker.notify

        def notify_both() -> None:
            nonlocal limit
            notify()
            if self.raised is not None and (found := self.raised.take()):
                self._tell("raised", found)
            if worker.nr >= limit:
                limit = sys.maxsize
                self._tell("exhausted")

        worker.notify = notify_both  # which every worker calls once a second

    def _obey_in_time(self, worker: Any) -> None:
        """Do what the master says within a second; our own worker does it at once."""
        notify = worker.notify

        def notify_and_obey() -> None:
            notify()
            self.obey()

        worker.notify = notify_and_obey

    def obey(self) -> bool:
        """Do what the master has said since; return whether it lets this worker serve, or is gone."""
        may_serve = False
        for kind, value in self.line.hear() if self.line else ():
            if kind == "go":
                may_serve = True
            elif kind == "maintain":
                self.pages = value
                self.maintain(value)
                self._tell("maintained", sorted(value))
            elif kind == "drain":
                self.end_connections()
        return may_serve or self.is_forsaken

    def wait(self, worker: Any) -> None:
        """Wait until the master lets this worker serve, stops it, or has ended."""
        if self.line is None or not self.waits:
            return
        while worker.alive and worker.ppid == os.getppid():
            # gunicorn writes a byte into the worker's own pipe for each signal.
            readable, _, _ = select.select([self.line, worker.PIPE[0]], [], [], _LOOK)
            if self.line in readable:
                if self.obey():
                    return
            elif readable:
                os.read(worker.PIPE[0], 4096)

    def _tell(self, kind: Kind, value: object = None) -> None:
        if self.line is not None:
            self.line.tell(kind, value)

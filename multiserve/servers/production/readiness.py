"""What a new worker reports to the master, and what it waits for, before it may serve."""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys
from collections.abc import Iterable, Mapping
from socket import socket
from typing import Any, Literal, NoReturn

from multiserve.composition import Composition, refuse_failures
from multiserve.errors import LoadError
from multiserve.tracebacks import format_cause

REFUSED = 5  # the exit code of a worker that would serve less than the others; gunicorn's own are 1, 3 and 4
Kind = Literal["ready", "refused", "mistaken", "exhausted"]
_LOOK = 1.0  # seconds between two looks whether the master is still there


class Readiness:
    """The readiness of one worker, and its socket to the master.

    Attributes:
        expected: The keys of mounts that other workers serve: this one must not answer 503 for them.
        may_refuse: A required mount that fails refuses the start, or the reload, to which the worker belongs.
        waits: The worker may not serve before all workers of its generation can.
    """

    def __init__(
        self,
        line: socket | None = None,
        *,
        expected: Iterable[str] = (),
        may_refuse: bool = False,
        waits: bool = False,
    ) -> None:
        """Report over `line`; without one there is no master to report to."""
        self.line = line
        self.expected = frozenset(expected)
        self.may_refuse = may_refuse
        self.waits = waits

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
            if worker.nr >= limit:
                limit = sys.maxsize
                self._tell("exhausted")

        worker.notify = notify_both  # which every worker calls once a second

    def wait(self, worker: Any) -> None:
        """Wait until the master lets this worker serve, stops it, or has ended."""
        if self.line is None or not self.waits:
            return
        while worker.alive and worker.ppid == os.getppid():
            # gunicorn writes a byte into the worker's own pipe for each signal.
            readable, _, _ = select.select([self.line, worker.PIPE[0]], [], [], _LOOK)
            if self.line in readable:
                return
            if readable:
                os.read(worker.PIPE[0], 4096)

    def _tell(self, kind: Kind, value: object = None) -> None:
        if self.line is not None:
            with contextlib.suppress(OSError):  # the master is gone, or waits for nothing any more
                self.line.sendall(json.dumps([kind, value]).encode() + b"\n")

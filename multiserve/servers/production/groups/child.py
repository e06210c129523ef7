"""The process of a group: a gunicorn of its own on the socket of the group, which reports to the master in front."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn

from multiserve.errors import ConfigError, MultiserveError
from multiserve.mounts.grouped.arrival import arrive_asgi, arrive_wsgi
from multiserve.servers.engine.release import check_release
from multiserve.servers.groups.limits import limit_open_files
from multiserve.servers.groups.line import Line
from multiserve.servers.groups.places import remove_folder_of
from multiserve.servers.groups.reading import Reading
from multiserve.servers.production.application import GunicornApplication
from multiserve.servers.production.groups.memory import resident
from multiserve.servers.production.held_signals import held_signals
from multiserve.servers.production.reload import TICK, SwappingArbiter

_FIRST = 3  # the descriptor at which systemd's protocol begins: sd_listen_fds(3)
_LOOK = 0.5  # seconds between two looks at the line


def main() -> None:
    """Serve a group: the arguments are the descriptors of the line and of the socket."""
    line_descriptor, listener = map(int, sys.argv[1:3])
    # Programs that the applications start must not have it, nor may it be where the socket has to be.
    line = Line(socket.socket(fileno=fcntl.fcntl(line_descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST + 1)))
    os.close(line_descriptor)
    message = line.wait()
    if message is None:  # the master has ended
        return
    order: dict[str, Any] = message[1]
    _hand_over(listener)
    sys.argv[1:] = [f"group {order['group']}"]  # what tools show
    try:
        _serve(line, order)
    except Exception as error:
        if not isinstance(error, MultiserveError):
            line.tell("refused", {"reason": f"{type(error).__name__}: {error}", "is_mistake": False})
            raise
        _refuse(line, error.details or str(error), is_mistake=isinstance(error, ConfigError), code=error.exit_code)


def _hand_over(listener: int) -> None:
    """Hand the socket to gunicorn by systemd's protocol: it leaves its file alone then."""
    if listener != _FIRST:
        os.dup2(listener, _FIRST)
        os.close(listener)
    os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}


def _refuse(line: Line, reason: str, *, is_mistake: bool, code: int) -> NoReturn:
    line.tell("refused", {"reason": reason, "is_mistake": is_mistake})
    sys.exit(code)


def _serve(line: Line, order: Mapping[str, Any]) -> None:
    reading, name = Reading.from_json(order), order["group"]
    limit_open_files(order["files"], name)
    check_release()
    level = reading.values.get("log_level")
    overrides = {"loglevel": level} if level else {}
    with held_signals() as release:
        application = GroupApplication(
            partial(reading.read_group, name), overrides, lambda *_: release(), tries_first=False
        )
        arbiter = GroupArbiter(application, line, waits=order["waits"])
        arbiter.run()


class GroupApplication(GunicornApplication):
    """The mounts of a group, whose requests come from the process in front."""

    def load(self) -> Any:
        """Load the application."""
        application = super().load()
        interface = self._composition.interface if self._composition else "asgi"
        application.surround(arrive_asgi if interface == "asgi" else arrive_wsgi)
        return application


class GroupArbiter(SwappingArbiter):
    """Reports to the master in front, and does what that says."""

    def __init__(self, application: GroupApplication, line: Line, *, waits: bool) -> None:
        """Prepare to serve.

        Args:
            application: The group.
            line: The line to the master.
            waits: Whether to wait, once the workers are ready, until the master lets them serve.
        """
        self._line = line
        self._waits = waits
        self._reported: tuple[object, ...] = ()
        self._workers: list[int] = []
        super().__init__(application)

    def start(self) -> None:
        """Take over the socket."""
        super().start()
        self.current.waits = self._waits

    def _within(self, seconds: float) -> float:
        """Return how long to wait for signals: the master says over the line what it wants."""
        return min(super()._within(seconds), TICK if not self._reported or self.current.waits else _LOOK)

    def close_others(self) -> None:
        """In a new worker, close what concerns this process alone."""
        super().close_others()
        self._line.close()

    def manage_workers(self) -> None:
        """Keep the number of workers, and report."""
        self._replace_heavy()
        super().manage_workers()
        self._report()
        for kind, _ in self._line.hear():
            if kind == "go":
                self._admit()
        if self._line.has_ended and not self.is_halting:
            self.log.info("The process in front has ended.")
            os.kill(os.getpid(), signal.SIGTERM)

    def take_raised(self, pid: int, found: list[Any]) -> None:
        """Hand on what a worker has logged."""
        self._line.tell("raised", [pid, found])

    def _report(self) -> None:
        workers = list(self.current.members)
        if workers != self._workers:
            self._workers = workers
            self._line.tell("workers", workers)
        current = self.current
        state = (id(current), tuple(current.reasons.items()))
        if workers and current.is_ready and state != self._reported:
            self._reported = state
            self._line.tell("ready", current.reasons)

    def _admit(self) -> None:
        self.current.waits = False
        for member in self.current.members.values():
            member.admit()

    def _end_for_mistake(self, reason: str) -> None:
        if not self.current.has_ready and not self.is_halting:
            self._line.tell("refused", {"reason": reason, "is_mistake": True})
            self.halt(exit_status=ConfigError.exit_code)

    def _pause(self, what: str, why: str = "") -> None:
        super()._pause(what, why)
        if not self.current.has_ready and not self.is_halting:
            self._reported = ()
            self._line.tell("failing", why or what)

    def halt(self, *args: Any, **options: Any) -> None:
        """Stop everything, and report why, if that was not asked for.

        Where the process in front has been killed, nobody else removes the folder of the sockets.
        """
        if self._line.has_ended:
            remove_folder_of(self.LISTENERS[0].getsockname())
        reason = args[0] if args else options.get("reason")
        if reason:
            self._line.tell("refused", {"reason": f"{reason} The log says why.", "is_mistake": False})
        super().halt(*args, **options)

    def _finish(self, refusal: str) -> None:
        super()._finish(refusal)
        if not self._asked:
            self._report()
            self._line.tell("reloaded", refusal)

    def _replace_heavy(self) -> None:
        """Have each worker replaced that takes more memory than the group may."""
        most = self.app.config.groups[self.app.config.group].max_memory
        for pid, member in self.current.members.items() if most else ():
            if not member.has_reached_max_requests and member.serves is not None and resident(pid) > most:
                member.has_reached_max_requests = True
                self.log.warning("Worker (pid:%s) takes more than max_memory, and is being replaced.", pid)

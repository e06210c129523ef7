"""The process of a group that is asked about its mounts, as the process that asks has it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from socket import socketpair
from typing import Any

from multiserve._types import Interface
from multiserve.config.groups import Group
from multiserve.config.model import Config
from multiserve.config.mounts import Mount
from multiserve.errors import ConfigError, Problem, UnlocatedError
from multiserve.frameworks.reading import salt
from multiserve.servers.ends import describe_end
from multiserve.servers.groups.interpreters import start_by
from multiserve.servers.groups.line import Line
from multiserve.servers.groups.users import become
from multiserve.survey.values import from_plain

_CHILD = "multiserve.survey.child:main"
_PATIENCE = 5.0  # seconds for a process to end whose line has ended, or that nobody asks any more
_LOOK = 0.5  # seconds between two looks whether the process is there at all
_LONGEST_ANSWER = 60.0  # seconds, more than any time limit of a probe


class EndedError(UnlocatedError):
    """The process has ended, or does not answer; the text says how, without its name."""

    usual_hint = ""


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the mounts of a group, or of those without a group, which are loaded once more; what they print is lost.

    Attributes:
        mounts: The mounts.
        interface: The interface that their composition has to have; None if that follows from them.
    """

    mounts: tuple[Mount, ...]
    interface: Interface | None


class GroupProcess:
    """The process of a group.

    Attributes:
        name: What messages call it.
        mounts: Its mounts.
        loading: The mount that it was loading when it was last heard of; None before and after all of them.
    """

    def __init__(
        self, config: Config, group: Group, environ: Mapping[str, str], *, production: bool, part: Part | None = None
    ) -> None:
        """Start it.

        Args:
            config: The configuration of all processes.
            group: The group.
            environ: All environment variables of this process before the configuration has set any.
            production: Whether to look at the mounts as production would serve them.
            part: What it has of the group; all mounts by default.

        Raises:
            EndedError: It cannot be started.
            InterpreterError: Its interpreter cannot be used.
        """
        self.name = f'the process of the group "{group.name}"'
        self.mounts = part.mounts if part else group.mounts_of(config.mounts)
        self.loading: Mount | None = None
        self._config = config
        self._group = group
        self._production = production
        self._part = part
        self._heard: deque[tuple[str, Any]] = deque()
        start, variables = start_by(group, _CHILD, environ)
        ours, theirs = socketpair()
        lives, alive = os.pipe()
        self._alive: int | None = alive
        descriptors = (theirs.fileno(), lives)
        try:
            self._process = self._start([*start, *map(str, descriptors)], variables, descriptors)
        except OSError as error:
            ours.close()
            os.close(alive)
            raise EndedError(f"cannot be started: {error.strerror}: {error.filename}") from error
        finally:
            theirs.close()
            os.close(lives)
        self._line = Line(ours)

    def _start(
        self, command: list[str], variables: Mapping[str, str], descriptors: tuple[int, int]
    ) -> subprocess.Popen[bytes]:
        output = subprocess.DEVNULL if self._part else None  # the mounts have printed it before
        return subprocess.Popen(  # noqa: S603 (our own command)
            command,
            env=variables,
            cwd=self._group.directory or self._config.folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=descriptors,
            start_new_session=True,  # what is typed in the terminal is for this process
            **become(self._group.user),
        )

    def report(self, progress: Callable[[Mount], AbstractContextManager[object]], *, checks: bool) -> dict[str, Any]:
        """Have it load its mounts, and return what it reports.

        Args:
            progress: Show that a mount is being loaded.
            checks: Whether to run the checks that look at one process.

        Raises:
            ConfigError: Its part of the configuration is wrong.
            EndedError: It has ended, or takes longer than `startup_timeout`.
        """
        self._line.tell("look", self._order(checks=checks))
        seconds = self._config.server.startup_timeout
        late = EndedError(
            f"was ended after {seconds} seconds",
            "If its applications need longer, raise startup_timeout under [server].",
        )
        deadline = time.monotonic() + seconds
        with contextlib.ExitStack() as shown:
            while True:
                kind, value = self._next(deadline, late)
                shown.close()
                if kind == "report":
                    self.loading = None
                    found: dict[str, Any] = value
                    return found
                if kind == "refused":
                    self._refuse(value)
                if kind == "loading":
                    self.loading = next(mount for mount in self.mounts if mount.name == value)
                    shown.enter_context(progress(self.loading))

    def _order(self, *, checks: bool) -> dict[str, Any]:
        source = self._config.source
        return {
            "path": str(source.path),
            "targets": source.targets,
            "group": self._group.name,
            "mounts": [mount.name for mount in self.mounts],
            "production": self._production,
            "engine": self._config.engine,
            "interface": self._part and self._part.interface,
            "checks": checks,
            "settings": checks and self._group.python is not None,
            "salt": salt().hex(),
        }

    def _refuse(self, value: Mapping[str, Any]) -> None:
        """Raise what it has found wrong, which may be so in its interpreter alone."""
        problems = [from_plain(Problem, each) for each in value["problems"]]
        if not value["is_mistake"]:
            raise EndedError("; ".join(problem.message for problem in problems))
        key = self._group.toml_key
        told = [
            each
            if each.key.startswith(key)
            else Problem(key=each.key, message=f"{each.message}, in {self.name}", hint=each.hint, excerpt=each.excerpt)
            for each in problems
        ]
        raise ConfigError(*told, source=self._config.source.heading)

    def call(self, kind: str, **value: Any) -> Any:
        """Ask something, and return the answer.

        Raises:
            EndedError: It has ended, or does not answer.
        """
        self._line.tell(kind, value)
        _, answer = self._next(time.monotonic() + _LONGEST_ANSWER, EndedError("does not answer any more"))
        return answer

    def _next(self, deadline: float, late: EndedError) -> tuple[str, Any]:
        """Wait for its next message; after the deadline, end it and raise `late`."""
        while not self._heard:
            if self._line.has_ended:
                raise EndedError(self._end_of())
            left = deadline - time.monotonic()
            if left <= 0:
                self.kill()
                raise late
            has_ended = self._process.poll() is not None  # before the look: what it has said is heard first
            if select.select([self._line], [], [], min(left, _LOOK))[0]:
                self._heard.extend(self._line.hear())
            elif has_ended:  # what it has forked still has the line
                raise EndedError(self._end_of())
        return self._heard.popleft()

    def _end_of(self) -> str:
        try:
            return describe_end(self._process.wait(_PATIENCE))
        except subprocess.TimeoutExpired:
            self.kill()
            return "has closed its line"

    def let_go(self) -> None:
        """Have it end in good order."""
        self._line.close()

    def end(self) -> None:
        """Wait until it has ended in good order, but not for long."""
        self.let_go()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
        self.kill()
        if self._alive is not None:
            os.close(self._alive)
            self._alive = None

    def kill(self) -> None:
        """End it at once, with all that it has started in its session."""
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

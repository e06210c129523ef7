"""All groups, as the master of the process in front has them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from multiserve.config.env_files import read_env_files
from multiserve.config.groups import Group
from multiserve.config.model import Config
from multiserve.config.mounts import GroupedMount, Mount
from multiserve.config.processes import for_front
from multiserve.config.tables import did_you_mean
from multiserve.errors import ConfigError, LoadError, Problem, ServeError
from multiserve.interpreters.interpreter import InterpreterError
from multiserve.servers.groups.interpreters import start_by
from multiserve.servers.groups.places import Places
from multiserve.servers.groups.reading import Reading
from multiserve.servers.production.groups.process import CHILD, Start
from multiserve.servers.production.groups.supervised import SupervisedGroup

_TICK = 0.02  # seconds
_AT_ONCE = 2.0  # seconds for the applications to shut down when everything is to end at once
# Variables by which sockets are handed over, by systemd or by gunicorn for SIGUSR2: they are for the process in front.
_OF_THE_FRONT = ("GUNICORN_FD", "GUNICORN_PID", "LISTEN_")


class Groups:
    """Starts, watches and ends the processes of groups.

    Attributes:
        places: Where they listen.
        groups: Each group, by its name and those of its mounts.
        reading: What the configuration is read from, by the groups as well.
    """

    def __init__(self, reading: Reading, environ: Mapping[str, str], log: Any) -> None:
        """Supervise no group yet.

        Args:
            reading: What the configuration is read from.
            environ: The environment variables of this process before the configuration has set any.
            log: The logger of the server.
        """
        self.places = Places()
        self.groups: dict[str, SupervisedGroup] = {}
        self.reading = reading
        self._environ = {name: value for name, value in environ.items() if not name.startswith(_OF_THE_FRONT)}
        self._log = log
        self._owner = os.getpid()
        self._others: list[SupervisedGroup] = []  # which the configuration has no more, and old workers still know
        self._ending: list[SupervisedGroup] = []

    def read(self) -> Config:
        """Read the configuration of the process in front.

        Raises:
            ConfigError: It is wrong.
            ServeError: There is no room for the socket of a group.
        """
        config = self.reading.read()
        keys = {name: _key(name, mounts) for name, mounts in _by_group(config.mounts).items()}
        return for_front(config, {name: str(self.places.place(key).path) for name, key in keys.items()})

    def foresee(self, config: Config, graceful_timeout: float) -> dict[str, str]:
        """Return what a reload would do with each process: it is "started", "replaced", "reloaded" or "ended".

        Raises:
            ConfigError: The interpreter of a group cannot be used.
        """
        names = [each.group.name for each in self.running]
        wanted, environ, found = _by_group(config.mounts), self._environ_for(config), {}
        for name, mounts in wanted.items():
            running, group = self.groups.get(_key(name, mounts)), config.groups[name]
            try:
                start = self._start(config, group, environ, graceful_timeout)
            except InterpreterError as error:
                raise ConfigError(error.at(f"{group.toml_key}.python"), source=config.source.heading) from None
            is_same = running is not None and not running.needs_other(start)
            found[name] = "reloaded" if is_same else "replaced" if name in names else "started"
        return found | {name: "ended" for name in names if name not in wanted}

    def take(self, config: Config, settings: Any) -> None:
        """Start the groups of a configuration, and have those that run already load their applications again.

        A group whose mounts have changed is another one, and starts beside the one of its name: the workers in front
        know either the one or the other. `keep_only` and `end_others` end what nobody needs any more.

        Args:
            config: The configuration of the process in front.
            settings: gunicorn's settings of that process.
        """
        self._owner = self.places.owner = os.getpid()
        if settings.uid != os.geteuid():
            self.places.open_to(settings.uid, settings.gid)
        graceful_timeout = settings.graceful_timeout
        environ = self._environ_for(config)
        for name, mounts in _by_group(config.mounts).items():
            group, key = config.groups[name], _key(name, mounts)
            find_start = partial(self._start, config, group, environ, graceful_timeout)
            if key in self.groups:
                self.groups[key].reload(find_start, group)
            else:
                self.groups[key] = SupervisedGroup(group, find_start, self.places.place(key), mounts, self._log)
        self.look()

    def reload(self, name: str, graceful_timeout: float) -> SupervisedGroup:
        """Have one group read the configuration and load its applications again.

        Raises:
            ConfigError: The configuration is wrong.
            ServeError: There is no such group, or it has other mounts now.
        """
        running = self.find(name)
        config = self.reading.read()
        mounts = _by_group(config.mounts).get(name, ())
        if set(mounts) != set(running.mounts):
            hint = 'Type "multiserve reload", which reloads everything.'
            raise ServeError(Problem(message=f"the mounts of the group {name} have changed", hint=hint))
        group = config.groups[name]
        running.reload(partial(self._start, config, group, self._environ_for(config), graceful_timeout), group)
        return running

    def restart(self, name: str) -> SupervisedGroup:
        """Start a new process of a group, which takes the place of the one that serves.

        Raises:
            ServeError: There is no such group.
        """
        group = self.find(name)
        group.restart()
        return group

    def find(self, name: str) -> SupervisedGroup:
        """Return a group by its name.

        Raises:
            ServeError: There is none.
        """
        names = {group.group.name: group for group in self.running}
        if name not in names:
            hint = did_you_mean(name, names) if names else "No mount of the configuration is in a group."
            raise ServeError(Problem(message=f'there is no group "{name}"', hint=hint))
        return names[name]

    def keep_only(self, config: Config) -> None:
        """Give up the groups that a configuration has not; they serve on until `end_others`."""
        wanted = {_key(name, mounts) for name, mounts in _by_group(config.mounts).items()}
        for key in [key for key in self.groups if key not in wanted]:
            self._others.append(self.groups.pop(key))
            self.places.forget(key)  # the group comes back to another one
        self.places.keep_only(wanted)

    def end_others(self) -> None:
        """Stop the groups that were given up: no worker is left that may ask them for anything."""
        for group in self._others:
            group.stop()
        self._ending += self._others
        self._others.clear()

    def _environ_for(self, config: Config) -> dict[str, str]:
        """Return the environment variables of all groups, with those of the files as they are now."""
        return {**read_env_files(config.env_files), **self._environ}

    def _start(self, config: Config, group: Group, environ: Mapping[str, str], graceful_timeout: float) -> Start:
        command, variables = start_by(group, f"{CHILD}:main", environ)
        return Start(
            command=command,
            environ=variables,
            directory=group.directory or config.folder,
            user=group.user,
            order={**self.reading.as_json(), "graceful_timeout": graceful_timeout, "files": group.max_open_files},
        )

    def wait_until_settled(self, config: Config, progress: Callable[[Mount], AbstractContextManager[object]]) -> None:
        """Wait until it is known which mounts can be served, but for no longer than `startup_timeout`.

        Raises:
            ConfigError: A group's own settings are wrong.
            LoadError: A mount that is required cannot be served.
        """
        deadline = time.monotonic() + config.server.startup_timeout
        for mount in config.mounts:
            if isinstance(mount, GroupedMount):
                group = self._group_of(mount)
                with progress(mount.mount):
                    while not group.is_settled and time.monotonic() < deadline:
                        self.look()
                        time.sleep(_TICK)
        self._refuse(config)

    def _group_of(self, mount: Mount) -> SupervisedGroup:
        return next(group for group in self.groups.values() if mount.name in group.mounts)

    def _refuse(self, config: Config) -> None:
        mistakes = [group.failure for group in self.groups.values() if group.is_mistaken]
        if mistakes:
            raise ConfigError(*(Problem(message=each) for each in mistakes))
        broken = self.broken
        required = [mount for mount in config.mounts if mount.required or config.server.strict]
        if lost := [mount for mount in required if mount.name in broken]:
            raise LoadError(*(Problem(key=mount.toml_key, message=broken[mount.name]) for mount in lost))

    @property
    def broken(self) -> dict[str, str]:
        """Why each mount of a group that answers 503 does so."""
        return {name: why for group in self.running for name, why in group.broken.items()}

    @property
    def running(self) -> list[SupervisedGroup]:
        """The groups of the configuration."""
        return list(self.groups.values())

    def take_raised(self) -> Iterator[tuple[str, int, list[object]]]:
        """Yield the group and the process of exceptions that were logged since the last time, and these."""
        for group in self.running:
            if process := group.current:
                found, process.reported.raised = process.reported.raised, []
                yield from ((group.group.name, *each) for each in found)

    @property
    def _all(self) -> list[SupervisedGroup]:
        return [*self.groups.values(), *self._others, *self._ending]

    @property
    def are_settled(self) -> bool:
        """Whether nothing is under way that was asked for."""
        return all(group.outcome is not None and group.is_settled for group in self.running)

    @property
    def refusals(self) -> dict[str, str]:
        """Why what was asked for last was refused, for each group where it was."""
        return {group.group.name: group.outcome for group in self.running if group.outcome}

    @property
    def are_starting(self) -> bool:
        """Whether something is to be heard of soon."""
        return any(group.is_starting for group in self._all)

    def look(self) -> None:
        """Hear what all processes report, and start, end and replace them."""
        for group in self._all:
            group.look()
        for group in [group for group in self._ending if group.is_stopped]:
            self._ending.remove(group)
            group.place.close()

    def signal(self, number: int) -> None:
        """Send a signal to all processes."""
        for group in self._all:
            group.signal(number)

    def stop(self, seconds: float) -> None:
        """Stop all processes in good order within that many seconds; does nothing in a forked process.

        Args:
            seconds: After them they are killed; 0 is for an end at once, of which the applications are told all the
                same.
        """
        if self._owner != os.getpid():
            return
        for group in self._all:
            group.stop(signal.SIGTERM if seconds else signal.SIGINT)
        deadline = time.monotonic() + (seconds or _AT_ONCE)
        while any(not group.is_stopped for group in self._all) and time.monotonic() < deadline:
            for group in self._all:
                group.look()
            time.sleep(_TICK)
        for group in self._all:
            group.kill()
        for group in (*self._others, *self._ending):
            group.place.close()
        for groups in (self.groups, self._others, self._ending):
            groups.clear()
        self.places.close()

    def close_here(self) -> None:
        """In a new worker, close what concerns the master alone: who has it keeps it open for all."""
        for group in self._all:
            group.close_lines()
            group.place.listener.close()


def _by_group(mounts: Iterable[Mount]) -> dict[str, tuple[str, ...]]:
    """Return the names of the mounts of each group that has any."""
    found: dict[str, tuple[str, ...]] = {}
    for mount in mounts:
        if mount.group:
            found[mount.group] = (*found.get(mount.group, ()), mount.name)
    return found


def _key(name: str, mounts: Iterable[str]) -> str:
    return "\n".join((name, *sorted(mounts)))

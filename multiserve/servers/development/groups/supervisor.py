"""All groups, as the parent of a development server has them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from multiserve.config.env_files import read_env_files
from multiserve.config.groups import Group
from multiserve.config.model import Config
from multiserve.errors import LoadError, Problem, raise_for
from multiserve.interpreters.interpreter import InterpreterError
from multiserve.servers.development.debugger import Debugger, use_debugger
from multiserve.servers.development.groups.reading import files_of_all, read_all, used_groups
from multiserve.servers.development.groups.start import Start, start_of
from multiserve.servers.development.groups.supervised import SupervisedGroup
from multiserve.servers.development.groups.waiting import WaitingProcesses
from multiserve.servers.groups.places import Places
from multiserve.servers.groups.reading import Reading
from multiserve.servers.stamps import Stamp, stamps_of

_PIN = "WERKZEUG_DEBUG_PIN"


class Groups:
    """Starts and ends the processes of groups, and holds their sockets.

    Attributes:
        stamps: The files that the configuration was read from, as they were before.
    """

    def __init__(self, reading: Reading, tell: Callable[[str], None], *, debugger: bool | None = None) -> None:
        """Start nothing yet.

        Args:
            reading: What the configuration is read from, by the groups as well.
            tell: Print a message in the terminal.
            debugger: Whether the command line turns the debugger on; None if it does not say.
        """
        self._reading = reading
        self._tell = tell
        self._debugger = debugger
        self._places = Places()
        self._waiting = WaitingProcesses()
        self._groups: dict[str, SupervisedGroup] = {}
        self._leaving: list[SupervisedGroup] = []
        self._address: tuple[str, int] | None = None
        self._starts: dict[str, Start] = {}
        self._files: list[str] = []
        self.stamps: dict[str, Stamp] = {}

    def read(self) -> Config:
        """Read the configuration of all processes, and find out how each group is started.

        Raises:
            ConfigError: It is wrong; what was read before stays.
        """
        self.stamps = stamps_of(self._files)  # before it is read
        config = read_all(self._reading)
        self._files = files_of_all(config)
        self.stamps = {**stamps_of(self._files), **self.stamps}
        groups = used_groups(config)
        if groups:
            self._share_pin(config)
        self._starts = self._find_starts(config, groups)
        return config

    def _find_starts(self, config: Config, groups: Collection[Group]) -> dict[str, Start]:
        if self._address is None:  # the first one stays
            self._address = config.server.host, config.server.port
        order: Mapping[str, Any] = {"reading": self._reading.as_json(), "address": list(self._address)}
        environ = {**read_env_files(config.env_files), **os.environ}
        starts, problems = {}, []
        for group in groups:
            try:
                starts[group.name] = start_of(config, group, environ, order)
            except InterpreterError as error:
                problems.append(error.at(f"{group.toml_key}.python"))
        raise_for(problems, source=config.source.heading)
        return starts

    def sockets(self, config: Config) -> dict[str, str]:
        """Return the path of the socket of each group.

        Raises:
            ServeError: There is no room for one.
        """
        return {group.name: str(self._places.place(group.name).path) for group in used_groups(config)}

    def take(self, config: Config) -> dict[str, str]:
        """Start the groups of the configuration that was read last, also anew where one has changed, and end others.

        Args:
            config: The configuration.

        Returns:
            The path of the socket of each group.
        """
        sockets = self.sockets(config)
        for name in self._groups.keys() - sockets.keys():
            group = self._groups.pop(name)
            group.end()
            self._leaving.append(group)
            self._places.leave(name)
        self._waiting.keep_only(self._starts.values())
        for name, start in self._starts.items():
            if name in self._groups:
                self._groups[name].use(start)
            else:
                self._groups[name] = SupervisedGroup(start, self._places.place(name), self._tell, self._waiting)
        return sockets

    def _share_pin(self, config: Config) -> None:
        """Decide the PIN of the debugger for all processes: its page remembers it, whichever has asked for it."""
        if _PIN not in os.environ and use_debugger(config, asked=self._debugger) and (pin := Debugger(config).pin):
            os.environ[_PIN] = pin

    def refuse_failures(self, config: Config) -> None:
        """Wait for the groups that have mounts which must not fail, and refuse to go on if one of these has.

        Raises:
            LoadError: With the problems of these mounts.
        """
        required = [each for each in config.mounts if each.group and (each.required or config.server.strict)]
        deadline = time.monotonic() + config.server.startup_timeout
        problems = []
        for mount in required:
            broken = self._groups[mount.group].wait_until_settled(max(deadline - time.monotonic(), 0.0))
            if mount.name in broken:
                problems.append(Problem(key=mount.toml_key, message=broken[mount.name]))
        if problems:
            raise LoadError(*problems)

    def end(self) -> None:
        """Have all processes end; `stop` waits for that."""
        self._waiting.close()
        for group in (*self._groups.values(), *self._leaving):
            group.end()

    def stop(self) -> None:
        """End all processes, and wait for it."""
        self.end()
        groups = [*self._groups.values(), *self._leaving]
        try:
            for group in groups:
                group.join()
        finally:
            for group in groups:
                group.kill()
            self._places.close()

"""The process of a group: it serves its mounts on the socket of the group, and ends when its own sources change."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import werkzeug.debug  # noqa: F401

# Whatever takes long to import, and is imported only where it is needed, is needed here.
from multiserve.composition import Composition, compose
from multiserve.config.model import Config
from multiserve.errors import MultiserveError
from multiserve.mounts.grouped.arrival import arrive_asgi
from multiserve.servers.configuration import number_of
from multiserve.servers.development.asgi_server import InProcessServer, settings_of
from multiserve.servers.development.debugger import ENVIRONMENT, Debugger, use_debugger
from multiserve.servers.development.fleet_changes import FleetChanges
from multiserve.servers.development.groups.reading import files_of_all, read_group
from multiserve.servers.development.groups.state import note_ready
from multiserve.servers.development.groups.supervised import INTERRUPTED
from multiserve.servers.development.own_sources import OwnSources
from multiserve.servers.development.reloader import Reloader
from multiserve.servers.development.serving import serve_and_watch
from multiserve.servers.development.starter import Starter
from multiserve.servers.engine.release import check_release
from multiserve.servers.groups.limits import limit_open_files
from multiserve.servers.groups.line import Line
from multiserve.servers.groups.reading import Reading
from multiserve.servers.json_log import use_json
from multiserve.tracebacks import format_cause


def main() -> None:
    """Wait to be told which group this is, and serve it: the argument is the descriptor of the line."""
    end = socket.socket(fileno=int(sys.argv.pop()))
    end.set_inheritable(False)  # processes that applications start must not have it
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        _, descriptors, *_ = socket.recv_fds(end, 1, 1)
        line = Line(end)
        message = line.wait()
        if descriptors and message is not None:  # otherwise the parent has ended
            _serve(line, message[1], socket.socket(fileno=descriptors[0]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _serve(line: Line, order: Mapping[str, Any], listener: socket.socket) -> None:
    listener.set_inheritable(False)
    try:
        _Group(line, order).serve(listener)
    except MultiserveError as error:
        line.tell("refused", str(error))
        _say(f"Error: {error}")
        sys.exit(error.exit_code)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 (this process has no click)


def _write_json(config: Config) -> Callable[[str], None]:
    """Have this process write JSON, and return what writes a message."""
    log = use_json(config)
    return lambda text: log.info("%s", text.strip("\n"))


class _Group:
    """The group that this process serves."""

    def __init__(self, line: Line, order: Mapping[str, Any]) -> None:
        self._line = line
        self._order = order
        reading = Reading.from_json(order["reading"])
        self._asked: bool | None = reading.values["debugger"]
        self._level = number_of(reading.values["log_level"])
        self._say: Callable[[str], None] = _say
        host, port = order["address"]
        self._read = partial(read_group, reading, order["group"], host, port)

    def serve(self, listener: socket.socket) -> None:
        """Serve until a source changes, the parent ends, or a signal comes."""
        check_release()
        os.chdir(self._order["directory"])
        limit_open_files(self._order["files"], self._order["group"])
        logging.getLogger("multiserve").setLevel(self._level)
        config = self._read()
        if config.server.log == "json":
            self._say = _write_json(config)
        used = Debugger(config) if use_debugger(config, asked=self._asked) else None
        extras: dict[str, Any] = {"environment": ENVIRONMENT, "wrap": used.wrap} if used else {}
        load = partial(compose, config, development=True, interface="asgi", **extras)
        watch = OwnSources(config, files_of_all(config)) if config.development.reload else _Unwatched(config)
        starter = Starter(self._order["parent"], self._order["socket"])
        reloader = Reloader(config, self._check, self._say, watch, starter)
        serve_and_watch(load, FleetChanges(reloader, self._say), partial(self._make, listener))

    def _check(self) -> Config:
        config = self._read()
        use_debugger(config, asked=self._asked)
        return config

    def _make(self, listener: socket.socket, composition: Composition) -> InProcessServer:
        composition.application.surround(arrive_asgi)
        settings = settings_of(composition.config.server)
        announce = partial(self._announce, composition)
        return InProcessServer(composition.application, listener, settings, level=self._level, announce=announce)

    def _announce(self, composition: Composition) -> None:
        """Print what has failed, and report it."""
        broken = {}
        for loaded in composition.mounts:
            if loaded.error:
                self._say(f"{format_cause(loaded.error)}\n")
                broken[loaded.mount.name] = str(loaded.error)
            elif failure := composition.failure_of_start(loaded.mount.name):
                broken[loaded.mount.name] = failure
        if self._order["is_restart"]:
            for loaded in composition.mounts:
                self._say(f" * {loaded.mount.name} {'FAILED' if loaded.mount.name in broken else 'was reloaded'}")
        note_ready(self._order["socket"], broken)
        self._line.tell("ready", broken)


class _Unwatched(OwnSources):
    """Watches nothing."""

    def changes(self) -> list[str]:
        """Return nothing."""
        return []

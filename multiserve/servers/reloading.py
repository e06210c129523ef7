"""The reloader: one process holds the socket, and another serves and is started anew whenever a file changes."""

from __future__ import annotations

import contextlib
import glob
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, NoReturn

from werkzeug._reloader import StatReloaderLoop, _find_stat_paths  # `run_simple`'s own; nothing public has them
from werkzeug.serving import is_running_from_reloader

from multiserve.config import Config
from multiserve.servers.addresses import authority, bind

log = logging.getLogger(__name__)

# What the serving process ends with, from sysexits.h: 3 is a refusal of ours, and anything else is not ours.
CHANGED = 75
WRONG_CONFIGURATION = 78

_CHILD_VARIABLE = "WERKZEUG_RUN_MAIN"  # what applications, and werkzeug, look at
_SOCKET_VARIABLE = "WERKZEUG_SERVER_FD"
_ADDRESS_VARIABLE = "MULTISERVE_SUPERVISED"
_PATIENCE = 5.0  # seconds in which the process that serves has to end after a signal
_INTERVAL = 0.5  # seconds between two looks at the files


def is_supervised() -> bool:
    """Tell whether this process serves on behalf of one that holds the socket."""
    return is_running_from_reloader() and _ADDRESS_VARIABLE in os.environ


class Inherited(NamedTuple):
    """What the supervising process hands down: its socket, and the configuration as far as the socket decides it."""

    listener: socket.socket
    config: Config


def inherit(config: Config) -> Inherited:
    """Take over the socket of the supervising process; neither it nor the variables are for what we start."""
    listener = socket.socket(fileno=int(os.environ.pop(_SOCKET_VARIABLE)))
    listener.set_inheritable(False)
    host, port = json.loads(os.environ.pop(_ADDRESS_VARIABLE))
    if (config.server.host, config.server.port) != (host, port):
        log.warning("Host and port stay %s until the server is started anew.", authority(host, port))
    return Inherited(listener, replace(config, server=replace(config.server, host=host, port=port)))


def supervise(config: Config) -> NoReturn:
    """Hold the socket, start the process that serves, and start it anew for each change.

    Requests that come in between wait in the socket. A configuration that is wrong waits to be mended.
    """
    host, port = config.server.host, config.server.port
    listener = bind(host, port)
    listener.set_inheritable(True)
    environ = {
        **os.environ,
        _CHILD_VARIABLE: "true",
        _SOCKET_VARIABLE: str(listener.fileno()),
        _ADDRESS_VARIABLE: json.dumps([host, port]),
    }
    command = [sys.executable, *sys.orig_argv[1:]]
    while True:
        before = _modified(config.path)
        code = _run(command, environ)
        if code == WRONG_CONFIGURATION:
            log.warning("Waiting for a change in %s", config.path)
            while _modified(config.path) == before:
                time.sleep(_INTERVAL)
        elif code != CHANGED:
            if code:
                log.error("The process that served has ended with exit code %s.", code)
            sys.exit(code)


def _run(command: list[str], environ: dict[str, str]) -> int:
    """Run the process that serves to its end; what interrupts us ends it, and its applications get to shut down."""
    with subprocess.Popen(command, env=environ, close_fds=False) as process:  # noqa: S603 (our own command)
        try:
            return process.wait()
        except BaseException:  # KeyboardInterrupt, or SystemExit for SIGTERM
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
            raise
        finally:
            process.kill()  # does nothing where it has ended


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


class Watch(StatReloaderLoop):
    """Ends the process when a file changes or a new one appears."""

    def __init__(self, config: Config) -> None:
        """Watch the modules, the configuration and `extra_files`, as they are now."""
        super().__init__(exclude_patterns=config.development.exclude_patterns, interval=_INTERVAL)
        self.mtimes: dict[str, float] = {}
        self._config = config
        self._began = time.time()
        self.run_step()

    def run_step(self) -> None:
        """Look at every file once."""
        is_first = not self.mtimes
        for name in _find_stat_paths(set(watched_files(self._config)), self.exclude_patterns):
            try:
                modified = Path(name).stat().st_mtime
            except OSError:
                continue
            # A file that was not there before is a change if it is new; a module that is imported late is none.
            is_new = name not in self.mtimes and not is_first and self._began < modified <= time.time()
            if is_new or modified > self.mtimes.setdefault(name, modified):
                self.trigger_reload(name)

    def trigger_reload(self, filename: str) -> NoReturn:
        """End the process."""
        self.log_reload(filename)
        sys.exit(CHANGED)


def watched_files(config: Config) -> Iterator[str]:
    """Give the files to watch beside the modules: the configuration, and `extra_files` with their patterns resolved."""
    yield str(config.path)
    for pattern in config.development.extra_files:
        path = str(config.folder / pattern)
        yield from glob.glob(path, recursive=True) or [path]  # noqa: PTH207 (a pattern may be absolute)

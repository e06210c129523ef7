"""The reloader: one process holds the socket, and another serves and is started anew whenever a file changes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn

from werkzeug.serving import is_running_from_reloader, make_server

from multiserve.config.file import Config
from multiserve.dispatch.answers import Answer, ended
from multiserve.errors import ConfigError
from multiserve.hosts import authority
from multiserve.servers.addresses import bind
from multiserve.servers.development.watching import Watch
from multiserve.servers.development.wsgi_handler import RequestHandler
from multiserve.servers.development.wsgi_server import CHILD_VARIABLE, SOCKET_VARIABLE

CHANGED = 75
"""What the serving process ends with when a file has changed, from sysexits.h: 3 is a refusal of ours."""
INTERVAL = 0.25
"""Seconds between two looks at the files."""

_ADDRESS_VARIABLE = "MULTISERVE_SUPERVISED"
_PATIENCE = 5.0  # seconds in which the process that serves has to end after a signal
_POLL = 0.05  # seconds after which the server that stands in notices that it is over


def is_supervised() -> bool:
    """Tell whether this process serves on behalf of one that holds the socket."""
    return is_running_from_reloader() and _ADDRESS_VARIABLE in os.environ


class Inherited(NamedTuple):
    """What the supervising process hands down: its socket, and the address that it was bound with."""

    listener: socket.socket
    host: str
    port: int

    def keep_address(self, config: Config) -> Config:
        """Give the configuration with the address of the socket in place of its own."""
        return replace(config, server=replace(config.server, host=self.host, port=self.port))

    def describe_stay(self, config: Config) -> str:
        """Say that an address in the configuration does not count; empty where it is that of the socket."""
        if (config.server.host, config.server.port) == (self.host, self.port):
            return ""
        return f"Host and port stay {authority(self.host, self.port)} until the server is started anew."


def inherit() -> Inherited:
    """Take over the socket of the supervising process; neither it nor the variables are for what we start."""
    listener = socket.socket(fileno=int(os.environ.pop(SOCKET_VARIABLE)))
    listener.set_inheritable(False)
    host, port = json.loads(os.environ.pop(_ADDRESS_VARIABLE))
    return Inherited(listener, host, port)


def supervise(read: Callable[[], Config], config: Config, tell: Callable[[str], None]) -> NoReturn:
    """Hold the socket, start the process that serves, and start it anew for each change.

    Requests that come in between wait in the socket. When the process ends by itself, such as by os._exit in a module,
    they are told so until the next change.

    Args:
        read: Read the configuration anew.
        config: The configuration as it is now.
        tell: Tell the user in the terminal.
    """
    host, port = config.server.host, config.server.port
    listener = bind(host, port)
    listener.set_inheritable(True)
    environ = {
        **os.environ,
        CHILD_VARIABLE: "true",
        SOCKET_VARIABLE: str(listener.fileno()),
        _ADDRESS_VARIABLE: json.dumps([host, port]),
    }
    command = [sys.executable, *sys.orig_argv[1:]]
    while True:
        watch = Watch(config)  # before the start: no change is missed
        code = _run(command, environ)
        if code != CHANGED:
            how = describe_end(code)
            tell(f"The process that served {how}: waiting for a change.")
            with _standing_in(listener, ended(how)):
                while not watch.look():
                    time.sleep(INTERVAL)
        with contextlib.suppress(ConfigError):
            config = read()


def _run(command: list[str], environ: dict[str, str]) -> int:
    """Run the process that serves to its end; what interrupts us ends it, and its applications get to shut down."""
    with subprocess.Popen(command, env=environ, close_fds=False) as process:  # noqa: S603 (our own command)
        try:
            return process.wait()
        except BaseException:  # KeyboardInterrupt, or SystemExit for SIGTERM and SIGHUP
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
            raise
        finally:
            process.kill()  # does nothing where it has ended


def describe_end(code: int) -> str:
    """Say how a process has ended, given its exit code, or the number of a signal below zero."""
    if code >= 0:
        return f"has ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


class _BriefHandler(RequestHandler):
    """Leaves no connection open: a request that comes later is for the process that serves."""

    timeout = 1.0

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is inherited)
        """Log nothing: a connection without a request is no fault."""


@contextlib.contextmanager
def _standing_in(listener: socket.socket, answer: Answer) -> Iterator[None]:
    """Answer requests in place of the process that serves."""
    address, port = listener.getsockname()[:2]
    server = make_server(address, port, answer.wsgi, threaded=True, request_handler=_BriefHandler, fd=listener.fileno())
    serving = threading.Thread(target=server.serve_forever, args=(_POLL,), daemon=True)
    serving.start()
    try:
        yield
    finally:
        server.shutdown()
        serving.join()


class Reloader:
    """Decides in the process that serves when it is over: a file has changed, and the configuration can be read.

    While the configuration is wrong the last good one serves on, whatever else has changed.
    """

    def __init__(self, config: Config, check: Callable[[], object], tell: Callable[[str], None]) -> None:
        """Watch from now on.

        Args:
            config: What is served.
            check: Read the configuration anew; it raises what is wrong with it.
            tell: Tell the user in the terminal.
        """
        self.watch = Watch(config)
        self._check = check
        self._tell = tell
        self._changed = ""
        self._wrong = ""  # what was wrong with the configuration at the last look
        self._told = ""
        self._parent = os.getppid()

    def is_orphan(self) -> bool:
        """Tell whether the supervising process has gone: nobody would start this one anew, or end it."""
        return os.getppid() != self._parent

    def is_due(self) -> bool:
        """Look once at every file, and tell whether to start anew."""
        self._changed = self._changed or self.watch.look()
        if not self._changed:
            return False
        try:
            self._check()
        except ConfigError as error:
            self._tell_once(str(error))
            return False
        self._tell(f" * Detected change in {self._changed!r}, reloading")
        return True

    def _tell_once(self, wrong: str) -> None:
        """Tell what is wrong if it still is so at the second look: an editor may not have written all of it."""
        if wrong == self._wrong != self._told:
            self._told = wrong
            self._tell(f"Error: {wrong}\nThe mounts stay as they were until this is mended.")
        self._wrong = wrong

    @contextlib.contextmanager
    def while_loading(self) -> Iterator[None]:
        """Watch while the main thread loads the applications, which may take long, or for ever."""
        loaded = threading.Event()

        def look() -> None:
            while not loaded.wait(INTERVAL):
                if self.is_orphan():
                    os._exit(0)
                if self.is_due():
                    for stream in (sys.stdout, sys.stderr):
                        with contextlib.suppress(Exception):  # an application may have put anything there
                            stream.flush()
                    os._exit(CHANGED)  # an exception would be one in the application that loads

        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        try:
            yield
        finally:
            loaded.set()
            looking.join()

"""The reloader: one process holds the socket and starts another one, which serves, again for each change of a file."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn

from werkzeug.serving import is_running_from_reloader, make_server

from multiserve.config.model import Config
from multiserve.dispatch.answers import Answer, ended
from multiserve.errors import ConfigError
from multiserve.hosts import authority
from multiserve.servers.addresses import bind
from multiserve.servers.development.access_line import Answered
from multiserve.servers.development.watching import Watch
from multiserve.servers.development.wsgi_handler import RequestHandler
from multiserve.servers.development.wsgi_server import CHILD_VARIABLE, SOCKET_VARIABLE

CHANGED = 75
"""Exit code of the serving process when a file has changed; our own errors use lower ones."""
INTERVAL = 0.25
"""Seconds between two checks of the files."""

_ADDRESS_VARIABLE = "MULTISERVE_SUPERVISED"
_PATIENCE = 5.0  # seconds to wait for the end of the serving process before it is killed
_POLL = 0.05  # seconds within which the substitute server stops


def is_supervised() -> bool:
    """Return whether this is the serving process of a reloader."""
    return is_running_from_reloader() and _ADDRESS_VARIABLE in os.environ


class Inherited(NamedTuple):
    """What the serving process gets from its parent: the socket, and the address that it was bound with.

    Attributes:
        listener: The socket.
        host: The host of the configuration when it was bound.
        port: Its port.
        is_restart: Whether another process has served before this one.
        was_https: Whether that was to serve HTTPS.
    """

    listener: socket.socket
    host: str
    port: int
    is_restart: bool = False
    was_https: bool = False

    def keep_address(self, config: Config) -> Config:
        """Return the configuration with the address of the socket instead of its own."""
        return replace(config, server=replace(config.server, host=self.host, port=self.port))

    def describe_stay(self, config: Config) -> str:
        """Return a message that the new address in the configuration is not used; empty if it has not changed."""
        if (config.server.host, config.server.port) == (self.host, self.port):
            return ""
        return f"Host and port stay {authority(self.host, self.port)} until the server is started anew."


def inherit() -> Inherited:
    """Take over the socket of the parent, so that processes started from here inherit neither it nor the variables."""
    listener = socket.socket(fileno=int(os.environ.pop(SOCKET_VARIABLE)))
    listener.set_inheritable(False)
    return Inherited(listener, *json.loads(os.environ.pop(_ADDRESS_VARIABLE)))


def supervise(
    read: Callable[[], Config],
    config: Config,
    tell: Callable[[str], None],
    log_access: Callable[[Answered], None] | None = None,
    secure: Callable[[Config], ssl.SSLContext | None] = lambda _: None,
) -> NoReturn:
    """Hold the socket, start the serving process, and start it again for each change.

    Requests between two processes wait in the socket. If the process ends by itself, such as by os._exit in a module,
    they are answered with 503 until the next change.

    Args:
        read: Reads the configuration again.
        config: The configuration as it is now.
        tell: Prints a message in the terminal.
        log_access: Write a line of the access log; None for no access log.
        secure: Return what to answer over HTTPS with; None for HTTP.
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
            with _standing_in(listener, ended(how), log_access, secure(config)):
                while not watch.look():
                    time.sleep(INTERVAL)
        environ[_ADDRESS_VARIABLE] = json.dumps([host, port, True, config.development.https])
        with contextlib.suppress(ConfigError):
            config = read()


def _run(command: list[str], environ: dict[str, str]) -> int:
    """Run the serving process to its end; on an interrupt, end it, with time for its applications to shut down."""
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
    """Describe the end of a process, given its exit code, or the negative number of a signal."""
    if code >= 0:
        return f"has ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


class _BriefHandler(RequestHandler):
    """Keeps no idle connection: later requests are for the serving process."""

    timeout = 1.0

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is inherited)
        """Log nothing: a connection without a request is not an error."""


@contextlib.contextmanager
def _standing_in(
    listener: socket.socket,
    answer: Answer,
    write: Callable[[Answered], None] | None,
    ssl_context: ssl.SSLContext | None,
) -> Iterator[None]:
    """Answer every request while there is no serving process."""

    class Handler(_BriefHandler):
        log_access = write

    address, port = listener.getsockname()[:2]
    options: dict[str, Any] = {"threaded": True, "ssl_context": ssl_context, "fd": listener.fileno()}
    server = make_server(address, port, answer.wsgi, request_handler=Handler, **options)
    serving = threading.Thread(target=server.serve_forever, args=(_POLL,), daemon=True)
    serving.start()
    try:
        yield
    finally:
        server.shutdown()
        serving.join()


class Reloader:
    """Decides when the serving process ends: when a file has changed and the configuration is valid.

    While the configuration is invalid, the process keeps serving the last valid one.

    Attributes:
        watch: The files.
        take: Serve what has changed in this process, and return whether that was possible; None if it never is.
    """

    def __init__(self, config: Config, check: Callable[[], Config], tell: Callable[[str], None]) -> None:
        """Record the state of all files; `is_due` compares with it.

        Args:
            config: The configuration that is served.
            check: Reads the configuration again; raises ConfigError if it is invalid.
            tell: Prints a message in the terminal.
        """
        self.watch = Watch(config)
        self.take: Callable[[Config, Sequence[str]], bool] | None = None
        self._check = check
        self._tell = tell
        self._changed = ""
        self._wrong = ""  # the error of the configuration at the last check
        self._told = ""
        self._parent = os.getppid()

    def is_orphan(self) -> bool:
        """Return whether the parent has ended, which would restart or end this process."""
        return os.getppid() != self._parent

    def is_due(self) -> bool:
        """Check every file once, and return whether the process should be restarted."""
        if not self._changed:
            changed = self.watch.changes()
            if not changed or self._is_taken(changed):
                return False
            self._changed = changed[0]
        try:
            self._check()
        except ConfigError as error:
            self._tell_once(str(error))
            return False
        self._tell(f" * Detected change in {self._changed!r}, reloading")
        return True

    def _is_taken(self, changed: Sequence[str]) -> bool:
        """Return whether the process can serve what has changed without a restart."""
        take, self.take = self.take, None  # while it loads, a thread looks for changes, for which there is a restart
        if take is None:
            return False
        try:
            config = self._check()
            if not take(config, changed):
                return False
        except ConfigError:
            return False
        finally:
            self.take = take
        self.watch.accept(config, changed)
        return True

    def _tell_once(self, wrong: str) -> None:
        """Print an error if it is the same at two checks: an editor may not have finished writing at the first."""
        if wrong == self._wrong != self._told:
            self._told = wrong
            self._tell(f"Error: {wrong}\nThe mounts stay as they were until this is mended.")
        self._wrong = wrong

    @contextlib.contextmanager
    def while_loading(self) -> Iterator[None]:
        """Check the files in a thread while the main thread loads the applications, which may never end."""
        loaded = threading.Event()

        def look() -> None:
            while not loaded.wait(INTERVAL):
                if self.is_orphan():
                    os._exit(0)
                if self.is_due():
                    for stream in (sys.stdout, sys.stderr):
                        with contextlib.suppress(Exception):  # applications may have replaced them
                            stream.flush()
                    os._exit(CHANGED)  # an exception in this thread would not end the process

        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        try:
            yield
        finally:
            loaded.set()
            looking.join()

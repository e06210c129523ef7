"""The reloader: one process holds the socket and starts another one, which serves, again for each change of a file."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from werkzeug.serving import is_running_from_reloader, make_server

from multiserve.config.model import Config
from multiserve.dispatch.answers import Answer, ended
from multiserve.errors import ConfigError
from multiserve.hosts import authority
from multiserve.servers.addresses import bind
from multiserve.servers.development.access_line import Answered
from multiserve.servers.development.reloader import CHANGED, INTERVAL
from multiserve.servers.development.starter import Starter
from multiserve.servers.development.watching import Watch
from multiserve.servers.development.wsgi_handler import RequestHandler
from multiserve.servers.development.wsgi_server import CHILD_VARIABLE, SOCKET_VARIABLE
from multiserve.servers.ends import describe_end
from multiserve.servers.stamps import stamp_of

if TYPE_CHECKING:
    from multiserve.servers.development.groups.supervisor import Groups

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
        sockets: The path of the socket of each group.
        parent: The process id of the parent.
        stamps: The files that the parent has read the configuration from, as they were before.
    """

    listener: socket.socket
    host: str
    port: int
    is_restart: bool = False
    was_https: bool = False
    sockets: Mapping[str, str] = MappingProxyType({})
    parent: int = 0
    stamps: Mapping[str, Sequence[int] | None] = MappingProxyType({})

    def keep_address(self, config: Config) -> Config:
        """Return the configuration with the address of the socket instead of its own."""
        return replace(config, server=replace(config.server, host=self.host, port=self.port))

    @property
    def starter(self) -> Starter:
        """The parent, which may have ended already."""
        return Starter(self.parent, next(iter(self.sockets.values()), ""))

    @property
    def is_outdated(self) -> bool:
        """Whether the configuration has changed since the parent has read it, which knows the groups of that one."""
        return any(stamp_of(name) != (stamp and tuple(stamp)) for name, stamp in self.stamps.items())

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
    groups: Groups,
    config: Config,
    tell: Callable[[str], None],
    log_access: Callable[[Answered], None] | None = None,
    secure: Callable[[Config], ssl.SSLContext | None] = lambda _: None,
) -> NoReturn:
    """Hold the socket, start the serving process, and start it again for each change.

    Requests between two processes wait in the socket. If the process ends by itself, such as by os._exit in a module,
    they are answered with 503 until the next change.

    Args:
        groups: The groups, which this process starts and ends as well.
        config: The configuration of all processes as it is now.
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
    }
    command = [sys.executable, *sys.orig_argv[1:]]
    is_restart = was_https = False
    while True:
        handed_over = [host, port, is_restart, was_https, groups.take(config), os.getpid(), groups.stamps]
        environ[_ADDRESS_VARIABLE] = json.dumps(handed_over)
        if not is_restart:
            groups.refuse_failures(config)
        watch = Watch(config)  # before the start: no change is missed
        code = _run(command, environ, groups.end)
        if code != CHANGED:
            how = describe_end(code)
            tell(f"The process that served {how}: waiting for a change.")
            with _standing_in(listener, ended(how), log_access, secure(config)):
                while not watch.look():
                    time.sleep(INTERVAL)
        is_restart, was_https = True, config.development.https
        with contextlib.suppress(ConfigError):
            config = groups.read()


def _run(command: list[str], environ: dict[str, str], end_others: Callable[[], None]) -> int:
    """Run the serving process to its end; on an interrupt, end it, with time for its applications to shut down."""
    with subprocess.Popen(command, env=environ, close_fds=False) as process:  # noqa: S603 (our own command)
        try:
            return process.wait()
        except BaseException:  # KeyboardInterrupt, or SystemExit for SIGTERM and SIGHUP
            end_others()
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
            raise
        finally:
            process.kill()  # does nothing where it has ended


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

"""The development server: loads the applications, serves them with reloader and debugger, and keeps its socket."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from multiserve.composition import Composition, compose, may_refuse, refuse_failures
from multiserve.config.model import Config, Server
from multiserve.config.mounts import Mount
from multiserve.config.processes import for_front
from multiserve.errors import ServeError
from multiserve.servers.addresses import bind, origin
from multiserve.servers.development.access_line import Answered
from multiserve.servers.development.certificates import Certificate, find_certificate
from multiserve.servers.development.debugger import ENVIRONMENT, Debugger, use_debugger
from multiserve.servers.development.fleet_changes import FleetChanges
from multiserve.servers.development.groups.reading import read_all, read_checked
from multiserve.servers.development.groups.state import States
from multiserve.servers.development.groups.supervisor import Groups
from multiserve.servers.development.own_sources import OwnSources
from multiserve.servers.development.parent import Inherited, inherit, is_supervised, supervise
from multiserve.servers.development.refresh import Refresh
from multiserve.servers.development.reloader import CHANGED, Reloader
from multiserve.servers.development.serving import leave, on_signals_to_end, serve_and_watch
from multiserve.servers.development.watching import Watch
from multiserve.servers.development.wsgi_server import WSGIServer
from multiserve.servers.groups.reading import Reading
from multiserve.servers.trial import try_in_child

if TYPE_CHECKING:
    from multiserve.servers.development.asgi_server import InProcessServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What there is to say of a server that is about to answer.

    Attributes:
        composition: What it serves.
        address: The host and the port that it listens on.
        debugger: The debugger; None if it is off.
        is_restart: Whether it has served before, until a file was changed.
        certificate: What it serves HTTPS with; None for HTTP.
        is_https_new: Whether it serves HTTPS, and has not done so before.
    """

    composition: Composition
    address: tuple[str, int]
    debugger: Debugger | None
    is_restart: bool
    certificate: Certificate | None
    is_https_new: bool

    @property
    def scheme(self) -> str:
        """The scheme of its URLs."""
        return "https" if self.certificate else "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """How the server talks to its user.

    Attributes:
        announce: Print what is served, and where.
        tell: Print any other message.
        log_access: Print the line of a request that has been answered; None for no such lines.
        progress: Show that a mount is being loaded.
        level: The least severe messages of loggers that are printed.
    """

    announce: Callable[[Started], None]
    tell: Callable[[str], None]
    log_access: Callable[[Answered], None] | None = None
    progress: Callable[[Mount], contextlib.AbstractContextManager[object]] = contextlib.nullcontext
    level: int = logging.INFO


def serve(reading: Reading, terminal: Terminal, *, debugger: bool | None = None) -> None:
    """Serve until interrupted.

    Args:
        reading: What the configuration is read from, again when it changes.
        terminal: Prints what the server has to say.
        debugger: Whether the command line turns the debugger on; None if it does not say.

    Raises:
        ConfigError: The configuration is wrong, or the debugger must not run as the file asks for it.
        LoadError: A failure must not be served around.
        ServeError: The port cannot be bound, or the server has stopped by itself.
    """
    logging.getLogger("multiserve").setLevel(terminal.level)
    if terminal.level > logging.INFO:
        logging.getLogger("werkzeug").setLevel(terminal.level)
    with contextlib.suppress(KeyboardInterrupt):
        if is_supervised():
            _serve_for_parent(reading, terminal, inherit(), asked=debugger)
            return
        groups = Groups(reading, terminal.tell, debugger=debugger)
        try:
            _serve_with(groups, terminal, asked=debugger)
        finally:
            groups.stop()


def _serve_for_parent(reading: Reading, terminal: Terminal, inherited: Inherited, *, asked: bool | None) -> None:
    """Serve what is in front of all groups, until a file changes."""
    written = for_front(read_all(reading), inherited.sockets)
    known = {group.python for group in written.groups.values()}  # the parent has asked them
    if any(mount.group and mount.group not in inherited.sockets for mount in written.mounts):
        read_checked(reading)  # which raises an error where the parent has stayed with what it has read before
        sys.exit(CHANGED)
    process = _Process(terminal, inherited.keep_address(written), asked=asked, inherited=inherited)
    if stay := inherited.describe_stay(written):
        terminal.tell(stay)

    def check() -> Config:
        found = inherited.keep_address(for_front(read_checked(reading, known), inherited.sockets))
        use_debugger(found, asked=asked)
        return found

    watch = OwnSources(process.config) if inherited.sockets else Watch(process.config)
    if inherited.is_outdated:
        sys.exit(CHANGED)
    reloader = Reloader(process.config, check, terminal.tell, watch, inherited.starter)
    fleets = FleetChanges(reloader, terminal.tell, process.renew)
    serve_and_watch(process.load, fleets, partial(process.make_server, inherited.listener), process.look)


def _serve_with(groups: Groups, terminal: Terminal, *, asked: bool | None) -> None:
    """Serve with groups that this process starts and ends."""
    everything = groups.read()
    config = for_front(everything, groups.sockets(everything))
    process = _Process(terminal, config, asked=asked)
    if config.development.reload:
        on_signals_to_end(leave)
        # Without `strict` or `required` a mount that is broken may be repaired while the server runs.
        if may_refuse(config):
            try_in_child(lambda: refuse_failures(process.load()))
        secure = partial(_secure, config.server, terminal)
        supervise(groups, everything, terminal.tell, terminal.log_access, secure)
    groups.take(everything)
    composition = process.load()
    refuse_failures(composition)
    groups.refuse_failures(everything)
    composition.start(refuse=True)
    listener = bind(config.server.host, config.server.port)
    signal.signal(signal.SIGTERM, leave)  # not before: an application that loads would catch the exception
    process.make_server(listener, composition, refuse=True).serve_forever()


class _Process:
    """A process that serves clients: what it has beside its applications, and how it serves them."""

    def __init__(
        self, terminal: Terminal, config: Config, *, asked: bool | None, inherited: Inherited | None = None
    ) -> None:
        self.config = config
        self._terminal = terminal
        self._inherited = inherited
        self._debugger = Debugger(config) if use_debugger(config, asked=asked) else None
        self._certificate = find_certificate(config) if config.development.https else None
        self._refresh = Refresh() if config.development.refresh else None
        self._states = States(config)

    def load(self) -> Composition:
        """Load all mounts."""
        extras: dict[str, Any] = {"environment": ENVIRONMENT, "wrap": self._debugger.wrap} if self._debugger else {}
        composition = compose(self.config, development=True, observe=self._terminal.progress, **extras)
        return self._states.add_to(composition)

    def renew(self) -> None:
        """Have the pages that are open loaded again."""
        if self._refresh:
            self._refresh.renew()

    def look(self) -> None:
        """Have them loaded again if a group has been."""
        if self._refresh and self._states.have_restarted():
            self._refresh.renew()

    def make_server(
        self, listener: socket.socket, composition: Composition, *, refuse: bool = False
    ) -> WSGIServer | InProcessServer:
        """Make the server; `refuse` lets a required application that cannot start end it."""
        config, inherited, terminal = composition.config, self._inherited, self._terminal
        address = config.server.host, listener.getsockname()[1]
        if refresh := self._refresh:
            wrap: Callable[[Any], Any] = refresh.wrap_wsgi if composition.interface == "wsgi" else refresh.wrap_asgi
            composition.application.surround(wrap)
        started = Started(
            composition=composition,
            address=address,
            debugger=self._debugger,
            is_restart=inherited is not None and inherited.is_restart,
            certificate=self._certificate,
            is_https_new=self._certificate is not None and not (inherited and inherited.was_https),
        )
        context = _context(self._certificate, *address, terminal)
        if composition.interface == "wsgi":
            terminal.announce(started)
            return WSGIServer(
                composition.application,
                listener,
                config.server.client_timeout,
                terminal.log_access,
                threaded=config.development.threaded,
                ssl_context=context,
            )
        return self._make_engine(listener, started, context, refuse=refuse)

    def _make_engine(
        self, listener: socket.socket, started: Started, context: ssl.SSLContext | None, *, refuse: bool
    ) -> InProcessServer:
        from multiserve.servers.engine.release import check_release

        check_release()  # it takes long, and so do these imports
        from multiserve.servers.development.asgi_server import InProcessServer, settings_of

        return InProcessServer(
            started.composition.application,
            listener,
            settings_of(self.config.server),
            self._terminal.log_access,
            level=self._terminal.level,
            refuse=refuse,
            announce=partial(self._announce, started),
            ssl_context=context,
        )

    def _announce(self, started: Started) -> None:
        self._states.wait(self._terminal.progress)
        self._terminal.announce(started)


def _context(certificate: Certificate | None, host: str, port: int, terminal: Terminal) -> ssl.SSLContext | None:
    from multiserve.servers.development.tls import server_context

    return server_context(certificate.path, origin(host, port, "https"), terminal.tell) if certificate else None


def _secure(bound: Server, terminal: Terminal, config: Config) -> ssl.SSLContext | None:
    """Return what to stand in for a server with, whose configuration may be newer than its address."""
    config = replace(config, server=replace(config.server, host=bound.host, port=bound.port))
    try:
        certificate = find_certificate(config) if config.development.https else None
    except ServeError:  # the server has ended because of it, and has said so
        return None
    return _context(certificate, bound.host, bound.port, terminal)

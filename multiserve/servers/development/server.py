"""The development server: loads the applications, serves them with reloader and debugger, and keeps its socket."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from multiserve.composition import Composition, compose, may_refuse, refuse_failures
from multiserve.config.model import Config, Server
from multiserve.config.mounts import Mount
from multiserve.errors import ServeError
from multiserve.servers.addresses import bind, origin
from multiserve.servers.development.access_line import Answered
from multiserve.servers.development.certificates import Certificate, find_certificate
from multiserve.servers.development.debugger import Debugger, use_debugger
from multiserve.servers.development.fleet_changes import FleetChanges
from multiserve.servers.development.parent import (
    CHANGED,
    INTERVAL,
    Inherited,
    Reloader,
    inherit,
    is_supervised,
    supervise,
)
from multiserve.servers.development.refresh import Refresh
from multiserve.servers.development.wsgi_server import WSGIServer
from multiserve.servers.trial import try_in_child

if TYPE_CHECKING:
    from multiserve.servers.development.asgi_server import InProcessServer

# Flask hides an exception from the debugger unless it is told to let it through, before it is imported.
ENVIRONMENT = {"FLASK_DEBUG": "1"}


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


def serve(read: Callable[[], Config], terminal: Terminal, *, debugger: bool | None = None) -> None:
    """Serve until interrupted.

    Args:
        read: Reads the configuration; called again when it changes.
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
    inherited = inherit() if is_supervised() else None
    keep: Callable[[Config], Config] = inherited.keep_address if inherited else lambda config: config
    written = read()
    config = keep(written)
    used = Debugger(config) if use_debugger(config, asked=debugger) else None
    extras: dict[str, Any] = {"environment": ENVIRONMENT, "wrap": used.wrap} if used else {}
    load = partial(compose, config, development=True, observe=terminal.progress, **extras)
    certificate = find_certificate(config) if config.development.https else None
    refresh = Refresh() if config.development.refresh else None
    make = partial(_make_server, terminal, _Used(used, certificate, refresh))
    with contextlib.suppress(KeyboardInterrupt):
        if inherited:
            if stay := inherited.describe_stay(written):
                terminal.tell(stay)

            def check() -> Config:
                found = keep(read())
                use_debugger(found, asked=debugger)
                return found

            reloader = Reloader(config, check, terminal.tell)
            fleets = FleetChanges(reloader, terminal.tell, *([refresh.renew] if refresh else []))
            _serve_and_watch(load, fleets, partial(make, inherited.listener, inherited=inherited))
        elif config.development.reload:
            # Without `strict` or `required` a mount that is broken may be repaired while the server runs.
            if may_refuse(config):
                try_in_child(lambda: refuse_failures(load()))
            _on_signals_to_end(_leave)
            supervise(read, config, terminal.tell, terminal.log_access, partial(_secure, config.server, terminal))
        else:
            _serve_once(load, config, make)


def _serve_once(
    load: Callable[[], Composition], config: Config, make: Callable[..., WSGIServer | InProcessServer]
) -> None:
    """Load and serve in this process, without a reloader."""
    composition = load()
    refuse_failures(composition)
    composition.start(refuse=True)
    listener = bind(config.server.host, config.server.port)
    signal.signal(signal.SIGTERM, _leave)  # not before: an application that loads would catch the exception
    make(listener, composition, refuse=True).serve_forever()


def _leave(*_: Any) -> NoReturn:
    sys.exit(0)


def _on_signals_to_end(act: Callable[..., object] | signal.Handlers) -> None:
    """Handle SIGTERM, and SIGHUP, which is sent when the terminal is closed; under nohup it stays ignored."""
    signal.signal(signal.SIGTERM, act)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, act)


def _serve_and_watch(
    load: Callable[[], Composition], fleets: FleetChanges, make: Callable[[Composition], WSGIServer | InProcessServer]
) -> None:
    """Load and serve, and end the process when a file changes, or when the process that restarts it has ended."""
    _turn_on_echo()
    reloader = fleets.reloader
    with reloader.while_loading():
        composition = load()  # in the main thread, as production does: signal handlers and event loops need it
        composition.start()
    for loaded in composition.failures:
        if loaded.error:
            reloader.watch.blame(loaded.error)
    server = make(composition)
    _on_signals_to_end(_leave)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    fleets.follow(composition, server.call)
    try:
        while serving.is_alive():
            if reloader.is_orphan():
                sys.exit(0)
            if reloader.is_due():
                sys.exit(CHANGED)
            time.sleep(INTERVAL)
    finally:
        _on_signals_to_end(signal.SIG_IGN)  # a second signal must not interrupt the shutdown of the applications
        server.stop()
    raise ServeError("the server has stopped by itself")


def _turn_on_echo() -> None:
    """Show again what is typed in the terminal: a debugger that was ended there may have turned that off."""
    if sys.platform == "win32" or sys.stdin is None or not sys.stdin.isatty():
        return
    import termios

    attributes = termios.tcgetattr(sys.stdin)
    if not attributes[3] & termios.ECHO:
        attributes[3] |= termios.ECHO
        termios.tcsetattr(sys.stdin, termios.TCSANOW, attributes)


class _Used(NamedTuple):
    """What a server has beside its applications."""

    debugger: Debugger | None
    certificate: Certificate | None
    refresh: Refresh | None


def _make_server(
    terminal: Terminal,
    used: _Used,
    listener: socket.socket,
    composition: Composition,
    *,
    refuse: bool = False,
    inherited: Inherited | None = None,
) -> WSGIServer | InProcessServer:
    # `refuse`: whether a required application that cannot start ends the server; the reloader waits for its repair.
    config, write = composition.config, terminal.log_access
    address = config.server.host, listener.getsockname()[1]
    if refresh := used.refresh:
        wrap: Callable[[Any], Any] = refresh.wrap_wsgi if composition.interface == "wsgi" else refresh.wrap_asgi
        composition.application.surround(wrap)
    started = Started(
        composition=composition,
        address=address,
        debugger=used.debugger,
        is_restart=inherited is not None and inherited.is_restart,
        certificate=used.certificate,
        is_https_new=used.certificate is not None and not (inherited and inherited.was_https),
    )
    context = _context(used.certificate, *address, terminal)
    if composition.interface == "wsgi":
        terminal.announce(started)
        threaded = config.development.threaded
        return WSGIServer(
            composition.application,
            listener,
            config.server.client_timeout,
            write,
            threaded=threaded,
            ssl_context=context,
        )
    from multiserve.servers.engine.release import check_release

    check_release()  # it takes long, and so do these imports
    from multiserve.servers.development.asgi_server import InProcessServer
    from multiserve.servers.engine.settings import EngineSettings

    server = config.server
    settings = EngineSettings(client_timeout=server.client_timeout, max_websockets=server.max_websockets, is_alone=True)
    announce = partial(terminal.announce, started)
    return InProcessServer(
        composition.application,
        listener,
        settings,
        write,
        level=terminal.level,
        refuse=refuse,
        announce=announce,
        ssl_context=context,
    )


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

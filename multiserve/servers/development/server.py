"""The development server: werkzeug's, with its reloader and its debugger, on a socket that outlives every reload."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from werkzeug._reloader import ensure_echo_on
from werkzeug.debug import DebuggedApplication
from werkzeug.serving import BaseWSGIServer, make_server

from multiserve._types import StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.composition import Composition, compose, may_refuse, refuse_failures
from multiserve.config.file import Config
from multiserve.errors import ConfigError, Problem, ServeError
from multiserve.hosts import is_loopback
from multiserve.servers.addresses import bind, origin
from multiserve.servers.development.parent import CHANGED, INTERVAL, Reloader, inherit, is_supervised, supervise
from multiserve.servers.development.wsgi_handler import patient_handler
from multiserve.servers.trial import rehearse

if TYPE_CHECKING:
    from multiserve.servers.development.asgi_server import InProcessServer  # it needs gunicorn

# Flask hides an exception from the debugger unless it is told to let it through, before it is imported.
ENVIRONMENT = {"FLASK_DEBUG": "1"}
_DEBUGGED = "multiserve.debugged"  # where the environ has the application that the debugger watches


def serve(
    read: Callable[[], Config],
    announce: Callable[[Composition, str], None],
    tell: Callable[[str], None],
    *,
    debugger: bool | None = None,
) -> None:
    """Serve until interrupted.

    Args:
        read: Read the configuration; it is read anew when it changes.
        announce: Tell the user, given the origin such as `http://127.0.0.1:8000`; called when the port is bound.
        tell: Tell the user whatever else happens.
        debugger: What the command line says about the debugger; None if nothing.

    Raises:
        ConfigError: The configuration is wrong, or the debugger must not run as the file asks for it.
        LoadError: A failure must not be served around.
        ServeError: The port cannot be bound, or the server has stopped by itself.
    """
    inherited = inherit() if is_supervised() else None
    keep: Callable[[Config], Config] = inherited.keep_address if inherited else lambda config: config
    written = read()
    config = keep(written)
    uses_debugger = use_debugger(config, asked=debugger)
    extras: dict[str, Any] = {"environment": ENVIRONMENT, "wrap": debugging(config)} if uses_debugger else {}
    load = partial(compose, config, development=True, **extras)
    with contextlib.suppress(KeyboardInterrupt):
        if inherited:
            if stay := inherited.describe_stay(written):
                tell(stay)
            reloader = Reloader(config, lambda: use_debugger(keep(read()), asked=debugger), tell)
            _serve_and_watch(load, reloader, partial(_make_server, announce, inherited.listener))
        elif config.development.reload:
            # Only what a file or an option asks for is refused: a mount that is broken now may be mended.
            if may_refuse(config):
                rehearse(lambda: refuse_failures(load()))
            _on_signals_to_end(_leave)
            supervise(read, config, tell)
        else:
            _serve_once(load, config, announce)


def _serve_once(load: Callable[[], Composition], config: Config, announce: Callable[[Composition, str], None]) -> None:
    """Load and serve in this process, without a reloader."""
    composition = load()
    refuse_failures(composition)
    listener = bind(config.server.host, config.server.port)
    signal.signal(signal.SIGTERM, _leave)  # not before: an application that loads would catch the exception
    _make_server(announce, listener, composition, refuse=True).serve_forever()


def _leave(*_: Any) -> NoReturn:
    sys.exit(0)


def _on_signals_to_end(act: Callable[..., object] | signal.Handlers) -> None:
    """Act on SIGTERM, and on SIGHUP, which comes when the terminal is closed; under nohup that is ignored."""
    signal.signal(signal.SIGTERM, act)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, act)


def _serve_and_watch(
    load: Callable[[], Composition], reloader: Reloader, make: Callable[[Composition], BaseWSGIServer | InProcessServer]
) -> None:
    """Load and serve, and end the process when a file changes, or when nobody is left to start it anew."""
    ensure_echo_on()  # a debugger in the terminal may have turned it off
    with reloader.while_loading():
        composition = load()  # in the main thread, as production does: signal handlers and event loops need it
    for loaded in composition.failures:
        if loaded.error:
            reloader.watch.blame(loaded.error)
    server = make(composition)
    _on_signals_to_end(_leave)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        while serving.is_alive():
            if reloader.is_orphan():
                sys.exit(0)
            if reloader.is_due():
                sys.exit(CHANGED)
            time.sleep(INTERVAL)
    finally:
        _on_signals_to_end(signal.SIG_IGN)  # one is enough: the applications shut down
        if not isinstance(server, BaseWSGIServer):
            server.stop()
    raise ServeError("the server has stopped by itself")


def _make_server(
    announce: Callable[[Composition, str], None],
    listener: socket.socket,
    composition: Composition,
    *,
    refuse: bool = False,
) -> BaseWSGIServer | InProcessServer:
    # `refuse`: whether a required application that cannot start ends the server. Under the reloader it is mended.
    config = composition.config
    address, port = listener.getsockname()[:2]
    announce(composition, origin(config.server.host, port))
    if composition.interface == "asgi":
        return _make_asgi_server(listener, composition, refuse=refuse)
    return make_server(
        address,
        port,
        composition.application,
        threaded=config.development.threaded,
        request_handler=patient_handler(config.server.client_timeout),
        fd=listener.fileno(),
    )


def _make_asgi_server(listener: socket.socket, composition: Composition, *, refuse: bool) -> InProcessServer:
    from multiserve.servers.development.asgi_server import InProcessServer
    from multiserve.servers.engine.settings import EngineSettings

    server = composition.config.server
    settings = EngineSettings(client_timeout=server.client_timeout, max_websockets=server.max_websockets, is_alone=True)
    return InProcessServer(composition.application, listener, settings, refuse=refuse)


def debugging(config: Config) -> Callable[[WSGIApplication], WSGIApplication]:
    """Make what wraps each WSGI application with one debugger for all, which has one PIN."""

    def current(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        application: WSGIApplication = environ[_DEBUGGED]
        return application(environ, start_response)

    debugger = DebuggedApplication(current, evalex=True, console_path=None)  # type: ignore[arg-type]
    debugger.trusted_hosts += _trusted_hosts(config)

    def wrap(application: WSGIApplication) -> WSGIApplication:
        def debugged(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            environ[_DEBUGGED] = application
            return debugger(environ, start_response)

        return debugged

    return wrap


def _trusted_hosts(config: Config) -> list[str]:
    """Give the hosts under which the debugger may be used: a leading dot stands for any label in front."""
    mounted = (mount.key.host.removeprefix("*") for mount in config.mounts if mount.key.host)
    return [config.server.host, *mounted]


def use_debugger(config: Config, *, asked: bool | None) -> bool:
    """Decide whether the debugger runs: it hands a Python console to whoever reaches it.

    Args:
        config: The configuration.
        asked: What the command line says; None if nothing.

    Raises:
        ConfigError: The file asks for it on an address that other machines reach.
    """
    if asked is not None:
        return asked
    if is_loopback(config.server.host):
        return config.development.debugger is not False
    if config.development.debugger:
        raise ConfigError(
            Problem(
                key="development.debugger",
                message=f"the debugger runs any code for whoever reaches {config.server.host}",
                hint="Say --debugger as well if you mean it, or --no-debugger, or listen on 127.0.0.1.",
            )
        )
    return False

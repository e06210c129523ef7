"""The development server: werkzeug's, with its reloader and its debugger, on a socket that outlives every reload."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from werkzeug._reloader import ensure_echo_on
from werkzeug.debug import DebuggedApplication
from werkzeug.serving import BaseWSGIServer, make_server

from multiserve._types import StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.assembly import Assembly, may_refuse, refuse_failures
from multiserve.config import Config
from multiserve.errors import ConfigError, Problem, ServeError
from multiserve.servers.addresses import bind, is_loopback, origin
from multiserve.servers.handler import RequestHandler
from multiserve.servers.rehearsal import rehearse
from multiserve.servers.reloading import Watch, inherit, is_supervised, supervise

if TYPE_CHECKING:
    from multiserve.servers.in_process import InProcessServer  # it needs gunicorn

# Flask hides an exception from the debugger unless it is told to let it through, before it is imported.
ENVIRONMENT = {"FLASK_DEBUG": "1"}
_DEBUGGED = "multiserve.debugged"  # where the environ has the application that the debugger watches


def serve(
    config: Config,
    load: Callable[..., Assembly],
    announce: Callable[[Assembly, str], None],
    *,
    debugger: bool | None = None,
) -> None:
    """Serve until interrupted.

    Args:
        config: The configuration.
        load: Load the applications of a configuration.
        announce: Tell the user, given the origin such as `http://127.0.0.1:8000`; called when the port is bound.
        debugger: What the command line says about the debugger; None if nothing.

    Raises:
        ConfigError: The debugger must not run as the file asks for it.
        LoadError: A failure must not be served around.
        ServeError: The port cannot be bound.
    """
    inherited = inherit(config) if is_supervised() else None
    config = inherited.config if inherited else config
    debugger = use_debugger(config, asked=debugger)
    extras: dict[str, Any] = {"environment": ENVIRONMENT, "wrap": debugging(config)} if debugger else {}
    load = partial(load, config, development=True, **extras)
    with contextlib.suppress(KeyboardInterrupt):
        if inherited:
            _serve_and_watch(load, config, partial(_make_server, announce, inherited.listener))
        elif config.development.reload:
            # Only what a file or an option asks for is refused: a mount that is broken now may be mended.
            if may_refuse(config):
                rehearse(lambda: refuse_failures(load()))
            signal.signal(signal.SIGTERM, _leave)
            supervise(config)
        else:
            _serve_once(load, config, announce)


def _serve_once(load: Callable[[], Assembly], config: Config, announce: Callable[[Assembly, str], None]) -> None:
    """Load and serve in this process, without a reloader."""
    assembly = load()
    refuse_failures(assembly)
    listener = bind(config.server.host, config.server.port)
    signal.signal(signal.SIGTERM, _leave)  # not before: an application that loads would catch the exception
    _make_server(announce, listener, assembly, refuse=True).serve_forever()


def _leave(*_: Any) -> NoReturn:
    sys.exit(0)


def _serve_and_watch(
    load: Callable[[], Assembly], config: Config, make: Callable[[Assembly], BaseWSGIServer | InProcessServer]
) -> None:
    """Load and serve, and end the process when a file changes."""
    ensure_echo_on()  # a debugger in the terminal may have turned it off
    watch = Watch(config)  # from here on no change is missed
    assembly = load()  # in the main thread, as production does: signal handlers and event loops need it
    watch.run_step()  # the modules that are there only now
    server = make(assembly)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        watch.run()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one is enough: the applications shut down
        if not isinstance(server, BaseWSGIServer):
            server.stop()


def _make_server(
    announce: Callable[[Assembly, str], None], listener: socket.socket, assembly: Assembly, *, refuse: bool = False
) -> BaseWSGIServer | InProcessServer:
    # `refuse`: whether a required application that cannot start ends the server. Under the reloader it is mended.
    config = assembly.config
    address, port = listener.getsockname()[:2]
    announce(assembly, origin(config.server.host, port))
    if assembly.interface == "asgi":
        return _make_asgi_server(listener, assembly, refuse=refuse)
    return make_server(
        address,
        port,
        assembly.application,
        threaded=config.development.threaded,
        request_handler=RequestHandler,
        fd=listener.fileno(),
    )


def _make_asgi_server(listener: socket.socket, assembly: Assembly, *, refuse: bool) -> InProcessServer:
    try:
        from multiserve.servers.in_process import InProcessServer
    except ImportError as error:
        message = f"the development server needs gunicorn for ASGI applications: {error}"
        hint = "Serve multiserve.asgi:application with another server, such as: uvicorn multiserve.asgi:application"
        raise ServeError(Problem(message=message, hint=hint)) from error
    return InProcessServer(assembly.application, listener, refuse=refuse)


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

"""The development server: werkzeug's, with its reloader and its debugger, on a socket that outlives every reload."""

from __future__ import annotations

import glob
import os
import socket
from collections.abc import Callable, Iterable

from werkzeug._reloader import run_with_reloader  # what `run_simple` calls; werkzeug.serving does not export it
from werkzeug.debug import DebuggedApplication
from werkzeug.serving import is_running_from_reloader, make_server

from multiserve.assembly import Assembly, may_refuse, refuse_failures
from multiserve.config import Config
from multiserve.errors import ConfigError, Problem
from multiserve.servers.addresses import bind, is_loopback, origin
from multiserve.servers.handler import RequestHandler
from multiserve.servers.rehearsal import rehearse

# Flask hides an exception from the debugger unless it is told to let it through, before it is imported.
ENVIRONMENT = {"FLASK_DEBUG": "1"}
_SOCKET_VARIABLE = "WERKZEUG_SERVER_FD"
_RELOAD_INTERVAL = 0.5  # seconds between two looks at the files


def serve(
    config: Config, load: Callable[[], Assembly], announce: Callable[[Assembly, str], None], *, debugger: bool
) -> None:
    """Serve until interrupted.

    Args:
        config: The configuration.
        load: Load the applications.
        announce: Tell the user, given the origin such as `http://127.0.0.1:8000`; called when the port is bound.
        debugger: Show tracebacks with a console in the browser.

    Raises:
        LoadError: A failure must not be served around.
        ServeError: The port cannot be bound.
    """
    if config.development.reload:
        _serve_with_reloader(config, load, announce, debugger=debugger)
    else:
        assembly = load()
        refuse_failures(assembly)
        listener = bind(config.server.host, config.server.port)
        _serve(assembly, announce, listener, debugger=debugger)


def _serve_with_reloader(
    config: Config, load: Callable[[], Assembly], announce: Callable[[Assembly, str], None], *, debugger: bool
) -> None:
    """Bind the port here, and load and serve in a process that is started anew for each change."""
    if is_running_from_reloader():
        listener = socket.socket(fileno=int(os.environ[_SOCKET_VARIABLE]))
    else:
        if may_refuse(config):
            rehearse(lambda: refuse_failures(load()))
        listener = bind(config.server.host, config.server.port)
        listener.set_inheritable(True)
        os.environ[_SOCKET_VARIABLE] = str(listener.fileno())
    run_with_reloader(
        lambda: _serve(load(), announce, listener, debugger=debugger),
        extra_files=watched_files(config),
        exclude_patterns=config.development.exclude_patterns,
        interval=_RELOAD_INTERVAL,
    )


def _serve(
    assembly: Assembly, announce: Callable[[Assembly, str], None], listener: socket.socket, *, debugger: bool
) -> None:
    host, port = assembly.config.server.host, listener.getsockname()[1]
    announce(assembly, origin(host, port))
    application = assembly.application
    if debugger:
        application = DebuggedApplication(application, evalex=True)
        application.trusted_hosts.append(host)
    server = make_server(
        host,
        port,
        application,
        threaded=assembly.config.development.threaded,
        request_handler=RequestHandler,
        fd=listener.fileno(),
    )
    server.serve_forever()


def watched_files(config: Config) -> Iterable[str]:
    """Give the files to watch beside the modules: the configuration, and `extra_files` with their patterns resolved."""
    yield str(config.path)
    for pattern in config.development.extra_files:
        path = str(config.folder / pattern)
        yield from glob.glob(path, recursive=True) or [path]  # noqa: PTH207 (a pattern may be absolute)


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

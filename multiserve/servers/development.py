"""The development server: werkzeug's, with its reloader and its debugger, on a socket that outlives every reload."""

from __future__ import annotations

import contextlib
import glob
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from werkzeug._reloader import ensure_echo_on, reloader_loops  # `run_simple`'s; werkzeug.serving has them not
from werkzeug.debug import DebuggedApplication
from werkzeug.serving import is_running_from_reloader, make_server

from multiserve.assembly import Assembly, may_refuse, refuse_failures
from multiserve.config import Config
from multiserve.errors import ConfigError, Problem
from multiserve.servers.addresses import bind, is_loopback, origin
from multiserve.servers.handler import RequestHandler
from multiserve.servers.rehearsal import rehearse

log = logging.getLogger(__name__)

# Flask hides an exception from the debugger unless it is told to let it through, before it is imported.
ENVIRONMENT = {"FLASK_DEBUG": "1"}
_SOCKET_VARIABLE = "WERKZEUG_SERVER_FD"
_CHILD_VARIABLE = "WERKZEUG_RUN_MAIN"
_CHANGED = 3  # with this code werkzeug's reloader ends the process that serves
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
    signal.signal(signal.SIGTERM, _leave)
    with contextlib.suppress(KeyboardInterrupt):
        if inherited := _inherited_listener():
            _serve_and_watch(config, load, partial(_serve, announce, inherited, debugger=debugger))
        elif config.development.reload:
            if may_refuse(config):
                rehearse(lambda: refuse_failures(load()))
            _supervise(config)
        else:
            assembly = load()
            refuse_failures(assembly)
            _serve(announce, bind(config.server.host, config.server.port), assembly, debugger=debugger)


def _leave(*_: Any) -> NoReturn:
    sys.exit(0)


def _inherited_listener() -> socket.socket | None:
    """Give the socket that the supervising process has bound, if there is one; neither is for what we start."""
    number = os.environ.pop(_SOCKET_VARIABLE, None) if is_running_from_reloader() else None
    if number is None:
        return None
    listener = socket.socket(fileno=int(number))
    listener.set_inheritable(False)
    return listener


def _serve_and_watch(config: Config, load: Callable[[], Assembly], serve: Callable[[Assembly], None]) -> None:
    """Load and serve, and end the process when a file changes."""
    reloader = reloader_loops["auto"](
        extra_files=watched_files(config),
        exclude_patterns=config.development.exclude_patterns,
        interval=_RELOAD_INTERVAL,
    )
    ensure_echo_on()  # a debugger in the terminal may have turned it off
    with reloader:  # from here on no change is missed
        assembly = load()  # in the main thread, as production does: signal handlers and event loops need it
        threading.Thread(target=serve, args=(assembly,), daemon=True).start()
        reloader.run()


def _supervise(config: Config) -> NoReturn:
    """Start the process that serves, and start it anew for each change; a wrong configuration waits to be mended."""
    listener = bind(config.server.host, config.server.port)
    listener.set_inheritable(True)
    environ = {**os.environ, _CHILD_VARIABLE: "true", _SOCKET_VARIABLE: str(listener.fileno())}
    command = [sys.executable, *sys.orig_argv[1:]]
    while True:
        before = _modified(config.path)
        exit_code = subprocess.call(command, env=environ, close_fds=False)  # noqa: S603 (our own command)
        if exit_code == ConfigError.exit_code:
            log.warning("Waiting for a change in %s", config.path)
            while _modified(config.path) == before:
                time.sleep(_RELOAD_INTERVAL)
        elif exit_code != _CHANGED:
            sys.exit(exit_code)


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def _serve(
    announce: Callable[[Assembly, str], None], listener: socket.socket, assembly: Assembly, *, debugger: bool
) -> None:
    host, port = assembly.config.server.host, listener.getsockname()[1]
    announce(assembly, origin(host, port))
    application = assembly.application
    if debugger:
        application = DebuggedApplication(application, evalex=True)
        application.trusted_hosts.append(host)
    server = make_server(
        listener.getsockname()[0],
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

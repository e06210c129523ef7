"""The development server: loads the applications, serves them with reloader and debugger, and keeps its socket."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from werkzeug.debug import DebuggedApplication

from multiserve._types import StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.composition import Composition, compose, may_refuse, refuse_failures
from multiserve.config.model import Config
from multiserve.dispatch.environ_keys import MOUNT_KEY
from multiserve.errors import ConfigError, Problem, ServeError
from multiserve.hosts import is_loopback
from multiserve.servers.addresses import bind, origin
from multiserve.servers.development.parent import CHANGED, INTERVAL, Reloader, inherit, is_supervised, supervise
from multiserve.servers.development.wsgi_server import WSGIServer
from multiserve.servers.trial import try_in_child

if TYPE_CHECKING:
    from multiserve.servers.development.asgi_server import InProcessServer

# Flask hides an exception from the debugger unless it is told to let it through, before it is imported.
ENVIRONMENT = {"FLASK_DEBUG": "1"}
_DEBUGGED = "multiserve.debugged"  # where the environ has the application that the debugger watches, and start_response


def serve(
    read: Callable[[], Config],
    announce: Callable[[Composition, str], None],
    tell: Callable[[str], None],
    *,
    debugger: bool | None = None,
) -> None:
    """Serve until interrupted.

    Args:
        read: Reads the configuration; called again when it changes.
        announce: Called when the port is bound, with the composition and its origin, such as `http://127.0.0.1:8000`.
        tell: Prints any other message for the user.
        debugger: Whether the command line turns the debugger on; None if it does not say.

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
            # Without `strict` or `required` a mount that is broken may be repaired while the server runs.
            if may_refuse(config):
                try_in_child(lambda: refuse_failures(load()))
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
    """Handle SIGTERM, and SIGHUP, which is sent when the terminal is closed; under nohup it stays ignored."""
    signal.signal(signal.SIGTERM, act)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, act)


def _serve_and_watch(
    load: Callable[[], Composition], reloader: Reloader, make: Callable[[Composition], WSGIServer | InProcessServer]
) -> None:
    """Load and serve, and end the process when a file changes, or when the process that restarts it has ended."""
    _turn_on_echo()
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


def _make_server(
    announce: Callable[[Composition, str], None],
    listener: socket.socket,
    composition: Composition,
    *,
    refuse: bool = False,
) -> WSGIServer | InProcessServer:
    # `refuse`: whether a required application that cannot start ends the server; the reloader waits for its repair.
    config = composition.config
    announce(composition, origin(config.server.host, listener.getsockname()[1]))
    if composition.interface == "asgi":
        return _make_asgi_server(listener, composition, refuse=refuse)
    composition.start(refuse=refuse)
    return WSGIServer(
        composition.application, listener, config.server.client_timeout, threaded=config.development.threaded
    )


def _make_asgi_server(listener: socket.socket, composition: Composition, *, refuse: bool) -> InProcessServer:
    from multiserve.servers.development.asgi_server import InProcessServer
    from multiserve.servers.engine.settings import EngineSettings

    server = composition.config.server
    settings = EngineSettings(client_timeout=server.client_timeout, max_websockets=server.max_websockets, is_alone=True)
    return InProcessServer(composition.application, listener, settings, refuse=refuse)


def debugging(config: Config) -> Callable[[WSGIApplication], WSGIApplication]:
    """Return a wrapper for WSGI applications; they share one debugger with one PIN."""

    def current(environ: WSGIEnvironment, _: StartResponse) -> Iterator[bytes]:
        application, start_response = environ[_DEBUGGED]
        result: Iterable[bytes] = ()
        try:
            result = application(environ, start_response)
            for part in result:  # noqa: UP028 ("yield from" would close it as well)
                yield part
        except Exception:
            # The debugger writes the traceback behind it.
            environ["wsgi.errors"].write(f"The application at {environ.get(MOUNT_KEY)} failed:\n")
            raise
        finally:
            if hasattr(result, "close"):
                result.close()

    debugger = DebuggedApplication(current, evalex=True, console_path=None)  # type: ignore[arg-type]
    debugger.trusted_hosts += _trusted_hosts(config)

    def wrap(application: WSGIApplication) -> WSGIApplication:
        def debugged(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            environ[_DEBUGGED] = application, start_response
            return debugger(environ, partial(_start_again, start_response))

        return debugged

    return wrap


def _start_again(start_response: StartResponse, status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
    """Start the debugger's response, in place of one that the application has started before it raised."""
    raised = sys.exc_info()  # the debugger is about to answer it, but does not say so
    return start_response(status, headers, raised if raised[1] else None)


def _trusted_hosts(config: Config) -> list[str]:
    """Return the hosts under which the debugger may be used; a leading dot matches any subdomain."""
    mounted = (mount.key.host.removeprefix("*") for mount in config.mounts if mount.key.host)
    return [config.server.host, *mounted]


def use_debugger(config: Config, *, asked: bool | None) -> bool:
    """Return whether the debugger runs: anyone who can reach it gets a Python console.

    Args:
        config: The configuration.
        asked: Whether the command line turns it on; None if it does not say.

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

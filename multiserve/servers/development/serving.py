"""The loop of a process that serves and watches: it loads, serves in a thread, and ends when a file has changed."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from multiserve.composition import Composition
from multiserve.errors import ServeError
from multiserve.servers.development.fleet_changes import FleetChanges
from multiserve.servers.development.reloader import CHANGED, Reloader, end_at_once

_PATIENCE = 1.0  # seconds for the threads of applications, and for what they have registered with atexit


class Server(Protocol):
    """What serves in a thread."""

    def serve_forever(self) -> None:
        """Serve until stopped."""

    def call(self, function: Callable[[], None]) -> None:
        """Call a function where the composition may be changed, and wait for its end."""

    def stop(self) -> None:
        """Stop, and wait for it."""


def leave(*_: Any) -> NoReturn:
    """End this process, as the handler of a signal."""
    sys.exit(0)


def on_signals_to_end(act: Callable[..., object] | signal.Handlers) -> None:
    """Handle SIGTERM, and SIGHUP, which is sent when the terminal is closed; under nohup it stays ignored."""
    signal.signal(signal.SIGTERM, act)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, act)


def serve_and_watch(
    load: Callable[[], Composition],
    fleets: FleetChanges,
    make: Callable[[Composition], Server],
    look: Callable[[], object] = lambda: None,
) -> None:
    """Load and serve, and end the process when a file changes, or when the process that restarts it has ended.

    Args:
        load: Load the composition.
        fleets: What decides when the process ends.
        make: Make the server of the composition.
        look: Look after anything else, now and then, while it serves.
    """
    _turn_on_echo()
    reloader = fleets.reloader
    with reloader.while_loading():
        composition = load()  # in the main thread, as production does: signal handlers and event loops need it
        composition.start()
    for loaded in composition.failures:
        if loaded.error:
            reloader.watch.blame(loaded.error)
    server = make(composition)
    on_signals_to_end(leave)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    fleets.follow(composition, server.call)
    try:
        code = _watch(reloader, serving, look)
    finally:
        on_signals_to_end(signal.SIG_IGN)  # a second signal must not interrupt the shutdown of the applications
        server.stop()
    if code is None:
        raise ServeError("the server has stopped by itself")
    _end_soon(code)
    sys.exit(code)


def _watch(reloader: Reloader, serving: threading.Thread, look: Callable[[], object]) -> int | None:
    """Wait until this process is to end, and return its exit code; None if the server has ended by itself."""
    while serving.is_alive():
        if reloader.is_orphan():
            return 0
        if reloader.is_due():
            return CHANGED
        look()
        time.sleep(reloader.pause)
    return None


def _end_soon(code: int) -> None:
    """See to it that this process ends: Python would wait for ever for threads that applications have left."""
    ending = threading.Timer(_PATIENCE, end_at_once, (code,))
    ending.daemon = True
    ending.start()


def _turn_on_echo() -> None:
    """Show again what is typed in the terminal: a debugger that was ended there may have turned that off."""
    if sys.platform == "win32" or sys.stdin is None or not sys.stdin.isatty():
        return
    import termios

    attributes = termios.tcgetattr(sys.stdin)
    if not attributes[3] & termios.ECHO:
        attributes[3] |= termios.ECHO
        termios.tcsetattr(sys.stdin, termios.TCSANOW, attributes)

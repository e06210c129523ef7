"""The ASGI server of development: the engine in this process, in a thread where the reloader has to watch."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from socket import socket

from multiserve.config.model import Server
from multiserve.dispatch.asgi import ASGIDispatcher
from multiserve.dispatch.pages import WAITS_HEADER
from multiserve.errors import LoadError
from multiserve.servers.development.access_line import Answered, answered, is_of_our_own_pages
from multiserve.servers.engine.access import Access
from multiserve.servers.engine.listener import Listener, hand_over_errors
from multiserve.servers.engine.settings import SWITCH_INTERVAL, EngineSettings

# Seconds. They are short, because the user who has saved a file waits for the restart.
_REQUESTS = 0.25  # for requests that run, and streams that never end
_LINGER = 0.1  # for connections that are kept alive: the listening socket stays, a browser connects anew
_LIFESPANS = 1.0
_UNANNOUNCED = 1.0  # for start-ups, before the addresses are printed


class InProcessServer:
    """Serves one application on a socket that is bound already."""

    def __init__(  # noqa: PLR0913 (what the server of a command is made of)
        self,
        application: ASGIDispatcher,
        listener: socket,
        settings: EngineSettings,
        log_access: Callable[[Answered], None] | None = None,
        *,
        level: int = logging.INFO,
        refuse: bool = False,
        announce: Callable[[], object] = lambda: None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare to serve.

        Args:
            application: The composed application.
            listener: The socket.
            settings: The settings of the engine.
            log_access: Write a line of the access log; None for no access log.
            level: The least severe messages that are printed; below a warning only where it is debug.
            refuse: End with an error if a required application cannot start; the others would serve.
            announce: Say what is served, when all applications have started or have failed, or after a second.
            ssl_context: Serve HTTPS with it.
        """
        self.asgi = application
        self.loop = asyncio.new_event_loop()
        self._socket = listener
        self._settings = settings
        self._log_access = log_access
        self._level = level if level == logging.DEBUG else max(level, logging.WARNING)
        self._refuse = refuse
        self._announce = announce
        self._ssl_context = ssl_context
        self._stopping = asyncio.Event()
        self._stopped = threading.Event()

    def serve_forever(self) -> None:
        """Serve until stopped; in the main thread until a signal, too.

        Raises:
            LoadError: A required application cannot start.
        """
        sys.setswitchinterval(SWITCH_INTERVAL)
        asyncio.set_event_loop(self.loop)
        try:
            with _first_signal(self._tell):
                failure = self.loop.run_until_complete(self._serve())
        finally:
            self._end()
            self._stopped.set()
        if failure:
            raise LoadError(failure)

    async def _serve(self) -> str:
        lifespans = self.asgi.lifespans
        starting = asyncio.create_task(lifespans.start(refuse=self._refuse))
        starting.add_done_callback(self._check_start)
        log = _error_log(self._level)
        hand_over_errors(log.handlers, log.level)
        write = self._log_access
        log_access = None if write is None else partial(_log_access, write)
        listener = Listener(self.asgi, self._settings, log, log_access)
        await listener.start([self._socket], self._ssl_context)  # requests wait for the start-up of their own mount
        announcing = asyncio.create_task(self._announce_start(starting))
        await self._stopping.wait()
        announcing.cancel()
        await listener.stop(_REQUESTS, _LINGER, takes_rest=False)
        failure = starting.result() if starting.done() else ""
        starting.cancel()
        await lifespans.stop(_LIFESPANS)
        return failure

    async def _announce_start(self, starting: asyncio.Task[str]) -> None:
        await asyncio.wait({starting}, timeout=_UNANNOUNCED)
        if not self._stopping.is_set():
            await asyncio.to_thread(self._announce)

    def _check_start(self, starting: asyncio.Task[str]) -> None:
        if not starting.cancelled() and starting.result():
            self._stopping.set()

    def _end(self) -> None:
        """Cancel what is left, and wait for it, but not for long."""
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.wait(left, timeout=_REQUESTS))
        self.loop.close()

    def _tell(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            self.loop.call_soon_threadsafe(self._stopping.set)

    def call(self, function: Callable[[], None]) -> None:
        """Call a function in the event loop, from another thread, and wait for its end."""

        async def run() -> None:
            function()

        coroutine = run()
        try:
            call = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        except RuntimeError:  # the loop has ended by itself
            coroutine.close()
            return
        while not (call.done() or self._stopped.is_set()):
            with contextlib.suppress(TimeoutError):
                call.result(_REQUESTS)

    def stop(self) -> None:
        """Stop from another thread, and wait for it, but not for long."""
        self._tell()
        self._stopped.wait(4 * _REQUESTS + _LIFESPANS)


def settings_of(server: Server) -> EngineSettings:
    """Return the settings of the engine."""
    return EngineSettings(client_timeout=server.client_timeout, max_websockets=server.max_websockets, is_alone=True)


def _log_access(write: Callable[[Answered], None], access: Access) -> None:
    if not is_of_our_own_pages(access.status, access.target, waits=WAITS_HEADER.lower() in access.fields()):
        write(answered(access))


def _error_log(level: int) -> logging.Logger:
    """Make the logger of the engine, which no configuration of an application's can switch off."""
    log = logging.Logger("multiserve.engine", level)  # noqa: LOG001 (no other code shares it)
    for handler in logging.getLogger("multiserve").handlers or [logging.StreamHandler()]:
        log.addHandler(handler)
    return log


@contextlib.contextmanager
def _first_signal(act: Callable[[], None]) -> Iterator[None]:
    """Let the first signal to end call `act`, which is gentle; the next one does what it did before, whatever runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(*_: object) -> None:
        restore()
        act()

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        restore()

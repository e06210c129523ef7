"""The WSGI server of development: werkzeug's `run_simple`, on a socket that is bound already."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable, Mapping
from socket import socket

from werkzeug.serving import run_simple

from multiserve._types import WSGIApplication
from multiserve.servers.development.access_line import Answered
from multiserve.servers.development.wsgi_handler import RequestHandler

# How werkzeug's reloader hands its socket to the process that serves; `run_simple` takes it over, and prints no banner.
CHILD_VARIABLE = "WERKZEUG_RUN_MAIN"
SOCKET_VARIABLE = "WERKZEUG_SERVER_FD"


class WSGIServer:
    """Serves one application with `run_simple`."""

    def __init__(
        self,
        application: WSGIApplication,
        listener: socket,
        client_timeout: float,
        log_access: Callable[[Answered], None] | None = None,
        *,
        threaded: bool,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Serve on a socket that is bound already.

        Args:
            application: The composed application.
            listener: The socket.
            client_timeout: Seconds that a client may keep the server waiting.
            log_access: Write a line of the access log; None for no access log.
            threaded: Whether requests are answered at the same time.
            ssl_context: Serve HTTPS with it.
        """
        self._application = application
        self._listener = listener
        self._client_timeout = client_timeout
        self._log_access = log_access
        self._threaded = threaded
        self._ssl_context = ssl_context

    def serve_forever(self) -> None:
        """Serve until the process ends; in the main thread until Ctrl-C, too."""
        address, port = self._listener.getsockname()[:2]
        handed_over = {CHILD_VARIABLE: "true", SOCKET_VARIABLE: str(self._listener.fileno())}
        before = {name: os.environ.get(name) for name in handed_over}
        os.environ.update(handed_over)
        run_simple(
            address,
            port,
            self._application,
            threaded=self._threaded,
            ssl_context=self._ssl_context,
            request_handler=_handler(self._client_timeout, self._log_access, before),
        )

    def call(self, function: Callable[[], None]) -> None:
        """Call a function at once: threads take each step of a change as it is made."""
        function()

    def stop(self) -> None:
        """Do nothing: requests end with the process."""


def _handler(
    client_timeout: float, write: Callable[[Answered], None] | None, environment: Mapping[str, str | None]
) -> type[RequestHandler]:
    """Return the class of request handlers.

    Args:
        client_timeout: Seconds to wait for a client that sends or takes in nothing.
        write: Write a line of the access log.
        environment: The variables as they were before the socket was handed over.
    """
    is_taken_back = threading.Lock()

    class Handler(RequestHandler):
        timeout = client_timeout
        log_access = write

        def setup(self) -> None:
            """Prepare for a connection; before the first one, take back what only `run_simple` was to inherit."""
            if is_taken_back.acquire(blocking=False):
                self.server.socket.set_inheritable(False)  # processes that applications start would keep the port
                for name, value in environment.items():
                    os.environ.pop(name, None)
                    os.environ.update({} if value is None else {name: value})
            super().setup()

    return Handler

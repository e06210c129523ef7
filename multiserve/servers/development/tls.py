"""TLS of the development server: handshakes in the thread of their connection, and a line for one that fails."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_PAUSE = 1.0  # seconds in which the same line is printed once: browsers try several times


def server_context(certificate: Path, origin: str, tell: Callable[[str], None]) -> ssl.SSLContext:
    """Return the context for a server.

    Args:
        certificate: The file with the key and the certificate.
        origin: The URL of the server.
        tell: Print why a connection has ended before its first request.
    """
    failures = _Failures(origin, tell)

    class Connection(ssl.SSLSocket):
        """What `ssl` makes for a server with blocking sockets."""

        def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 (inherited)
            with failures.told():
                super().do_handshake(block)

        def read(self, *args: Any) -> Any:  # a client refuses a certificate after the handshake of TLS 1.3
            with failures.told():
                return super().read(*args)

    class EventLoopConnection(ssl.SSLObject):
        """What `ssl` makes for asyncio."""

        def do_handshake(self) -> None:
            with failures.told():
                super().do_handshake()

        def read(self, *args: Any) -> Any:
            with failures.told():
                return super().read(*args)

    context = _Context(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["http/1.1"])
    context.sslsocket_class = Connection
    context.sslobject_class = EventLoopConnection
    return context


class _Context(ssl.SSLContext):
    """A context whose sockets make no handshake when they accept: a silent client would hold up all others."""

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        return super().wrap_socket(*args, **{**options, "do_handshake_on_connect": False})


class _Failures:
    """Prints what has gone wrong between a client and the server, in words."""

    def __init__(self, origin: str, tell: Callable[[str], None]) -> None:
        self._origin = origin
        self._tell = tell
        self._told: dict[str, float] = {}

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Print an error of TLS and raise it again as that of a connection which is lost, which the servers expect."""
        try:
            yield
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, ssl.SSLZeroReturnError, ssl.SSLEOFError):
            raise  # no failure, or the client has left
        except ssl.SSLError as error:
            line = self._describe(error.reason or "")
            now = time.monotonic()
            if now - self._told.get(line, -_PAUSE) >= _PAUSE:
                self._told[line] = now
                self._tell(line)
            raise ConnectionAbortedError(error.reason) from error

    def _describe(self, reason: str) -> str:
        if reason == "HTTP_REQUEST":
            return f"A client spoke HTTP to a port that serves HTTPS: open {self._origin}/ instead."
        if "_ALERT_" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
            return f"A client does not trust the certificate of {self._origin}/."
        return f"A client could not agree on HTTPS with {self._origin}/: {reason.replace('_', ' ').lower()}."


def end_gently(connection: ssl.SSLSocket) -> None:
    """Tell the client that the response is complete; do not wait for it to say the same."""
    connection.settimeout(0)
    with contextlib.suppress(OSError, ValueError):  # it says so later, or never
        connection.unwrap()

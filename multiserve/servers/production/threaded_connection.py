"""One connection of the threaded worker, read up to the end of a request's head before a thread has it."""

from __future__ import annotations

import selectors
import socket
import ssl
from typing import Any

from gunicorn import http
from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.http.message import MAX_HEADERS
from gunicorn.http2 import negotiation
from gunicorn.sock import is_http2_negotiated
from gunicorn.workers.gthread import TConn

from multiserve.servers.production.client_sockets import ClientReader, ClientSocket

_END_OF_HEAD = b"\r\n\r\n"
_READ_AT_ONCE = 65536  # bytes


class Connection(TConn):  # type: ignore[misc]
    """One connection of a client: first the main thread reads the head of a request, then a thread answers it."""

    sock: Any  # ClientSocket or TLSClientSocket
    initialized: bool

    def __init__(
        self, cfg: Any, sock: socket.socket, client: Any, server: Any, patience: float, tls: ssl.SSLContext | None
    ) -> None:
        """Take over a connection that has just been accepted.

        Args:
            cfg: gunicorn's settings.
            sock: The socket, which is of no use afterwards.
            client: The address of the client.
            server: The address of the server.
            patience: Seconds to wait for the client.
            tls: The TLS settings; None for none.
        """
        mine = ClientSocket(sock.family, sock.type, sock.proto, fileno=sock.detach())
        super().__init__(cfg, mine, client, server)
        if tls is not None:
            ragged = cfg.suppress_ragged_eofs
            self.sock = tls.wrap_socket(
                mine, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=ragged
            )
        self.sock.patience = patience
        self.data_ready = True  # gunicorn need not wait for it in a thread
        self.head = bytearray()
        self.deadline = 0.0  # time.monotonic() at which the client is given up
        self.event = selectors.EVENT_READ  # what it waits for
        self._is_secret = tls is None  # whether there is no handshake to be done
        self._searched = 0
        self._line_ends = 0  # in what has been searched
        fields = cfg.limit_request_fields
        self._most_line_ends = (fields if 0 < fields <= MAX_HEADERS else MAX_HEADERS) + 1  # one is the request line's

    def read(self, limit: int) -> bool:
        """Read what there is of a request's head; tell whether it is complete, or too long to be waited for.

        Raises:
            OSError: The client has left, or does not know TLS.
            LimitRequestHeaders: There are more header fields than are allowed.
        """
        try:
            if not self._is_secret:
                self.sock.do_handshake()
                self._is_secret = True
            if self._is_read_by_gunicorn:
                return True
            while not self.has_head(limit):
                self.event = selectors.EVENT_READ
                data = self.sock.recv(_READ_AT_ONCE)
                if not data:
                    raise ConnectionAbortedError
                self.head += data
        except ssl.SSLWantWriteError:
            self.event = selectors.EVENT_WRITE
        except (BlockingIOError, ssl.SSLWantReadError):
            self.event = selectors.EVENT_READ
        else:
            return True
        return False

    def has_head(self, limit: int) -> bool:
        """Whether what has been read holds the end of a head, or can never become one.

        Only what is new is looked at: a client may send a long head, and then byte after byte.

        Raises:
            LimitRequestHeaders: There are more header fields than are allowed.
        """
        # One empty line may stand before a request (RFC 9112, section 2.2).
        empty = self.head.startswith(b"\r\n")
        start = max(self._searched - len(_END_OF_HEAD), 2 if empty else 0)
        new = self.head[max(self._searched - 1, 0) :]  # with the byte before it, which may be the CR of a CRLF
        context = new[:1] if self._searched else b""
        self._searched = len(self.head)
        if self.head.find(_END_OF_HEAD, start) >= 0:
            return True
        line_ends = new.count(b"\n") - context.count(b"\n")
        self._line_ends += line_ends
        if len(self.head) > limit or line_ends > new.count(b"\r\n"):  # gunicorn refuses a bare LF
            return True
        # gunicorn would count them at the end of the head; an obsolete line that goes on is no field of its own.
        if self._line_ends > self._most_line_ends + empty and not self.cfg.permit_obsolete_folding:
            raise LimitRequestHeaders("limit request headers fields")
        return False

    @property
    def _is_read_by_gunicorn(self) -> bool:
        """Whether it may speak something else than HTTP/1, which only trusted peers and TLS may."""
        cfg = self.cfg
        return bool(
            cfg.protocol != "http"
            or cfg.proxy_protocol != "off"
            or negotiation.prior_knowledge_allowed(cfg, self.client)
            or is_http2_negotiated(self.sock)
        )

    def init(self) -> None:
        """Make the parser, and give it what has been read; gunicorn calls this in the thread."""
        if not self.initialized and self.cfg.is_ssl:  # gunicorn's own version would do the handshake
            self.is_http2 = is_http2_negotiated(self.sock)
            self.parser = http.get_parser(self.cfg, self.sock, self.client, http2_connection=self.is_http2)
            self.initialized = True
            if self.is_http2:
                self.parser.initiate_connection()
        super().init()
        if self.is_http2:
            self.sock.settimeout(self.sock.patience)  # it reads from the socket itself
        else:
            known = self.parser.unreader.take_buffered() if not self.head else bytes(self.head)
            self.parser.unreader = ClientReader(self.sock, known)
            self.head.clear()

    def take_back(self) -> None:
        """Take from the parser what it has read of the next request."""
        self.head[:] = self.parser.unreader.take_buffered()
        self._searched = self._line_ends = 0

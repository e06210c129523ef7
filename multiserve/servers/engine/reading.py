"""What a connection reads: uvicorn's parser made strict, with limits, and with refusals that wait for their turn.

What it leans on in uvicorn is listed in `release`, and held against the installed release there.
"""

from __future__ import annotations

import asyncio
import sys
from http import HTTPStatus
from urllib.parse import quote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from multiserve.servers.addresses import TLS_RECORD
from multiserve.servers.engine import heads
from multiserve.servers.engine.heads import LOOKED_AT, Refusal
from multiserve.servers.engine.host import Host

_SAFE = "/?%:@!$&'()*+,;=-._~#[]|\\^`{}\"<>"  # everything that is printable: only bytes beyond ASCII are escaped

_UNDERSCORE = ord("_")  # to look for a byte is ten times as fast as to look for bytes

_PART = 65536  # bytes that the parser gets at a time: only from one such part to the next they can be counted
_LONGEST_TRAILER = 65536  # bytes between the end of a part of the body and the next one, or the end of the request


class RequestReader(HttpToolsProtocol):
    """The half of a connection that reads requests.

    Attributes:
        is_refused: Nothing more is read.
        is_half_closed: Nothing more may be written.
        refused_later: The status of a refusal that waits for the responses in front of it.
    """

    def __init__(self, listener: Host, loop: asyncio.AbstractEventLoop) -> None:
        """Read for a listener."""
        super().__init__(listener.config, listener.state, {}, loop)
        self.listener = listener
        self.settings = listener.settings
        self._shortest_limit = listener.settings.shortest_limit
        self._most_fields = listener.settings.most_fields or sys.maxsize
        self._packets = 0
        self._head = self._piece = 0  # bytes, not more than there are, of a head and since the last thing in a message
        self._part = 0  # bytes that the parser has got last
        self._most_of_head = 0  # bytes, not fewer than there are, of a head
        self._once: set[bytes] = set()  # which fields that must not come twice have come
        self._in_head = self._in_message = False
        self._ignores_upgrade = False
        self.is_refused = self.is_half_closed = False
        self.refused_later: HTTPStatus | None = None

    def data_received(self, data: bytes) -> None:
        """Read, but no head and no trailer that is too long."""
        if self.is_refused:
            return
        self._packets += 1
        if self._packets == 1 and data.startswith(TLS_RECORD) and self.scheme == "http":
            self.listener.note_https(self.transport)
        self._unset_keepalive_if_required()
        rest: bytes | memoryview = data if len(data) <= _PART else memoryview(data)
        while rest and not self.is_refused:
            rest = self._read(rest)

    def _read(self, data: bytes | memoryview) -> bytes | memoryview:
        """Read some of what has come; return the rest."""
        part = data[:_PART]
        self._part = len(part)
        self._most_of_head += len(part)
        self._piece += len(part)
        self._head += len(part)
        try:
            self.parser.feed_data(part)
        except httptools.HttpParserUpgrade as upgrade:
            if not self._ignores_upgrade:
                self._upgrade()
                return data[:0]
            self._read_without_upgrade()
            return data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            self._refuse_unread(error)
        if self._in_head or self._piece > _LONGEST_TRAILER:
            self._check_lengths()
        return data[_PART:]

    def _refuse_unread(self, error: Exception) -> None:
        """Refuse what the parser could not read, or one of its callbacks did not take."""
        cause = error.__context__
        self._refuse_in_turn(cause.status if isinstance(cause, Refusal) else HTTPStatus.BAD_REQUEST)

    def _check_lengths(self) -> None:
        """Refuse what has no end; what is complete is looked at when it is."""
        if self.is_refused:
            return
        if not self._in_head:
            if self._in_message and self._piece > _LONGEST_TRAILER:
                self._refuse_in_turn(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        longest = self.settings.longest_field or self.settings.longest_head
        if not self.headers:  # the line belongs to it, too: a field comes only when the next one begins
            longest += (self.settings.longest_line or self.settings.longest_head) + len("\r\n")
        if self._piece > longest or self._head > self.settings.longest_head:
            is_line = len(self.url) > self.settings.longest_line > 0
            self._refuse_in_turn(
                HTTPStatus.REQUEST_URI_TOO_LONG if is_line else HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            )

    def _upgrade(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._refuse_in_turn(HTTPStatus.BAD_REQUEST)  # the response under way comes first
        elif self.listener.has_room_for_websocket:
            self.handle_websocket_upgrade()
        else:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, b"retry-after: 10\r\n")

    def _read_without_upgrade(self) -> None:
        """Read a head again without its Upgrade: llhttp takes all that follows for another protocol."""
        self._ignores_upgrade = False
        version = self.parser.get_http_version().encode()
        parts = [self.parser.get_method(), b" ", self.url, b" HTTP/", version, b"\r\n"]
        for name, value in self.headers:
            if name != b"upgrade":
                parts += (name, b": ", value, b"\r\n")
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        try:
            self.parser.feed_data(b"".join((*parts, b"\r\n")))
        except httptools.HttpParserError as error:
            self._refuse_unread(error)

    def on_message_begin(self) -> None:
        """Begin with a head."""
        super().on_message_begin()
        self._in_head = True
        self._head = self._piece = 0
        self._most_of_head = self._part
        self._once.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field, without the white space behind its value, which httptools leaves on."""
        if not self._in_head:
            return  # a trailer: uvicorn would add it to the headers that an application already has
        self._piece = 0
        name, value, headers = name.lower(), value.rstrip(b" \t"), self.headers
        if name in LOOKED_AT:
            heads.check_field(name, value, self._once)
            self.expect_100_continue = self.expect_100_continue or name == b"expect"
        elif _UNDERSCORE in name:
            return  # X_Name and X-Name would be the same variable of an environ; gunicorn drops it, too
        headers.append((name, value))
        if len(headers) > self._most_fields:
            raise Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Refuse what must not be served, and take the authority off a target in absolute form."""
        self._in_head, self._in_message = False, True
        self._piece = 0
        method, version = self.parser.get_method(), self.parser.get_http_version()
        if self._most_of_head > self._shortest_limit:
            heads.check_sizes(method, self.url, self.headers, self.settings)
        heads.check_head(method, self.url, version, self._once)
        if version == "1.0":
            self.expect_100_continue = False  # RFC 9110, section 10.1.1
        if self.parser.should_upgrade():
            if not self._should_upgrade():
                self._ignores_upgrade = True
                return
            heads.check_handshake(method, version, self.headers)
        is_whole = self.url == b"*"
        if is_whole:
            self.url = b"/"  # httptools parses no asterisk
        elif not self.url.startswith(b"/"):
            authority, self.url = heads.split_absolute(self.url)
            # RFC 9112, section 3.2.2: the Host field is replaced.
            self.headers[:] = [(b"host", authority), *(each for each in self.headers if each[0] != b"host")]
        if not self.url.isascii():
            self.url = quote(self.url, safe=_SAFE).encode()
        super().on_headers_complete()
        if is_whole:
            self.scope["path"], self.scope["raw_path"] = "*", b"*"

    def on_chunk_header(self) -> None:
        """Take note of a chunk; uvicorn does not."""
        self._piece = 0

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._piece = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take note that nothing more of a request is to come."""
        self._in_message = False
        if not self._ignores_upgrade:
            super().on_message_complete()

    # Refusals.

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's)
        """Refuse a request in our way, should uvicorn itself refuse it."""
        self._refuse_in_turn(HTTPStatus.BAD_REQUEST)

    def _refuse_in_turn(self, status: HTTPStatus) -> None:
        """Refuse what cannot be read, but not before the requests in front of it have their responses."""
        cycle = self.cycle
        if cycle is None or cycle.response_complete or (cycle.more_body and not self.pipeline):
            self.refuse(status)
        else:
            self.is_refused, self.refused_later = True, status

    def refuse(self, status: HTTPStatus, fields: bytes = b"") -> None:
        """Answer in place of the application, if nothing has left yet, and close."""
        self.is_refused = True
        cycle = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()
            body = status.phrase.encode()
            head = b"HTTP/1.1 %d %b\r\n%bcontent-type: text/plain; charset=utf-8\r\n" % (status, body, fields)
            self.transport.write(head + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body) + body)
        self.listener.close_gently(self)

    def close_after_response(self) -> None:
        """Close, gently where more of the request is to come: the client's system would drop the response."""
        if self._in_message and not self.transport.is_closing():
            self.listener.close_gently(self)
        else:
            self.transport.close()

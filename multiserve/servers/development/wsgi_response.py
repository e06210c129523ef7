"""The response of a WSGI application on its way to the client: what PEP 3333 and RFC 9112 ask of both is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from io import BufferedIOBase
from types import TracebackType
from typing import TypeAlias

from multiserve._types import WSGIApplication, WSGIEnvironment
from multiserve.fields import NAME
from multiserve.servers.development.request_body import BadBody

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
Headers: TypeAlias = list[tuple[str, str]]

# Connection management is the server's (PEP 3333, "Other HTTP Features").
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding",
     "upgrade")
)  # fmt: skip
_STATUS = re.compile(r"[2-9][0-9]{2}(?: [\t\x20-\x7e\x80-\xff]*)?")
_NAME = re.compile(NAME)
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_LENGTH = re.compile(r"[0-9]{1,18}")
_NO_BODY = (204, 304)
_TOO_LONG = "the response is longer than its Content-Length of {}"


class BadResponse(ValueError):  # noqa: N818 (the name says what is wrong)
    """An application's response cannot be sent as it is."""


class Response:
    """One response.

    Attributes:
        sent: Bytes of the body.
        is_begun: The head has been sent: what is wrong from now on can only close the connection.
        is_broken: The connection is closed before the response looks complete.
        client_gone: The client did not take the response in.
    """

    def __init__(
        self, stream: BufferedIOBase, method: str, version: str, send_head: Callable[[int, str, Headers], None]
    ) -> None:
        """Prepare to answer a request.

        Args:
            stream: Where the body is written to.
            method: The method of the request.
            version: Its version of HTTP; 1.0 knows no chunks.
            send_head: Send the head, given the status, the reason phrase and the headers.
        """
        self._stream = stream
        self._is_head = method == "HEAD"
        self._knows_chunks = version >= "HTTP/1.1"
        self._send_head = send_head
        self._status = ""
        self._headers: Headers = []
        self._length: int | None = None
        self.sent = 0
        self._is_chunked = False
        self.is_begun = False
        self.is_broken = False
        self.client_gone = False

    def send(self, application: WSGIApplication, environ: WSGIEnvironment) -> None:
        """Let an application answer, and send the whole of it.

        Raises:
            BadResponse: It cannot be sent as it is.
            OSError: The client does not take it in (`client_gone`), or its request is malformed.
        """
        result = application(environ, self.start)
        try:
            if isinstance(result, (list, tuple)) and not self.is_begun:
                self._check_length(sum(map(len, result)))
            for data in result:
                self.write(data)
            self._finish()
        finally:
            if hasattr(result, "close"):
                result.close()

    def start(self, status: str, headers: Headers, exc_info: ExcInfo | None = None) -> Callable[[bytes], None]:
        """Take status and headers: `start_response` of PEP 3333."""
        if exc_info and exc_info[1]:
            try:
                if self.is_begun:
                    self.is_broken = True
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # no circle of frames
        elif self._status:
            raise BadResponse("start_response() was called twice")
        self._length = _check_head(status, headers)
        self._status, self._headers = status, list(headers)
        return self.write

    def write(self, data: bytes) -> None:
        """Send a part of the body, behind the head: `write` of PEP 3333."""
        if not isinstance(data, bytes):
            raise BadResponse(f"a part of the response is no bytes but {type(data).__name__}")
        if not data:
            return
        room = len(data)
        if self._has_body and self._length is not None:
            room = self._length - self.sent
        if not self.is_begun:
            if room < len(data):
                raise BadResponse(_TOO_LONG.format(self._length))
            self._begin()
        if self._has_body:
            self._write(data[:room])
            if room < len(data):
                raise BadResponse(_TOO_LONG.format(self._length))

    @property
    def _has_body(self) -> bool:
        return not self._is_head and int(self._status[:3] or 0) not in _NO_BODY

    def _begin(self) -> None:
        if not self._status:
            raise BadResponse("start_response() was not called")
        code, _, reason = self._status.partition(" ")
        headers = [(name, value) for name, value in self._headers if name.lower() not in _HOP_BY_HOP]
        self._is_chunked = self._has_body and self._length is None and self._knows_chunks
        if self._is_chunked:
            headers.append(("Transfer-Encoding", "chunked"))
        self._send_or_note(lambda: self._send_head(int(code), reason, headers))
        self.is_begun = True

    def _write(self, data: bytes) -> None:
        if not data:
            return
        self.sent += len(data)
        framed = b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data
        self._send_or_note(lambda: self._stream.write(framed))

    def _send_or_note(self, send: Callable[[], object]) -> None:
        try:
            send()
        except BadBody:
            raise  # it is the request that is wrong
        except OSError:
            self.client_gone = True
            raise

    def _check_length(self, length: int) -> None:
        if not self._has_body or self._length is None or length == self._length:
            return
        if length > self._length:
            raise BadResponse(_TOO_LONG.format(self._length))
        raise BadResponse(f"the response ended after {length} of {self._length} bytes")

    def _finish(self) -> None:
        self._check_length(self.sent)
        if not self.is_begun:
            self._begin()
        if self._is_chunked and not self.is_broken:
            self._send_or_note(lambda: self._stream.write(b"0\r\n\r\n"))


def _check_head(status: str, headers: Iterable[tuple[str, str]]) -> int | None:
    """Raise what is wrong with a head, and return the Content-Length if there is one."""
    if not isinstance(status, str) or not _STATUS.fullmatch(status):
        raise BadResponse(f"not a status: {status!r}")
    lengths = []
    for name, value in headers:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise BadResponse(f"not the name of a header: {name!r}")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise BadResponse(f"not a value for the header {name}: {value!r}")
        if name.lower() == "content-length":
            lengths.append(value)
    if len(lengths) > 1:
        raise BadResponse("more than one Content-Length")
    if lengths and not _LENGTH.fullmatch(lengths[0]):
        raise BadResponse(f"not a Content-Length: {lengths[0]!r}")
    return int(lengths[0]) if lengths else None

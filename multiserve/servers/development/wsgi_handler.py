"""werkzeug's request handler, made as strict as a production server, with the same environ."""

from __future__ import annotations

import contextlib
import re
import ssl
import threading
import time
import traceback
from collections.abc import Callable
from email.errors import InvalidHeaderDefect, MissingHeaderBodySeparatorDefect
from email.message import Message
from http import HTTPStatus
from socket import SHUT_WR, socket
from typing import ClassVar
from urllib.parse import unquote_to_bytes, urlsplit

from werkzeug.exceptions import InternalServerError
from werkzeug.serving import WSGIRequestHandler

from multiserve._types import WSGIEnvironment
from multiserve.dispatch.absolute_form import find_authority
from multiserve.dispatch.environ_keys import MOUNT_KEY, REQUEST_ID_KEY
from multiserve.dispatch.pages import WAITS_HEADER
from multiserve.fields import CONTROL
from multiserve.servers.addresses import TLS_RECORD, spoken_https
from multiserve.servers.development.access_line import Answered, is_of_our_own_pages
from multiserve.servers.development.request_body import BadBody, RequestBody
from multiserve.servers.development.tls import end_gently
from multiserve.servers.development.wsgi_response import BadResponse, Response
from multiserve.tracebacks import own_frames

_REQUEST_LINE = re.compile(r"[!$%&'*+\-.^_`|~0-9A-Z]{3,20} [\x21-\x7e]+ HTTP/1\.[0-9]")
_LONGEST_TARGET = 8190
# Seconds to wait for what a client still sends after the response: altogether, and without a byte while its request is
# incomplete or complete.
_LONGEST_REST = 5.0
_PAUSE = 1.0
_MOMENT = 0.01
_NOT_IN_VALUES = re.compile(CONTROL)


class RequestHandler(WSGIRequestHandler):
    """Reads requests as RFC 9112 says, and closes the connection after each response.

    Attributes:
        log_access: Write a line of the access log; None for no access log.
    """

    log_access: ClassVar[Callable[[Answered], None] | None] = None
    protocol_version = "HTTP/1.1"  # also without threads, where werkzeug would go back to 1.0
    _is_read = False  # everything has been read that belongs to the request
    _status = 0  # of the response, once its head is sent
    _began = 0.0

    def handle_one_request(self) -> None:
        """Make the handshake of TLS, read a request, and answer it; refuse a client that begins with TLS over HTTP.

        What such a client sends has no end of a line: both sides would wait.
        """
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()
        elif self.rfile.peek(1)[:1] == TLS_RECORD:  # type: ignore[attr-defined] # it is buffered
            self.close_connection = self._is_read = True
            self.log("warning", "%s", spoken_https(self.connection.getsockname()))
            self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Parse the request line and the headers; what is malformed gets 400, and too long a target 414."""
        line = str(self.raw_requestline, "latin-1").rstrip("\r\n")
        self.command, self.requestline, self.request_version = "", line, self.protocol_version  # in case of an error
        if line.strip() and (fault := _fault_of_line(line)):
            self.send_error(HTTPStatus.BAD_REQUEST, fault)
            return False
        if not super().parse_request():
            return False
        self.path = line.split(" ")[1]  # http.server has folded //path into /path
        if len(self.path) > _LONGEST_TARGET:
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return False
        if fault := _fault_of_headers(self.headers, self.request_version):
            self.send_error(HTTPStatus.BAD_REQUEST, fault)
            return False
        return True

    def handle_expect_100(self) -> bool:
        """Go on: `100 Continue` is sent when the application reads the body."""
        return True

    def run_wsgi(self) -> None:
        """Let the application answer; what it raises is logged, and gets 500 unless a response has begun."""
        self._status, self._began = 0, time.monotonic()
        response = self._response = self._new_response()
        self.environ = self.make_environ()
        try:
            response.send(self.server.app, self.environ)
        except Exception as error:  # noqa: BLE001 (applications raise anything)
            self._answer_exception(response, error)
        except SystemExit as error:
            if threading.current_thread() is threading.main_thread():
                raise  # a signal ends the server
            self._answer_exception(response, error)
        finally:
            if self._status:
                self.log_request(self._status)
        self._is_read = self._body.is_complete

    def _new_response(self) -> Response:
        return Response(self.wfile, self.command, self.request_version, self._send_head)

    def _send_head(self, code: int, reason: str, headers: list[tuple[str, str]]) -> None:
        if isinstance(fault := self._body.fault, BadBody):
            raise fault  # whatever the application makes of it
        self._status = code
        self.send_response_only(code, reason)
        names = {name.lower() for name, _ in headers}
        for name, value in (("Server", self.version_string()), ("Date", self.date_time_string())):
            if name.lower() not in names:
                self.send_header(name, value)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def _answer_exception(self, response: Response, error: BaseException) -> None:
        """Log what an application has raised unless the client is at fault, and answer if no response has begun."""
        self.close_connection = True
        fault = self._body.fault
        # flask-sock raises a bare ConnectionError once a WebSocket is closed, whose handshake it has answered itself.
        if response.client_gone or isinstance(fault, ConnectionError) or type(error) is ConnectionError:
            if self._is_websocket and not (response.is_begun or response.client_gone):
                self._status = HTTPStatus.SWITCHING_PROTOCOLS
            return
        if fault:
            if not response.is_begun:
                late = isinstance(fault, TimeoutError)
                self.send_error(HTTPStatus.REQUEST_TIMEOUT if late else HTTPStatus.BAD_REQUEST, str(fault))
            return
        self.log("error", "%s", describe_exception(self.environ, error))
        if not response.is_begun:
            with contextlib.suppress(OSError):
                self._new_response().send(InternalServerError(), self.environ)

    def finish(self) -> None:
        """Close the connection so that the client can still read the response (RFC 9112, section 9.6)."""
        super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            end_gently(self.connection)
        _drop_rest(self.connection, _MOMENT if self._is_read else _PAUSE)

    def _continue(self) -> None:
        """Send `100 Continue` to a client that waits for it before it sends the body."""
        expects = self.headers.get("Expect", "").strip().lower() == "100-continue"
        if expects and self.request_version >= "HTTP/1.1" and not self._response.is_begun:
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def make_environ(self) -> WSGIEnvironment:
        """Build the environ (PEP 3333)."""
        target, self.path = self.path, "/"  # werkzeug would read the target in its own way
        environ = super().make_environ()
        self.path = target
        path, query = split_target(target)
        for name in environ:
            if name.startswith(("HTTP_", "CONTENT_")):
                environ[name] = environ[name].strip(" \t")
        if cookies := self.headers.get_all("Cookie"):  # werkzeug joins them by a comma, which is a part of a value
            environ["HTTP_COOKIE"] = "; ".join(each.strip(" \t") for each in cookies)
        environ["PATH_INFO"] = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
        environ["QUERY_STRING"] = query
        environ["REMOTE_PORT"] = str(environ["REMOTE_PORT"])  # werkzeug gives a number
        environ["REQUEST_URI"] = environ["RAW_URI"] = target
        if target_host := find_authority(target):
            environ["HTTP_HOST"] = target_host  # RFC 9112, section 3.2.2
        # Applications may replace it.
        self._body = environ["wsgi.input"] = RequestBody(self.rfile, _length_of_body(self.headers), self._continue)
        environ["wsgi.input_terminated"] = True
        return environ

    @property
    def _is_websocket(self) -> bool:
        headers: Message | None = getattr(self, "headers", None)  # they may be what could not be read
        return headers is not None and headers.get("Upgrade", "").lower() == "websocket"

    def _is_of_our_own_pages(self, status: int) -> bool:
        headers: Message | None = getattr(self, "headers", None)
        return headers is not None and is_of_our_own_pages(status, self.path, waits=WAITS_HEADER in headers)

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 (the name is inherited)
        """Log a message as it is, as the ASGI server does; werkzeug would put the client and the time before it."""
        self.server.log(type, message, *args)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write the line of the access log, also for a request that could not be read."""
        del size
        if (write := type(self).log_access) is None or self._is_of_our_own_pages(int(code)):
            return
        is_read, seconds = bool(self.command), time.monotonic() - (self._began or time.monotonic())
        environ = getattr(self, "environ", {})
        answered = Answered(
            client=environ.get("REMOTE_ADDR", self.client_address[0]),
            method=("WEBSOCKET" if self._is_websocket else self.command) if is_read else "",
            target=self.path if is_read else self.requestline,
            status=int(code),
            mount=environ.get(MOUNT_KEY, ""),
            seconds=seconds,
            protocol=self.request_version,
            sent=self._response.sent if is_read and environ else 0,
            request_id=environ.get(REQUEST_ID_KEY, ""),
        )
        with contextlib.suppress(OSError, ValueError):  # the stream may be closed, or full
            write(answered)


def describe_exception(environ: WSGIEnvironment, error: BaseException) -> str:
    """Describe an exception for the log, beginning with the mount of the application that has raised it."""
    name = environ.get(MOUNT_KEY)
    where = f"The application at {name}" if name else "The answer where no mount is"
    if isinstance(error, BadResponse):
        return f"{where} failed: {error}"
    details = traceback.TracebackException.from_exception(error)
    del details.stack[: len(details.stack) - len(own_frames(error))]
    return f"{where} failed:\n{''.join(details.format())}".rstrip()


def _drop_rest(connection: socket, pause: float) -> None:
    """Close the sending side, and read and drop what the client still sends, for a while.

    A connection that is closed with unread bytes is reset by the system, and the client might lose the response.

    Args:
        connection: The connection.
        pause: Seconds to wait for each part.
    """
    end = time.monotonic() + _LONGEST_REST
    with contextlib.suppress(OSError):
        connection.shutdown(SHUT_WR)
        while (left := end - time.monotonic()) > 0:
            connection.settimeout(min(pause, left))
            if not connection.recv(65536):
                break


def _length_of_body(headers: Message) -> int | None:
    """Return the length of the body of a request whose headers are right; None if it is chunked."""
    return None if "Transfer-Encoding" in headers else int(headers.get("Content-Length", "0"))


def _fault_of_line(line: str) -> str:
    """Return what is wrong with a request line (RFC 9112, section 3); empty if nothing is."""
    if not _REQUEST_LINE.fullmatch(line):
        return "Bad request line"
    method, target, _ = line.split(" ")
    if method == "CONNECT":
        return "No tunnels"
    if target.startswith("/"):
        return ""
    if "://" in target:
        return "" if find_authority(target) else "Bad request target"
    return "" if target == "*" and method == "OPTIONS" else "Bad request target"


def _fault_of_headers(headers: Message, version: str) -> str:
    """Return what is wrong with the headers (RFC 9110, section 5; RFC 9112, section 3.2); empty if nothing is."""
    if any(isinstance(defect, (MissingHeaderBodySeparatorDefect, InvalidHeaderDefect)) for defect in headers.defects):
        return "Bad header"
    if any(_NOT_IN_VALUES.search(value) for value in headers.values()):
        return "Bad header value"
    for name in ("Host", "Content-Type", "Content-Length", "Transfer-Encoding"):
        if len(headers.get_all(name, [])) > 1:
            return f"More than one {name}"
    if "Host" not in headers and version == "HTTP/1.1":
        return "No Host"
    return _fault_of_body(headers, version)


def _fault_of_body(headers: Message, version: str) -> str:
    """Return what is wrong with how a body is announced (RFC 9112, section 6); empty if nothing is."""
    length, coding = headers.get("Content-Length"), headers.get("Transfer-Encoding")
    if length is not None and not re.fullmatch(r"0*[0-9]{1,18}[ \t]*", length):
        return "Bad Content-Length"
    if coding is not None and (coding.strip().lower() != "chunked" or length is not None or version == "HTTP/1.0"):
        return "Bad Transfer-Encoding"
    return ""


def split_target(target: str) -> tuple[str, str]:
    """Split a request target (RFC 9112, section 3.2) into its path, as the client wrote it, and its query.

    Raises:
        ValueError: It has an authority that is none, such as http://[::1/.
    """
    # As gunicorn does it: behind a dot, the first segment of //path is not taken for an authority.
    parts = urlsplit(f".{target}" if target.startswith("//") else target)
    path = parts.path[target.startswith("//") :]
    return path or "/", parts.query  # an absolute URL may have none, which is the same as a slash (RFC 9110, 4.2.3)

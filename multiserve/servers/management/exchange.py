"""One request to the management listener and what answers it, as bytes; it reads from no socket."""

from __future__ import annotations

import io
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl

from multiserve.hosts import normalise_host

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
HTML = "text/html; charset=utf-8"
_FORM = "application/x-www-form-urlencoded"
_READING = ("GET", "HEAD")
_REQUEST_LINE = re.compile(rb"[A-Z]+ /\S* HTTP/1\.[01]\r?\n")
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request.

    Attributes:
        method: Its method.
        path: The path, as the client has written it.
        query: The first value of each parameter.
        accept: The header Accept; empty without one.
        form: The first value of each field of a form that was sent.
        headers: The other headers; of those with the same name, the first.
    """

    method: str = "GET"
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    accept: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def wants_json(self) -> bool:
        """Whether JSON is asked for, by `?format=json` or the header."""
        return self.query.get("format") == "json" or JSON in self.accept

    @property
    def cookies(self) -> dict[str, str]:
        """The value of each cookie."""
        try:
            return {name: morsel.value for name, morsel in SimpleCookie(self.headers.get("cookie", "")).items()}
        except CookieError:
            return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What answers; `headers` are those beside the ones that every response has."""

    status: int = 200
    body: str = ""
    content_type: str = TEXT
    headers: tuple[tuple[str, str], ...] = ()


Page = Callable[[Request], Response]


class Exchange(BaseHTTPRequestHandler):
    """Reads one request from bytes and writes the response to bytes; the parser is that of the standard library."""

    protocol_version = "HTTP/1.1"
    error_message_format = "%(message)s\n"
    error_content_type = TEXT

    def __init__(self, received: bytes, pages: Mapping[str, Page], host: str) -> None:
        """Answer.

        Args:
            received: The request.
            pages: What answers, by path; to another method than GET and HEAD, by method and path, such as `POST /act`.
            host: The host of the address of the listener; empty for that of a unix socket.
        """
        self._pages = pages
        self._host = host
        self.rfile = io.BytesIO(received)
        self.wfile = self._written = io.BytesIO()
        self.raw_requestline = self.rfile.readline()
        if not _REQUEST_LINE.fullmatch(self.raw_requestline):
            self.wfile.write(_BAD_REQUEST)
        elif self.parse_request():
            self._answer()

    @property
    def answer(self) -> bytes:
        """The response as bytes."""
        return self._written.getvalue()

    def version_string(self) -> str:
        """Return the header Server, without the version of Python."""
        return "multiserve"

    def log_message(self, *_: Any) -> None:
        """Log nothing: the locks of the log must be free where a worker is forked."""

    def handle_expect_100(self) -> bool:
        """Send no interim response: a body that is taken is short, and comes without one."""
        return True

    def _answer(self) -> None:
        if (refusal := self._refusal()) is not None:
            self._send(Response(status=refusal))
        else:
            self._respond()

    def _refusal(self) -> HTTPStatus | None:
        """Return why the request is refused, before anything is looked up: not its own Host, against DNS rebinding."""
        hosts = self.headers.get_all("Host", [])
        if not hosts and self.request_version == "HTTP/1.0":  # such as haproxy's
            return None
        if len(hosts) != 1:
            return HTTPStatus.BAD_REQUEST
        return None if is_own_host(hosts[0], self._host) else HTTPStatus.MISDIRECTED_REQUEST

    def _respond(self) -> None:
        path, _, query = self.path.partition("?")
        page = self._pages.get(path if self.command in _READING else f"{self.command} {path}")
        if page is not None:
            self._send(_contained(page, self._request(path, query)))
        elif allowed := self._methods_of(path):
            self._send(Response(status=405, body="Method Not Allowed\n", headers=(("Allow", ", ".join(allowed)),)))
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def _methods_of(self, path: str) -> list[str]:
        others = [key.partition(" ")[0] for key in self._pages if key.partition(" ")[2] == path]
        return [*(_READING if path in self._pages else ()), *others]

    def _request(self, path: str, query: str) -> Request:
        sent = self.rfile.read().decode("utf-8", "replace") if self.headers.get_content_type() == _FORM else ""
        return Request(
            method=self.command,
            path=path,
            query=_first_values(query),
            accept=self.headers.get("Accept", ""),
            form=_first_values(sent),
            headers={name.lower(): value for name, value in reversed(self.headers.items())},
        )

    def _send(self, response: Response) -> None:
        body = response.body.encode("utf-8", "replace")
        self.send_response(response.status)
        for name, value in (
            ("Content-Type", response.content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
            *response.headers,
        ):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _first_values(text: str) -> dict[str, str]:
    return dict(reversed(parse_qsl(text, keep_blank_values=True)))


def _contained(page: Page, request: Request) -> Response:
    """Answer 500 where a page fails: the other pages are needed most when something is wrong."""
    try:
        return page(request)
    except Exception as error:  # noqa: BLE001
        return Response(status=500, body=f"Internal Server Error: {type(error).__name__}\n")


def is_own_host(header: str, own: str) -> bool:
    """Return whether a Host header is an IP address, `localhost`, or the host of the address itself."""
    normal = normalise_host(header)
    if normal is None:
        return False
    host = normal[0].strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host in ("localhost", own.lower())
    return True

"""werkzeug's request handler, made to hand over what a production server hands over."""

from __future__ import annotations

import re
from email.errors import InvalidHeaderDefect, MissingHeaderBodySeparatorDefect
from email.message import Message
from http import HTTPStatus
from typing import IO, cast
from urllib.parse import unquote_to_bytes, urlsplit

from werkzeug.serving import WSGIRequestHandler

from multiserve._types import WSGIEnvironment
from multiserve.servers.development.request_body import RequestBody

_REQUEST_LINE = re.compile(r"[!$%&'*+\-.^_`|~0-9A-Z]{3,20} [\x21-\x7e]+ HTTP/1\.[0-9]")
_NOT_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class RequestHandler(WSGIRequestHandler):
    """Reads the request target as gunicorn does, keeps the Host header, and ends `wsgi.input` where the body ends."""

    protocol_version = "HTTP/1.1"  # also without threads, where werkzeug would go back to 1.0

    def parse_request(self) -> bool:
        """Parse the request line and the headers; what gunicorn refuses is refused here as well."""
        if not super().parse_request():
            return False
        # http.server has folded //path into /path; the request line still has what the client wrote.
        self.path = self.requestline.split()[1]
        for fault in (_fault_of_line(self.requestline), _fault_of_headers(self.headers, self.request_version)):
            if fault:
                self.send_error(HTTPStatus.BAD_REQUEST, fault)
                return False
        return True

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
        environ["wsgi.input"] = RequestBody(cast("IO[bytes]", self.rfile), _length_of_body(self.headers))
        environ["wsgi.input_terminated"] = True
        return environ

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log the request, also one whose target werkzeug cannot make readable, such as //[."""
        try:
            super().log_request(code, size)
        except ValueError:
            self.log("info", "%r %s %s", self.requestline, code, size)


def _length_of_body(headers: Message) -> int | None:
    """Return the length of the body of a request whose headers are right; None if it is chunked."""
    return None if "Transfer-Encoding" in headers else int(headers.get("Content-Length", "0"))


def _fault_of_line(line: str) -> str:
    """Say what is wrong with a request line (RFC 9112, section 3); nothing if it is right."""
    if not _REQUEST_LINE.fullmatch(line):
        return "Bad request line"
    method, target, _ = line.split(" ")
    try:
        split_target(target)
    except ValueError:
        return "Bad request target"
    right = method == "OPTIONS" if target == "*" else target.startswith("/") or "://" in target or method == "CONNECT"
    return "" if right else "Bad request target"


def _fault_of_headers(headers: Message, version: str) -> str:
    """Say what is wrong with the headers (RFC 9110, section 5; RFC 9112, section 6); nothing if they are right."""
    if any(isinstance(defect, (MissingHeaderBodySeparatorDefect, InvalidHeaderDefect)) for defect in headers.defects):
        return "Bad header"
    if any(_NOT_IN_VALUES.search(value) for value in headers.values()):
        return "Bad header value"
    for name in ("Host", "Content-Type", "Content-Length"):
        if len(headers.get_all(name, [])) > 1:
            return f"More than one {name}"
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
    return parts.path[target.startswith("//") :], parts.query

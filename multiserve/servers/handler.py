"""werkzeug's request handler, made to hand over what a production server hands over."""

from __future__ import annotations

from http import HTTPStatus
from typing import IO, cast
from urllib.parse import unquote_to_bytes

from werkzeug.serving import WSGIRequestHandler
from werkzeug.wsgi import LimitedStream

from multiserve._types import WSGIEnvironment


class RequestHandler(WSGIRequestHandler):
    """Reads the request target as gunicorn does, keeps the Host header, and ends `wsgi.input` where the body ends."""

    def parse_request(self) -> bool:
        """Parse the request line and the headers; a Content-Length that is no length is refused."""
        if not super().parse_request():
            return False
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            self.send_error(HTTPStatus.BAD_REQUEST, "Bad Content-Length")
            return False
        # http.server has folded //path into /path; the request line still has what the client wrote.
        self.path = self.requestline.split()[1]
        return True

    def make_environ(self) -> WSGIEnvironment:
        """Build the environ (PEP 3333)."""
        target, self.path = self.path, "/"  # werkzeug would read the target in its own way
        environ = super().make_environ()
        self.path = target
        path, query = split_target(target)
        environ["PATH_INFO"] = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
        environ["QUERY_STRING"] = query
        environ["REQUEST_URI"] = environ["RAW_URI"] = target
        if not environ.get("wsgi.input_terminated"):
            length = int(environ.get("CONTENT_LENGTH") or 0)
            environ["wsgi.input"] = LimitedStream(cast("IO[bytes]", self.rfile), length)
            environ["wsgi.input_terminated"] = True
        return environ


def split_target(target: str) -> tuple[str, str]:
    """Split a request target (RFC 9112, section 3.2) into its path, as the client wrote it, and its query."""
    target = target.partition("#")[0]
    if not target.startswith("/") and "://" in target:  # absolute-form: the path begins behind the authority
        _, slash, path = target.partition("://")[2].partition("/")
        target = slash + path
    path, _, query = target.partition("?")
    return path, query

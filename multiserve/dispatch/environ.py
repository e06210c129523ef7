"""The environ of a request (PEP 3333), made from an ASGI scope, and its `wsgi.input`."""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from multiserve._types import Scope, WSGIEnvironment
from multiserve.dispatch.environ_keys import ALONE_KEY, MOUNT_KEY, REQUEST_ID_KEY
from multiserve.hosts import DEFAULT_PORTS

_BLOCK = 65536  # bytes read at a time from what an application hands to wsgi.file_wrapper, or from the client


class FileWrapper:
    """`wsgi.file_wrapper`: the blocks of a file, closed at the end."""

    def __init__(self, filelike: IO[bytes], block_size: int = _BLOCK) -> None:
        """Wrap an object with `read`, and perhaps `close`."""
        self._read = lambda: filelike.read(block_size)
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._read, b"")


class RequestBody(io.RawIOBase):
    """The body of a request, for `io.BufferedReader`, which does read, readline and the rest over any packets."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        """Read what `receive` gives: never empty before the end."""
        self._receive = receive
        self._rest = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        """Return True: the stream can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes; 0 is the end."""
        if not self._rest and not self._ended:
            self._rest = memoryview(self._receive())
            self._ended = not self._rest
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def build_environ(scope: Scope, receive: Callable[[], bytes]) -> WSGIEnvironment:
    """Build the environ of a request; nothing of the process's environment gets into it."""
    script_name, path_info, target = _paths(scope)
    query: str = scope.get("query_string", b"").decode("latin-1")
    uri = f"{target}?{query}" if query else target
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": script_name,
        "PATH_INFO": path_info,
        "QUERY_STRING": query,
        "RAW_URI": uri,
        "REQUEST_URI": uri,
        # granian writes 1 for 1.0.
        "SERVER_PROTOCOL": "HTTP/1.0" if scope["http_version"] == "1" else f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": not scope.get(ALONE_KEY, False),  # where nothing tells, this is the careful answer
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
    }
    if MOUNT_KEY in scope:
        environ[MOUNT_KEY] = scope[MOUNT_KEY]
    if REQUEST_ID_KEY in scope:
        environ[REQUEST_ID_KEY] = scope[REQUEST_ID_KEY]
    _add_headers(environ, scope)
    _add_addresses(environ, scope)
    environ["wsgi.input"] = (
        io.BufferedReader(RequestBody(receive), _BLOCK) if _has_body(scope, environ) else io.BytesIO()
    )
    return environ


def _paths(scope: Scope) -> tuple[str, str, str]:
    """Return SCRIPT_NAME, PATH_INFO and the path of the target, from `raw_path`, so that every byte survives."""
    root = scope.get("root_path", "").encode("utf-8")
    path: str = scope["path"]
    raw: bytes | None = scope.get("raw_path")
    target = raw.partition(b"?")[0] if raw else path.encode("utf-8")
    whole = unquote_to_bytes(target) if raw else target
    if root and (whole == root or whole.startswith(root + b"/")):
        whole = whole[len(root) :]
    return root.decode("latin-1"), whole.decode("latin-1"), target.decode("latin-1")


def _add_headers(environ: WSGIEnvironment, scope: Scope) -> None:
    for raw_name, raw_value in scope["headers"]:
        key = _variable(raw_name)
        if not key:
            continue
        value = raw_value.decode("latin-1")
        if key in environ:
            separator = "; " if key == "HTTP_COOKIE" else ","  # RFC 9113, section 8.2.3
            value = f"{environ[key]}{separator}{value}"
        environ[key] = value


@functools.lru_cache(maxsize=256)
def _variable(header: bytes) -> str:
    """Return the variable of a header; none for a name with _, as X_Name and X-Name would be the same variable."""
    if b"_" in header:
        return ""
    name = header.decode("latin-1").upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def _add_addresses(environ: WSGIEnvironment, scope: Scope) -> None:
    """Add client and server; on a unix socket, which has neither, the Host header stands in for the server."""
    client = scope.get("client")
    environ["REMOTE_ADDR"] = client[0] if client else ""
    if client:
        environ["REMOTE_PORT"] = str(client[1])
    server = scope.get("server") or ("", None)
    name, port = server[0], server[1]
    if port is None:
        host = environ.get("HTTP_HOST", "")
        name, _, port = host.rpartition(":")
        if not (port.isascii() and port.isdigit()):
            name, port = host, ""
        port = port or DEFAULT_PORTS.get(environ["wsgi.url_scheme"], "")
    environ["SERVER_NAME"], environ["SERVER_PORT"] = name, str(port)


def _has_body(scope: Scope, environ: WSGIEnvironment) -> bool:
    """Return whether the request may have a body; without one, reading never waits for the client."""
    if environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ:
        return True
    return not scope["http_version"].startswith("1") and "CONTENT_LENGTH" not in environ

"""Which heads of requests are refused, with which status, and what a target in absolute form stands for."""

from __future__ import annotations

from http import HTTPStatus

from multiserve.dispatch.absolute_form import find_authority
from multiserve.servers.engine.settings import EngineSettings

Fields = list[tuple[bytes, bytes]]

_KNOWN_CODINGS = (b"identity", b"gzip", b"deflate", b"compress", b"chunked,identity")
_ONCE = frozenset((b"host", b"content-type", b"transfer-encoding"))
LOOKED_AT = _ONCE | {b"expect"}


class Refusal(Exception):  # noqa: N818 (it is an answer, not an error)
    """A head is refused, with a status."""

    def __init__(self, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        """Keep the status."""
        super().__init__(status)
        self.status = status


def check_field(name: bytes, value: bytes, once: set[bytes]) -> None:
    """Refuse a field of `LOOKED_AT` that asks for what this server does not do, or that comes again.

    Args:
        name: Its name, in lower case.
        value: Its value.
        once: Names of fields that have come and must not come again; the name is added where it is such a one.

    Raises:
        Refusal: With the status.
    """
    if name in once:
        raise Refusal
    if name in _ONCE:
        once.add(name)
    if name == b"expect" and value.lower() != b"100-continue":
        raise Refusal(HTTPStatus.EXPECTATION_FAILED)
    if name == b"transfer-encoding" and (value := value.lower()) != b"chunked":
        is_known = value.replace(b" ", b"") in _KNOWN_CODINGS
        raise Refusal(HTTPStatus.BAD_REQUEST if is_known else HTTPStatus.NOT_IMPLEMENTED)


def check_sizes(method: bytes, url: bytes, headers: Fields, settings: EngineSettings) -> None:
    """Refuse a request line, or a field, that is too long.

    Raises:
        Refusal: With status 414 or 431.
    """
    line = len(method) + len(url) + len("  HTTP/1.1")
    if line > settings.longest_line > 0:
        raise Refusal(HTTPStatus.REQUEST_URI_TOO_LONG)
    longest = settings.longest_field
    if longest > 0 and any(len(name) + len(value) + len(": \r\n") > longest for name, value in headers):
        raise Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)


def check_head(method: bytes, url: bytes, version: str, names: set[bytes]) -> None:
    """Refuse a head that can be read in two ways, or that asks for a tunnel.

    Args:
        method: The method.
        url: The target.
        version: The version of HTTP.
        names: What `check_field` has added to its `once`.

    Raises:
        Refusal: With status 400.
    """
    if (
        version not in ("1.1", "1.0")
        or method == b"CONNECT"
        or (url == b"*" and method != b"OPTIONS")
        or (version == "1.0" and b"transfer-encoding" in names)
        or (version == "1.1" and b"host" not in names)  # RFC 9112, section 3.2
    ):
        raise Refusal


def check_handshake(method: bytes, version: str, headers: Fields) -> None:
    """Refuse a handshake of a WebSocket that is none (RFC 6455, section 4.1), or that has a body.

    Raises:
        Refusal: With status 400.
    """
    has_body = any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0")) for name, value in headers
    )
    if method != b"GET" or version != "1.1" or has_body:
        raise Refusal


def split_absolute(url: bytes) -> tuple[bytes, bytes]:
    """Split a target in absolute form into its authority and the rest, before anything is decoded.

    Raises:
        Refusal: The target is not in absolute form, or its authority is none.
    """
    if (found := find_authority(url.decode("latin-1"))) is None:
        raise Refusal
    authority = found.encode("latin-1")
    rest = url[url.index(b"://") + len("://") + len(authority) :]
    return authority, rest if rest.startswith(b"/") else b"/" + rest

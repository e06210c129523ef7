"""What trusted proxies tell about a request: X-Forwarded-For, -Proto, -Host, -Port and -Prefix, for WSGI and ASGI.

Each proxy adds one value at the end of a header. So the value that counts is as far from the end as there are trusted
proxies. A client can write the values before it; and if there are fewer values, no trusted proxy has added one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from multiserve._types import Scope, WSGIEnvironment
from multiserve.hosts import DEFAULT_PORTS, HIGHEST_PORT, normalise_host
from multiserve.paths import to_wsgi

_FOR, _PROTO, _HOST, _PORT, _PREFIX = (
    f"HTTP_X_FORWARDED_{name}" for name in ("FOR", "PROTO", "HOST", "PORT", "PREFIX")
)
_VARIABLES = {
    b"host": "HTTP_HOST",
    b"x-forwarded-for": _FOR,
    b"x-forwarded-proto": _PROTO,
    b"x-forwarded-host": _HOST,
    b"x-forwarded-port": _PORT,
    b"x-forwarded-prefix": _PREFIX,
}
# Some proxies write ws and wss for a WebSocket, some http and https.
_HTTP = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
_WEBSOCKET = {"http": "ws", "ws": "ws", "https": "wss", "wss": "wss"}
# An IPv4 address, or an IPv6 address in brackets, perhaps with a port; or an IPv6 address as it is.
_CLIENT = re.compile(r"(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{1,5}))?|([0-9A-Fa-f:.]+)")
_DIGITS = re.compile("[0-9]{1,5}")
_SEGMENTS = re.compile(r"((?:/[^/?#\\\x00-\x1f\x7f-\x9f]+)+)/?")


class _Told(NamedTuple):
    """What the proxies tell.

    Attributes:
        client: Address and port of the client, with 0 for an unknown port; None if the address is unknown.
        scheme: The scheme that the client used, or else the one that is known already.
        server: Host and port that the client asked for; None if they stay as they are.
        prefix: The prefix that a proxy has stripped, decoded.
    """

    client: tuple[str, int] | None
    scheme: str
    server: tuple[str, int] | None
    prefix: str

    @property
    def authority(self) -> str:
        """Host and port as a Host header spells them, without the port that the scheme implies."""
        host, port = self.server or ("", 0)
        return host if port == DEFAULT_PORTS.get(self.scheme) else f"{host}:{port}"


def believe_environ(environ: WSGIEnvironment, hops: int) -> None:
    """Put into the environ what the proxies in front tell, before anybody else looks at it.

    A proxy that tells a prefix has stripped it, so SCRIPT_NAME grows by it and PATH_INFO stays. Its header goes, for an
    application that believed it once more would lose the prefix of its mount.

    Args:
        environ: The environ of a request (PEP 3333), changed in place.
        hops: How many proxies in front are trusted: 1 or more.
    """
    told = _read(environ, hops, environ.get("wsgi.url_scheme", "http"), _HTTP)
    environ.pop(_PREFIX, None)
    environ["wsgi.url_scheme"] = told.scheme
    if told.client:
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = told.client[0], str(told.client[1])
    if told.server:
        environ["HTTP_HOST"] = told.authority
        environ["SERVER_NAME"], environ["SERVER_PORT"] = told.server[0], str(told.server[1])
    if told.prefix and _is_path(environ.get("PATH_INFO", "")):
        environ["SCRIPT_NAME"] = to_wsgi(told.prefix) + environ.get("SCRIPT_NAME", "")


def believe_scope(scope: Scope, hops: int) -> None:
    """Put into the scope what the proxies in front tell, before anybody else looks at it.

    As `believe_environ` does; but the path grows by the prefix as well, for the specification wants it whole.

    Args:
        scope: The scope of a request or a WebSocket (ASGI 3.0), changed in place; its list of headers is replaced.
        hops: How many proxies in front are trusted: 1 or more.
    """
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        if variable := _VARIABLES.get(name):
            text = value.decode("latin-1")
            headers[variable] = f"{headers[variable]},{text}" if variable in headers else text
    is_websocket = scope["type"] == "websocket"
    known = scope.get("scheme") or ("ws" if is_websocket else "http")
    told = _read(headers, hops, known, _WEBSOCKET if is_websocket else _HTTP)
    scope["scheme"] = told.scheme
    if told.client:
        scope["client"] = told.client
    if told.server:
        authority = told.authority
        others = (each for each in scope["headers"] if each[0] not in (b"host", b"x-forwarded-prefix"))
        scope["headers"] = [(b"host", authority.encode()), *others]
        scope["server"] = told.server
    elif _PREFIX in headers:
        scope["headers"] = [each for each in scope["headers"] if each[0] != b"x-forwarded-prefix"]
    if told.prefix:
        _put_in_front(scope, told.prefix)


def _read(headers: Mapping[str, str], hops: int, scheme: str, schemes: Mapping[str, str]) -> _Told:
    """Read what the proxies tell.

    Args:
        headers: The headers, by their names in an environ; those of several lines are joined by commas.
        hops: How many proxies are trusted.
        scheme: The scheme as far as it is known.
        schemes: What becomes of those that a proxy may name.
    """
    scheme = schemes.get(_value(headers, _PROTO, hops).lower(), scheme)
    named = _read_host(_value(headers, _HOST, hops), scheme)
    port = _read_port(_value(headers, _PORT, hops))
    server = named
    if port and (found := named or _read_host(headers.get("HTTP_HOST", ""), scheme)):
        server = (found[0], port)
    return _Told(
        client=_read_client(_value(headers, _FOR, hops)),
        scheme=scheme,
        server=server,
        prefix=_read_prefix(_value(headers, _PREFIX, hops)),
    )


def _value(headers: Mapping[str, str], name: str, hops: int) -> str:
    """Return the value that the outermost trusted proxy has added to a header; empty if there are not that many."""
    if name not in headers:
        return ""
    values = headers[name].rsplit(",", hops)
    return values[-hops].strip(" \t") if len(values) >= hops else ""


def _read_client(text: str) -> tuple[str, int] | None:
    match = _CLIENT.fullmatch(text) if text else None
    if match is None:
        return None
    ipv4, bracketed, digits, bare = match.groups()
    address, port = ipv4 or bracketed or bare, int(digits or 0)
    try:
        inet_pton(AF_INET if ipv4 else AF_INET6, address)
    except OSError:
        return None
    return (address, port) if port <= HIGHEST_PORT else None


def _read_host(text: str, scheme: str) -> tuple[str, int] | None:
    found = normalise_host(text, scheme) if text else None
    return found if found and found[1] else None


def _read_port(text: str) -> int:
    port = int(text) if text and _DIGITS.fullmatch(text) else 0
    return port if port <= HIGHEST_PORT else 0


@lru_cache(maxsize=64)
def _read_prefix(text: str) -> str:
    """Decode a prefix, once, as the path is; empty if it is none that can stand in front of a path."""
    try:
        match = _SEGMENTS.fullmatch(unquote_to_bytes(text.encode("latin-1")).decode("utf-8"))
    except UnicodeError:
        return ""
    return match[1] if match else ""


def _put_in_front(scope: Scope, prefix: str) -> None:
    path: str = scope["path"]
    raw: bytes = scope.get("raw_path") or b""
    if not _is_path(path) or not _is_path(raw.decode("latin-1")):
        return
    root_path: str = scope.get("root_path", "").rstrip("/")
    scope["root_path"] = prefix + root_path
    if not f"{path}/".startswith(f"{root_path}/"):
        prefix += root_path  # the server's own, which has been stripped as well
    scope["path"] = prefix + path
    if raw:
        scope["raw_path"] = _escape(prefix) + raw


@lru_cache(maxsize=64)
def _escape(prefix: str) -> bytes:
    return quote(prefix).encode()


def _is_path(target: str) -> bool:
    """Return whether a prefix can stand in front of something, which it cannot of the * of OPTIONS."""
    return not target or target.startswith("/")

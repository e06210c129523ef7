"""Which headers a proxied mount hands on, in both directions, and those that it adds (RFC 9110, section 7.6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from multiserve._types import Scope
from multiserve.fields import has_control, is_name
from multiserve.hosts import normalise_host
from multiserve.paths import SAFE_IN_PATH

RawHeaders = Sequence[tuple[bytes, bytes]]

_PSEUDONYM = "multiserve"
_MOST_HOPS = 8  # of multiserve behind multiserve; a proxy to itself comes to that at once

# What concerns one connection alone (RFC 9110, section 7.6.1); some clients do not name all of it in Connection.
_HOP_BY_HOP = frozenset(
    (
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection"),
        *(b"http2-settings", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    )
)
# What is written anew for each request, and what would tell the server a client that is none.
_OWN = frozenset((b"content-length", b"expect", b"forwarded", b"host", b"via", b"x-real-ip"))
_FORWARDED = b"x-forwarded-"
# Those of a handshake, which each side of a proxied mount has for itself.
_HANDSHAKE = b"sec-websocket-"


class BadHostError(Exception):
    """The request has more than one Host header, or one that is no host."""


class BadResponseError(Exception):
    """The server sent an invalid response."""


def request_headers(scope: Scope, *, host: str, prefix: str | None) -> list[tuple[str, str]]:
    """Return the headers of a request to the server, without those that frame its body.

    The server learns client, scheme, host and port as multiserve itself knows them: with `trusted_proxies` from what
    the proxies in front say, else from the connection. What the client writes of its own accord is never handed on.

    Args:
        scope: The scope of the request or the WebSocket.
        host: The Host header to send; empty for the client's own.
        prefix: What was taken off the path; None if nothing was.

    Raises:
        BadHostError: The client's own is none.
    """
    raw: RawHeaders = scope["headers"]
    dropped = _HOP_BY_HOP | _named_in_connection(raw)
    kept = [
        (name.decode("latin-1"), _text(value))
        for name, value in raw
        if not (name in dropped or name in _OWN or name.startswith((_FORWARDED, _HANDSHAKE)) or b"_" in name)
    ]
    asked = _read_host(raw)
    scheme = "https" if scope.get("scheme") in ("https", "wss") else "http"
    version = scope.get("http_version", "1.1")
    vias = [_text(value) for name, value in raw if name == b"via"]
    return [
        ("Host", host or asked),
        *kept,
        ("Via", ", ".join([*vias, f"{version} {_PSEUDONYM}"])),
        *_forwarded(scope, scheme, asked),
        *([] if prefix is None else [("X-Forwarded-Prefix", quote(prefix, safe=SAFE_IN_PATH, errors="replace"))]),
    ]


def _forwarded(scope: Scope, scheme: str, host: str) -> Iterable[tuple[str, str]]:
    if (client := scope.get("client")) and client[0]:  # a unix socket has none
        yield "X-Forwarded-For", client[0]
    yield "X-Forwarded-Proto", scheme
    if found := normalise_host(host, scheme):
        yield "X-Forwarded-Host", host
        yield "X-Forwarded-Port", str(found[1])


def _read_host(headers: RawHeaders) -> str:
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    if len(hosts) > 1 or (hosts and hosts[0] and normalise_host(hosts[0]) is None):
        raise BadHostError
    return hosts[0] if hosts else ""


def _named_in_connection(headers: RawHeaders) -> frozenset[bytes]:
    values = [value for name, value in headers if name == b"connection"]
    return frozenset(each.strip().lower() for value in values for each in value.split(b",")) if values else frozenset()


def _text(value: bytes) -> str:
    """Return a value as text: the client of aiohttp sends text as UTF-8, whatever the bytes were."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def goes_in_circles(scope: Scope) -> bool:
    """Return whether a request has gone through proxied mounts so often that it would never leave them."""
    vias = b",".join(value for name, value in scope["headers"] if name == b"via").decode("latin-1")
    return sum(each.split()[1:2] == [_PSEUDONYM] for each in vias.split(",")) >= _MOST_HOPS


def response_headers(raw: RawHeaders) -> list[tuple[bytes, bytes]]:
    """Return the headers of a response as ASGI has them, without those of the connection.

    Raises:
        BadResponseError: A header could be read in two ways.
    """
    lowered = [(name.lower(), value.strip(b" \t")) for name, value in raw]
    for name, value in lowered:
        if not is_name(name) or has_control(value):
            raise BadResponseError(f"the header {name.decode('latin-1')!r} is not valid")
    dropped = _HOP_BY_HOP | _named_in_connection(lowered)
    if any(name == b"transfer-encoding" for name, _ in lowered):
        dropped |= {b"content-length"}
    lengths = {value for name, value in lowered if name == b"content-length"}
    if len(lengths) > 1:
        raise BadResponseError("it has two lengths")
    return [
        each for each in lowered if each[0] not in dropped and not each[0].startswith((_HANDSHAKE, b"content-length"))
    ] + [(b"content-length", value) for value in lengths if b"content-length" not in dropped]

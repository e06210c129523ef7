"""Request targets in absolute-form (RFC 9112, section 3.2.2), such as `http://example.com/path`.

The target is split before anything in it is decoded: a %2F in the authority must not become a part of the path.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from multiserve._types import Scope, WSGIEnvironment
from multiserve.dispatch.answers import Answer
from multiserve.hosts import normalise_host

BAD_AUTHORITY = Answer("400 Bad Request", "Bad Request: the request target has no valid host.\n")

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)([^?#]*)", re.DOTALL)


class _Target(NamedTuple):
    authority: str
    path: str  # as the client wrote it

    @property
    def is_valid(self) -> bool:
        return normalise_host(self.authority) is not None


def _split(target: str) -> _Target | None:
    match = _ABSOLUTE.match(target)
    return _Target(*match.groups()) if match else None


def find_authority(target: str) -> str | None:
    """Return the authority of a request target as the client wrote it; None if it has none, or one that is none."""
    parts = _split(target)
    return parts.authority if parts and parts.is_valid else None


def take_authority_of_environ(environ: WSGIEnvironment, target: str) -> bool:
    """Put the authority of the request target, if it has one, in the place of the Host header.

    Args:
        environ: The environ of the request, changed in place; its path is the server's to split off.
        target: The request target as the client wrote it.

    Returns:
        Whether the target has a valid authority, or none.
    """
    if (parts := _split(target)) is None:
        return True
    environ["HTTP_HOST"] = parts.authority
    return parts.is_valid


def take_authority_of_scope(scope: Scope) -> bool:
    """Do the same for a scope, and leave the path alone in it, where the server has left the authority there.

    Args:
        scope: The scope of the request or WebSocket, changed in place; its list of headers is replaced.

    Returns:
        Whether the target has a valid authority, or none.
    """
    raw: bytes | None = scope.get("raw_path")
    if (parts := _split(raw.decode("latin-1") if raw else scope["path"])) is None:
        return True
    path = parts.path or "/"
    scope["path"] = unquote_to_bytes(path.encode("latin-1")).decode("utf-8", "replace") if raw else path
    if raw:
        scope["raw_path"] = path.encode("latin-1")
    host = (b"host", parts.authority.encode("latin-1", "replace"))
    scope["headers"] = [host, *(each for each in scope["headers"] if each[0] != b"host")]
    return parts.is_valid

"""The server behind a proxied mount: the target as a file spells it, parsed, with what a key has captured filled in."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import NoReturn

from multiserve.errors import UnlocatedError
from multiserve.hosts import DEFAULT_PORTS, HIGHEST_PORT, is_loopback

_SHAPE = 'Write "http://127.0.0.1:5173", "https://example.com" or "unix:run/other.sock".'
_UNIX = "unix:"
_LONGEST_SOCKET = 107  # bytes: what Linux has room for; other systems have a little less
# Patterns are compiled when they are used first: most files have no proxied mount.
_PARTS = r"(?P<host>\[[^\]/]*\]|[^:/\[\]]*)(?::(?P<port>[^/:]*))?(?P<base>/.*)?"
_HOST = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?"
_BASE = r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*/?"
_NAME = r"\{(\w+)\}"
# What a client may put into the target: it can be no other host, port, folder or user than the file leaves room for.
_VALUE = r"[A-Za-z0-9_-]{1,63}"


class UpstreamProblem(UnlocatedError, ValueError):  # noqa: N818 (the reader turns it into a `Problem`)
    """A text that is not the target of a proxied mount: what is wrong, and what to write instead."""

    usual_hint = _SHAPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A server that requests are handed on to.

    Attributes:
        scheme: "http" or "https".
        host: A name or an address, an IPv6 address in brackets; empty for a unix socket.
        port: The port in digits; empty where the scheme implies it.
        socket: The path of a unix socket, absolute; empty for a host.
        base: The path in front of every path, without a slash at its end.
        names: The placeholders that are still in it.
    """

    scheme: str = "http"
    host: str = ""
    port: str = ""
    socket: str = ""
    base: str = ""
    names: tuple[str, ...] = ()

    @property
    def authority(self) -> str:
        """Host and port as a Host header spells them; `localhost` for a unix socket."""
        if not self.host:
            return "localhost"
        return f"{self.host}:{self.port}" if self.port else self.host

    @property
    def number(self) -> int:
        """The port, be it written or implied."""
        return int(self.port) if self.port else DEFAULT_PORTS[self.scheme]

    @property
    def address(self) -> str:
        """The host without brackets."""
        return self.host.strip("[]")

    def at(self, path: str) -> str:
        """Return what is asked for with a path, for people to read."""
        if self.socket:
            return f"{_UNIX}{self.socket}:{self.base}{path}" if path else f"{_UNIX}{self.socket}"
        return f"{self.scheme}://{self.authority}{self.base}{path}"

    def fill(self, values: Mapping[str, str]) -> Upstream | None:
        """Put values in the place of the placeholders; None where they could make another target than was meant.

        Args:
            values: What a key has captured, by the names of the placeholders.
        """
        if not self.names:
            return self
        if not all(re.fullmatch(_VALUE, values[name]) for name in self.names):
            return None
        filled = {
            field: re.sub(_NAME, lambda match: values[match[1]], getattr(self, field))
            for field in ("host", "port", "socket", "base")
        }
        found = replace(self, **filled, names=())
        # An address is what the file says is one.
        is_name = not _ends_in_number(found.host) or all(map(_is_dotted, (found.host, re.sub(_NAME, "1", self.host))))
        is_short = len(os.fsencode(found.socket)) <= _LONGEST_SOCKET
        return found if is_name and is_short and _has_port(found.port) else None

    def is_at(self, host: str, port: int) -> bool:
        """Return whether it is the server that listens on an address itself."""
        if self.names or self.socket or self.number != port:
            return False
        is_everywhere = host in ("", "0.0.0.0", "::", "*")  # noqa: S104 (it is compared)
        if is_loopback(self.address):
            return is_everywhere or is_loopback(host)
        return self.address == host


def parse_upstream(text: str, folder: Path) -> Upstream:
    """Parse the target of a proxied mount.

    Args:
        text: A URL without a query, or `unix:` and the path of a socket; `{name}` is a placeholder.
        folder: The folder that relative paths start from.

    Raises:
        UpstreamProblem: It is not one.
    """
    if not text:
        raise UpstreamProblem("the target is empty")
    if not text.isprintable() or " " in text or "\\" in text:
        raise UpstreamProblem("a URL has no spaces, backslashes or control characters")
    names = tuple(dict.fromkeys(re.findall(_NAME, text)))
    if "{" in re.sub(_NAME, "", text) or "}" in re.sub(_NAME, "", text):
        raise UpstreamProblem("a placeholder is a name in braces", 'Write it as in the key, such as "{port}".')
    if text.startswith(_UNIX):
        return replace(_parse_socket(text.removeprefix(_UNIX), folder), names=names)
    scheme, sign, rest = text.partition("://")
    if not sign:
        _refuse_without_scheme(text, folder)
    if scheme not in ("http", "https"):
        _refuse_scheme(scheme, rest)
    return replace(_parse_url(scheme, rest), names=names)


def _parse_socket(path: str, folder: Path) -> Upstream:
    if not path or path.startswith("//") or path.endswith("/"):
        raise UpstreamProblem("there is no path of a socket", 'Write "unix:run/other.sock" or "unix:/run/other.sock".')
    socket = os.path.normpath(folder / path)
    if len(os.fsencode(socket)) > _LONGEST_SOCKET:
        message = f"the path of the socket is longer than {_LONGEST_SOCKET} bytes: {socket}"
        raise UpstreamProblem(message, 'Write a shorter one, such as "unix:/run/other.sock".')
    return Upstream(socket=socket)


def _parse_url(scheme: str, rest: str) -> Upstream:
    if "?" in rest or "#" in rest:
        raise UpstreamProblem("a proxy keeps the query of the request, and has none of its own", "Leave it out.")
    authority = rest.partition("/")[0]
    if "@" in authority:
        raise UpstreamProblem("the target of a proxy has no user", "Leave it out: everything before the @, and the @.")
    if not authority.isascii():
        raise UpstreamProblem(f'"{authority}" is not as clients send it', 'Write the host in its "xn--" form.')
    parts = re.fullmatch(_PARTS, rest)
    host, port, base = (parts[name] or "" for name in ("host", "port", "base")) if parts else ("", "", "")
    if not _is_host(host):
        raise UpstreamProblem(f'"{authority}" is not a host')
    if (parts and parts["port"] == "") or not _has_port(re.sub(_NAME, "1", port)):
        raise UpstreamProblem(f'"{port}" is not a port', f"Write a number from 1 to {HIGHEST_PORT}.")
    literal = re.sub(_NAME, "x", base)
    if not re.fullmatch(_BASE, literal) or not {".", ".."}.isdisjoint(literal.split("/")):
        raise UpstreamProblem(f'"{base}" is not a path', "Escape what is not ASCII, and leave out // and dot segments.")
    return Upstream(scheme=scheme, host=host.lower() if "{" not in host else host, port=port, base=base.rstrip("/"))


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return re.fullmatch(_HOST, re.sub(_NAME, "x", host)) is not None
    try:
        IPv6Address(host.strip("[]"))
    except ValueError:
        return False
    return "%" not in host


def _ends_in_number(host: str) -> bool:
    """Return whether a host is an IPv4 address in any spelling, such as 0x7f000001 (WHATWG URL, "ends in a number")."""
    last = host.rstrip(".").rpartition(".")[2].lower()
    return last.isdigit() or re.fullmatch(r"0x[0-9a-f]*", last) is not None


def _is_dotted(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _has_port(port: str) -> bool:
    return not port or (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= HIGHEST_PORT)  # noqa: PLR2004


def _refuse_without_scheme(text: str, folder: Path) -> NoReturn:
    path = folder / text
    # Path.is_dir and Path.is_file raise where a name is too long.
    if os.path.isdir(path):  # noqa: PTH112
        raise UpstreamProblem(f'"{text}" is a folder', f'Write {{ static = "{text}" }} for files.')
    if os.path.isfile(path):  # noqa: PTH113
        raise UpstreamProblem(f'"{text}" is a file', f'Write {{ file = "{text}" }} for one file.')
    if text.isdigit():
        raise UpstreamProblem(f'"{text}" has no scheme', f'Write "http://127.0.0.1:{text}".')
    if text.startswith(("/", "./", "../", "~")) and not text.startswith("//"):
        raise UpstreamProblem(f'"{text}" has no scheme', f'Write "unix:{text}" for a socket. {_SHAPE}')
    raise UpstreamProblem(f'"{text}" has no scheme', f'Write "http://{text.removeprefix("//")}".')


def _refuse_scheme(scheme: str, rest: str) -> NoReturn:
    if scheme in ("ws", "wss"):
        hint = f'Write "{"http" if scheme == "ws" else "https"}://{rest}".'
        raise UpstreamProblem("WebSockets need no target of their own", hint)
    if scheme == "file":
        raise UpstreamProblem("a proxy reads no files", 'Write { static = "folder" } or { file = "name" }.')
    raise UpstreamProblem(f'a proxy does not speak "{scheme}"', _SHAPE)

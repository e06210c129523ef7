"""Entries that hand requests on to another server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from multiserve.config.kinds.mount import Entry, Mount
from multiserve.config.tables import option
from multiserve.upstreams import Upstream, parse_upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedMount(Mount):
    """Another server: a development server, an application in another process or on another machine.

    Attributes:
        upstream: The server, with the placeholders of the key where the target names them.
    """

    kind = "proxy"
    given = "proxy"
    noun = "a proxy"
    example = '{ proxy = "http://127.0.0.1:5173" }'
    help = (
        "The server that answers, which requests and WebSockets are handed on to: http://host:port, https://host, or "
        "unix:path of a socket, relative to the folder of the configuration."
    )
    upstream: Upstream
    timeout: int = option(
        60,
        help="Seconds until the server must begin to answer, beyond which the answer is 504.",
        minimum=1,
        maximum=86400,
    )
    strip: bool = option(
        default=False, help="Take the prefix off the path, and tell the server by X-Forwarded-Prefix where it stands."
    )
    host: str = option(
        "keep",
        help="The Host header: keep hands on the client's, target sends that of the server, which sites by name need.",
        choices=("keep", "target"),
    )
    max_concurrency: int = option(
        0,
        help="Requests that it may have at a time, beyond which the answer is 503; 0 is no bound.",
        minimum=0,
        maximum=100_000,
    )

    @classmethod
    def read_entry(cls, entry: Entry) -> Self | None:
        """Read a proxy; None without a key or without a target that can be parsed."""
        text = entry.text()
        upstream = entry.parse(lambda given: parse_upstream(given, entry.folder), text)
        mount = entry.read(cls, what=text, upstream=upstream)
        if entry.key is None or upstream is None:
            return None
        if unknown := [name for name in upstream.names if name not in entry.key.placeholders]:
            hint = f'Write it in the key as well, such as "/{{{unknown[0]}}}", or write the value here.'
            entry.refuse(f"the key has no {{{unknown[0]}}}", hint)
            return None
        if upstream.base and not mount.strip:
            hint = "Write strip = true, which puts this path in the place of the prefix, or leave the path out."
            entry.refuse(f'the path "{upstream.base}" would stand in front of the prefix', hint)
        return mount


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedPlaceholderMount(ProxiedMount):
    """A server for each value of the placeholders in the key."""

    has_placeholders = True

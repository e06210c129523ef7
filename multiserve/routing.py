"""From a host and a path to the mount that answers: pure data, built once, and one look-up.

The cost of a look-up is bounded by the deepest mount: it depends neither on how many mounts there are nor on
how long the path is. Paths are the strings of WSGI (PEP 3333): the bytes of the path, each as one character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from multiserve.hosts import LONGEST_HOST, normalise_host
from multiserve.keys import MountKey
from multiserve.paths import from_wsgi, to_wsgi

T = TypeVar("T")

# What a host matches is cached, as finding it takes longer than all the rest; within bounds, as clients choose hosts.
_REMEMBERED_HOSTS = 1024
_LONGEST_HEADER = LONGEST_HOST + 9  # characters: a dot, a colon and a port come after the name, and some to spare


@dataclass(slots=True)
class Route(Generic[T]):
    """One mount as the router sees it.

    Attributes:
        key: The key of the mount.
        name: The key as text.
        prefix: The prefix as text, with what the path has in place of placeholders.
        begin: The prefix as a matching path has it.
        end: How many characters of a matching path these are.
        mount: Whatever the router was given for this key.
        values: What the placeholders of the key stand for, in its order; empty for a key without.
        above: The mount with the next shorter prefix of the same host, which would answer if this one did not exist;
            only known where no placeholder is concerned.
    """

    key: MountKey
    name: str
    prefix: str
    begin: str
    end: int
    mount: T
    values: tuple[str, ...] = ()
    above: Route[T] | None = None

    def matched(self, begin: str, values: tuple[str, ...]) -> Route[T]:
        """Return the route for a request whose path begins with `begin`, and whose placeholders stand for `values`."""
        prefix = from_wsgi(begin)
        return Route(self.key, self.name, prefix, begin, len(begin), self.mount, values)


class _Node(Generic[T]):
    """One part in a tree of keys, a segment or a label; a placeholder is kept apart from the literal ones."""

    __slots__ = ("children", "nearest", "placeholder", "value")

    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        self.placeholder: _Node[T] | None = None
        self.value: T | None = None
        self.nearest: T | None = None  # the value, or that of the next node above with one; known once all are there

    def grow(self, part: str, *, is_placeholder: bool) -> _Node[T]:
        """Return the child for a part of a key, which is created if it is missing."""
        if not is_placeholder:
            return self.children.setdefault(part, _Node())
        if self.placeholder is None:
            self.placeholder = _Node()
        return self.placeholder

    def along(self, parts: Sequence[str]) -> Iterator[tuple[int, T, tuple[str, ...]]]:
        """Yield every value along the parts, literal ones first: its depth, the value, and what placeholders took."""
        pending: list[tuple[_Node[T], int, tuple[str, ...]]] = [(self, 0, ())]
        while pending:
            node, depth, values = pending.pop()
            if node.value is not None:
                yield depth, node.value, values
            if depth == len(parts):
                continue
            part = parts[depth]
            if node.placeholder is not None and (value := read_value(part.removeprefix("/"))):
                pending.append((node.placeholder, depth + 1, (*values, value)))
            if (child := node.children.get(part)) is not None:
                pending.append((child, depth + 1, values))


def read_value(part: str) -> str:
    """Read what a placeholder takes from a label or a segment; empty if it must not take that.

    It takes text alone: nothing that is not UTF-8 (in which form ASGI servers hand over U+FFFD), no control
    characters, and neither `.` nor `..`, for it may become the name of a file.
    """
    try:
        text = from_wsgi(part)
    except UnicodeDecodeError:
        return ""
    return "" if text in (".", "..") or _NO_TEXT.search(text) else text


_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ufffd]")


class _Paths(Generic[T]):
    """The mounts of one host pattern, as a tree of path segments, each with the slash in front."""

    __slots__ = ("_depth", "has_placeholders", "reach", "root")

    def __init__(self) -> None:
        self.root: _Node[Route[T]] = _Node()
        self.reach = 1  # characters of the longest prefix, and one more
        self.has_placeholders = False
        self._depth = 0  # segments of the deepest prefix

    def add(self, key: MountKey, mount: T) -> Route[T]:
        prefix = to_wsgi(key.prefix)
        segments = prefix.split("/")[1:]
        node = self.root
        for segment in segments:
            node = node.grow(f"/{segment}", is_placeholder=segment.startswith("{"))
        node.value = route = Route(key, str(key), key.prefix, prefix, len(prefix), mount)
        self.reach = max(self.reach, len(prefix) + 1)
        self.has_placeholders |= bool(key.placeholders)
        self._depth = max(self._depth, len(segments))
        return route

    def link(self) -> None:
        """Set `above` of every route and `nearest` of every node, once all routes are added."""
        pending: list[tuple[_Node[Route[T]], Route[T] | None]] = [(self.root, None)]
        while pending:
            node, above = pending.pop()
            if node.value is not None:
                node.value.above, above = above, node.value
            node.nearest = above
            pending.extend((child, above) for child in node.children.values())

    def match(self, path: str) -> Route[T] | None:
        """Find the mount with the longest prefix that the path has; only where there are no placeholders."""
        node = self.root
        # A segment that goes on behind `reach` is longer than any prefix: what lies there is never looked at.
        start, reach = 0, self.reach
        while children := node.children:
            # Slash and segment: so what does not begin with a slash, such as the * of OPTIONS, stays at the root.
            end = path.find("/", start + 1, reach)
            if end < 0:
                return children.get(path[start:reach], node).nearest
            child = children.get(path[start:end])
            if child is None:
                break
            node, start = child, end
        return node.nearest

    def rank(self, path: str, values: tuple[str, ...]) -> Iterator[Route[T]]:
        """Yield every mount that could answer, the longest prefix first, literal segments before placeholders."""
        if not self.has_placeholders:
            route = self.match(path)
            while route is not None:
                yield route
                route = route.above
            return
        segments = path.split("/", self._depth + 1)[1 : self._depth + 1] if path.startswith("/") else []
        parts = [f"/{segment}" for segment in segments]
        for depth, route, taken in sorted(self.root.along(parts), key=_shorter):
            found = (*values, *taken)  # empty for a key without placeholders
            yield route.matched("".join(parts[:depth]), found) if found else route


def _shorter(match: tuple[int, object, object]) -> int:
    return -match[0]


class Router(Generic[T]):
    """The mounts by host and prefix.

    Attributes:
        mounts: Whatever it was given, by the names of the keys.
        has_hosts: Whether a key has a host.
        has_placeholders: Whether a key has placeholders.
    """

    def __init__(self, mounts: Iterable[tuple[MountKey, T]]) -> None:
        """Build the look-up; no two keys may be equal."""
        self.mounts: dict[str, T] = {}
        self._routes: dict[str, Route[T]] = {}
        self._anywhere: _Paths[T] = _Paths()
        self._exact: dict[tuple[str, int | None], _Paths[T]] = {}
        self._patterns: _Node[dict[int | None, _Paths[T]]] = _Node()  # hosts with placeholders, by their labels
        self._wildcards: dict[tuple[str, int | None], _Paths[T]] = {}
        self.has_hosts = self.has_placeholders = False
        for key, mount in mounts:
            self.mounts[str(key)] = mount
            paths = self._paths_of(key)
            self._routes[str(key)] = paths.add(key, mount)
            self.has_hosts |= bool(key.host)
            self.has_placeholders |= paths.has_placeholders
        for paths in (self._anywhere, *self._exact.values(), *self._wildcards.values()):
            paths.link()
        # Find the mount by the path alone, where no mount has a host or a placeholder.
        self.find_path = self._anywhere.match
        self._labels = max((suffix.count(".") + 1 for suffix, _ in self._wildcards), default=0)
        self._recall_host = lru_cache(_REMEMBERED_HOSTS)(self._find_host)

    def _paths_of(self, key: MountKey) -> _Paths[T]:
        if not key.host:
            return self._anywhere
        if key.host.startswith("*."):
            return self._wildcards.setdefault((key.host[2:], key.port), _Paths())
        if "{" not in key.host:
            return self._exact.setdefault((key.host, key.port), _Paths())
        node = self._patterns
        for label in reversed(key.host.split(".")):
            node = node.grow(label, is_placeholder=label.startswith("{"))
        node.value = node.value or {}
        return node.value.setdefault(key.port, _Paths())

    def stand_in(self, substitutes: Mapping[str, T]) -> None:
        """From the next look-up on, find what is in `substitutes` in place of the mounts of these names.

        All other mounts are found as they were given. Names that no mount has are left aside.
        """
        for name, route in self._routes.items():
            route.mount = substitutes.get(name, self.mounts[name])

    def find(self, path: str, host: str = "", scheme: str = "http") -> Route[T] | None:
        """Find the mount that answers.

        Args:
            path: The path of the request, decoded once, as a string of WSGI.
            host: The Host header as it came; only looked at if a mount has a host.
            scheme: `http` or `https`, for the port of a host without one.
        """
        if self.has_placeholders:
            return next(self.rank(path, host, scheme), None)
        for paths, _ in self._paths_at(host, scheme):
            if (route := paths.match(path)) is not None:
                return route
        return self.find_path(path)

    def rank(self, path: str, host: str = "", scheme: str = "http") -> Iterator[Route[T]]:
        """Yield every mount that could answer; the first one does."""
        for paths, values in self._paths_at(host, scheme):
            yield from paths.rank(path, values)
        yield from self._anywhere.rank(path, ())

    def _paths_at(self, host: str, scheme: str) -> Sequence[tuple[_Paths[T], tuple[str, ...]]]:
        """Return the mounts of each host pattern that matches a Host header, and the values of its placeholders."""
        if not self.has_hosts:
            return ()
        find = self._find_host if len(host) > _LONGEST_HEADER else self._recall_host
        return find(host, scheme)

    def _find_host(self, host: str, scheme: str) -> Sequence[tuple[_Paths[T], tuple[str, ...]]]:
        normal = normalise_host(host, scheme)
        return tuple(self._by_host(*normal)) if normal else ()

    def _by_host(self, name: str, port: int) -> Iterator[tuple[_Paths[T], tuple[str, ...]]]:
        """Yield the mounts of each host pattern that matches, the most specific one first, with its values."""
        for each in (port, None):
            if (name, each) in self._exact:
                yield self._exact[name, each], ()
        labels = [] if name.startswith("[") else name.split(".")[::-1]
        for depth, by_port, values in self._patterns.along(labels):
            if depth == len(labels):
                # They were taken from the right, and the key has them from the left.
                yield from ((by_port[each], values[::-1]) for each in (port, None) if each in by_port)
        if self._labels:
            # Only the labels that a pattern can have are split off; at least one is left for the star.
            labels = name.rsplit(".", self._labels)
            for first in range(1, len(labels)):
                suffix = ".".join(labels[first:])
                for each in (port, None):
                    if (suffix, each) in self._wildcards:
                        yield self._wildcards[suffix, each], ()


def precedence(key: MountKey) -> tuple[object, ...]:
    """Sort keys into the order in which a request tries them."""
    wildcard = key.host.startswith("*.")
    labels = key.host.split(".")[::-1]
    return (
        not key.host,
        wildcard,
        "{" in key.host,
        -len(labels) if wildcard else 0,
        [label.startswith("{") for label in labels],
        key.host,
        key.port is None,
        -key.prefix.count("/"),
        [segment.startswith("{") for segment in key.prefix.split("/")],
        key.prefix,
    )

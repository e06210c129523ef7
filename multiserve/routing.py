"""From a host and a path to the mount that answers: pure data, built once, and one look-up.

The cost of a look-up is bounded by the deepest mount: it depends neither on how many mounts there are nor on
how long the path is. Paths are the strings of WSGI (PEP 3333): the bytes of the path, each as one character.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from multiserve.keys import MountKey, normalise_host

T = TypeVar("T")


@dataclass(slots=True)
class Route(Generic[T]):
    """One mount as the router sees it.

    Attributes:
        key: Where the mount stands.
        name: The key as text.
        end: How many characters of a matching path are the prefix.
        mount: Whatever the router was given for this key.
        above: The mount with the next shorter prefix of the same host, which would answer if this one did not exist.
    """

    key: MountKey
    name: str
    end: int
    mount: T
    above: Route[T] | None = None


class _Node(Generic[T]):
    """One segment in the tree of prefixes; its children by their segments, each with the slash in front."""

    __slots__ = ("children", "route")

    def __init__(self) -> None:
        self.children: dict[str, _Node[T]] = {}
        self.route: Route[T] | None = None


class _Paths(Generic[T]):
    """The mounts of one host pattern, as a tree of path segments."""

    __slots__ = ("reach", "root")

    def __init__(self) -> None:
        self.root: _Node[T] = _Node()
        self.reach = 1  # characters of the longest prefix, and one more

    def add(self, key: MountKey, mount: T) -> None:
        prefix = key.prefix.encode("utf-8").decode("latin-1")
        node = self.root
        for segment in prefix.split("/")[1:]:
            node = node.children.setdefault(f"/{segment}", _Node())
        node.route = Route(key, str(key), len(prefix), mount)
        self.reach = max(self.reach, len(prefix) + 1)

    def link(self) -> None:
        """Tell every route which one is above it, once all are there."""
        pending: list[tuple[_Node[T], Route[T] | None]] = [(self.root, None)]
        while pending:
            node, above = pending.pop()
            if node.route is not None:
                node.route.above, above = above, node.route
            pending.extend((child, above) for child in node.children.values())

    def match(self, path: str) -> Route[T] | None:
        """Find the mount with the longest prefix that the path has."""
        node = self.root
        best = node.route
        # A segment that goes on behind `reach` is longer than any prefix: what lies there is never looked at.
        start, reach = 0, self.reach
        while children := node.children:
            # Slash and segment: so what does not begin with a slash, such as the * of OPTIONS, stays at the root.
            end = path.find("/", start + 1, reach)
            child = children.get(path[start:end] if end > 0 else path[start:reach])
            if child is None:
                break
            node = child
            if node.route is not None:
                best = node.route
            if end < 0:
                break
            start = end
        return best


class Router(Generic[T]):
    """The mounts by host and prefix."""

    def __init__(self, mounts: Iterable[tuple[MountKey, T]]) -> None:
        """Build the look-up; no two keys may be equal."""
        self._anywhere: _Paths[T] = _Paths()
        self._exact: dict[tuple[str, int | None], _Paths[T]] = {}
        self._wildcards: dict[tuple[str, int | None], _Paths[T]] = {}
        for key, mount in mounts:
            self._paths_of(key).add(key, mount)
        for paths in (self._anywhere, *self._exact.values(), *self._wildcards.values()):
            paths.link()
        self.has_hosts = bool(self._exact or self._wildcards)
        # Find the mount by the path alone, where no mount has a host.
        self.find_path = self._anywhere.match
        self._labels = max((suffix.count(".") + 1 for suffix, _ in self._wildcards), default=0)

    def _paths_of(self, key: MountKey) -> _Paths[T]:
        if not key.host:
            return self._anywhere
        if key.host.startswith("*."):
            return self._wildcards.setdefault((key.host[2:], key.port), _Paths())
        return self._exact.setdefault((key.host, key.port), _Paths())

    def find(self, path: str, host: str = "", scheme: str = "http") -> Route[T] | None:
        """Find the mount that answers.

        Args:
            path: The path of the request, decoded once, as a string of WSGI.
            host: The Host header as it came; only looked at if a mount has a host.
            scheme: `http` or `https`, for the port of a host without one.
        """
        if self.has_hosts:
            return next(self.rank(path, host, scheme), None)
        return self._anywhere.match(path)

    def rank(self, path: str, host: str = "", scheme: str = "http") -> Iterator[Route[T]]:
        """Give every mount that could answer, the one that does first."""
        for paths in self._by_host(host, scheme):
            route = paths.match(path)
            while route is not None:
                yield route
                route = route.above

    def _by_host(self, host: str, scheme: str) -> Iterator[_Paths[T]]:
        """Give the mounts of each host pattern that matches, the most specific one first."""
        normal = normalise_host(host, scheme)
        if normal is not None:
            name, port = normal
            for key in (normal, (name, None)):
                if key in self._exact:
                    yield self._exact[key]
            if self._labels:
                # Only the labels that a pattern can have are split off; at least one is left for the star.
                labels = name.rsplit(".", self._labels)
                for first in range(1, len(labels)):
                    suffix = ".".join(labels[first:])
                    for key in ((suffix, port), (suffix, None)):
                        if key in self._wildcards:
                            yield self._wildcards[key]
        yield self._anywhere


def precedence(key: MountKey) -> tuple[object, ...]:
    """Sort keys into the order in which a request tries them."""
    wildcard = key.host.startswith("*.")
    return (
        not key.host,
        wildcard,
        -key.host.count(".") if wildcard else 0,
        key.host,
        key.port is None,
        -key.prefix.count("/"),
        key.prefix,
    )

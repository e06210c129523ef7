"""What multiserve's own router says about each combination of a host and a prefix that its keys make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from multiserve.config.mounts import Mount
from multiserve.export.patterns import STAR, common_hosts, common_prefix, unnamed, with_common
from multiserve.keys import MountKey
from multiserve.paths import to_wsgi
from multiserve.routing import Router, precedence

_WORD = "qz-x"  # stands for a placeholder, unless a key has it


class Lookup:
    """Asks the router about requests that stand for all that a combination matches."""

    def __init__(self, mounts: Sequence[Mount]) -> None:
        """Find words, numbers of labels and ports that no key has."""
        self._router = Router((mount.key, mount) for mount in mounts)
        self._keys = [unnamed(mount.key) for mount in mounts]
        text = " ".join(map(str, self._keys))
        self._word = next(word for word in (f"{_WORD}{number or ''}" for number in count()) if word not in text)
        ports = {80, 443, *(key.port for key in self._keys)}
        self._port = next(port for port in count(1) if port not in ports)
        self._labels = max((key.host.count(".") + 1 for key in self._keys), default=1) + 1

    def rank(self, key: MountKey) -> list[Mount]:
        """Return the mounts that could answer at a key, and at no other that is more specific; the first one does."""
        pattern = unnamed(key)
        path = to_wsgi(pattern.prefix.replace("{}", self._word)) or "/"
        return [route.mount for route in self._router.rank(path, self._host(pattern))]

    def _host(self, pattern: MountKey) -> str:
        name = pattern.host.replace("{}", self._word) or self._word
        if name.startswith(STAR):
            name = ".".join([self._word] * self._labels) + name[1:]
        return f"{name}:{pattern.port or self._port}"

    def everything(self) -> Iterator[tuple[MountKey, list[Mount]]]:
        """Yield each combination, most specific first, and the mounts that could answer there.

        Two patterns can match one request: there is a combination for what they have in common as well. Each host has
        the root, and the last one is any host.
        """
        hosts = with_common({MountKey(), *(MountKey(key.host, key.port) for key in self._keys)}, common_hosts)
        combinations = [
            MountKey(host.host, host.port, prefix) for host in hosts for prefix in self._prefixes_at(host, self._keys)
        ]
        for key in sorted(combinations, key=precedence):
            yield key, self.rank(key)

    @staticmethod
    def _prefixes_at(host: MountKey, keys: Iterable[MountKey]) -> list[str]:
        """Return the prefixes that matter for a pattern of hosts."""
        found = {key.prefix for key in keys if common_hosts(host, MountKey(key.host, key.port)) == host}
        return with_common({"", *found}, common_prefix)

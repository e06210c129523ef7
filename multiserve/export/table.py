"""The table of a front: for each pattern of hosts a list of prefixes, each with the unit that answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from multiserve.config.mounts import Mount
from multiserve.export.lookup import Lookup
from multiserve.export.patterns import common_hosts, common_prefix
from multiserve.keys import MountKey


@dataclass(frozen=True, slots=True)
class Place:
    """A prefix, and the unit that answers below it.

    Attributes:
        prefix: As in a key, with `{}` for a placeholder; empty for the root.
        unit: The name of the unit.
    """

    prefix: str
    unit: str


@dataclass(frozen=True, slots=True)
class HostTable:
    """The prefixes of one pattern of hosts.

    Attributes:
        host: As in a key, with `{}` for a placeholder; empty for any host.
        port: The port, or None for any.
        places: Of which the first that matches counts; the last one is the root.
    """

    host: str
    port: int | None
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """What a front looks up.

    Attributes:
        hosts: Of which the first that matches counts; the last one is for any host.
    """

    hosts: tuple[HostTable, ...]

    @property
    def has_hosts(self) -> bool:
        """Whether it matters which host is asked for."""
        return len(self.hosts) > 1

    @property
    def has_ports(self) -> bool:
        """Whether it matters which port is asked for."""
        return any(each.port is not None for each in self.hosts)


def make_table(mounts: Sequence[Mount], unit_of: Mapping[str, str], default: str) -> Table:
    """Flatten the table of the router: a host's own mounts come first, and behind them those of any host.

    Args:
        mounts: All mounts.
        unit_of: The name of the unit of each mount, by the names of the mounts.
        default: The unit for what no mount answers.
    """
    places: dict[tuple[str, int | None], list[Place]] = {}
    for key, ranked in Lookup(mounts).everything():
        unit = unit_of[ranked[0].name] if ranked else default
        places.setdefault((key.host, key.port), []).append(Place(key.prefix, unit))
    hosts = [HostTable(host, port, _without_needless(found)) for (host, port), found in places.items()]
    return Table(tuple(each for index, each in enumerate(hosts) if not _is_needless(each, hosts[index + 1 :])))


def _without_needless(places: Sequence[Place]) -> tuple[Place, ...]:
    """Leave out each place whose paths would come to the same unit without it."""
    kept: list[Place] = []
    for place in reversed(places):  # the shortest first
        if not _is_same_without(place, kept):
            kept.append(place)
    return tuple(reversed(kept))


def _is_same_without(place: Place, shorter: Sequence[Place]) -> bool:
    for other in reversed(shorter):
        common = common_prefix(place.prefix, other.prefix)
        if common is not None and other.unit != place.unit:
            return False
        if common == place.prefix:
            return True
    return False


def _is_needless(table: HostTable, others: Sequence[HostTable]) -> bool:
    """Return whether the hosts of a table would come to the same places without it."""
    hosts = MountKey(table.host, table.port)
    for other in others:
        common = common_hosts(hosts, MountKey(other.host, other.port))
        if common is not None and other.places != table.places:
            return False
        if common == hosts:
            return True
    return False

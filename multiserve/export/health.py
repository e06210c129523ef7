"""Where each unit says whether it serves (`manage`), and where its front asks it: one answer for all formats."""

from __future__ import annotations

from dataclasses import dataclass

from multiserve.export.model import Export
from multiserve.hosts import is_loopback

USUAL = ("127.0.0.1", 9000)
"""Host and port of the first unit, if the file has no `manage` with a port."""

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 (compared)


@dataclass(frozen=True, slots=True)
class Health:
    """The address of one unit.

    Attributes:
        listen: The host that it listens on.
        port: Its port.
        ask: The host at which the front reaches it; empty if it does not.
    """

    listen: str
    port: int
    ask: str


def find_health(export: Export) -> dict[str, Health]:
    """Return the address of each unit, by its name.

    Units on one machine need a port each, from that of the file on; on machines of their own they have the same.
    """
    host, port = export.manage or USUAL
    own = _EVERYWHERE.get(host, host)
    addresses = {unit.name: export.addresses[unit.name] for unit in export.units}
    hosts = {name: own if each.startswith("unix:") else each.rpartition(":")[0] for name, each in addresses.items()}
    are_apart = len(set(hosts.values())) == len(hosts)
    return {
        name: Health(host, port + (0 if are_apart else index), _asked(host, each))
        for index, (name, each) in enumerate(hosts.items())
    }


def _asked(listen: str, machine: str) -> str:
    """Return the host by which a unit on some machine is asked that listens there."""
    if listen in _EVERYWHERE:
        return machine
    if is_loopback(listen.strip("[]")):
        return listen if is_loopback(machine.strip("[]")) else ""
    return listen

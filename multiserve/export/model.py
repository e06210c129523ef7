"""What an export is made of: the units, the table of the front, and what the command line adds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from multiserve.config.model import Config
from multiserve.errors import ConfigError, Problem, raise_for
from multiserve.export.table import Table, make_table
from multiserve.export.units import FRONT, Unit, find_default, find_misled_tenants, find_units

NAME = "multiserve"
"""The name of an export, if nothing else is said."""

LISTEN = 80
"""The port of the front, if nothing else is said."""

REPLICAS = 2
"""How many of each unit run, if nothing else is said."""

FRONTS = ("nginx", "httproute", "ingress")
"""The kinds of front in Kubernetes; the first one, if nothing else is said."""

FIRST_PORT = 8001
"""The port of the first unit, if nothing else is said; those of the others follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What the formats write.

    Attributes:
        config: The configuration.
        units: The deployments.
        table: Which of them answers what.
        default: The name of the unit for what no mount answers.
        addresses: Where each unit listens, by its name: `host:port` or `unix:/path`.
        images: The image of each unit and of the front, by its name; without those that the command line does not name.
        name: The name of the whole, a DNS label: it is in front of names that all programs of a machine share.
        listen: The port of the front.
        replicas: How many of each unit run, where the format starts them.
        front: The kind of front, where the format has several.
        folder: Where the file and its virtual environment are on the host, where the format needs to know.
        command: The options that it was made with, as they are to be typed again.
    """

    config: Config
    units: tuple[Unit, ...]
    table: Table
    default: str
    addresses: Mapping[str, str]
    images: Mapping[str, str] = field(default_factory=dict)
    name: str = NAME
    listen: int = LISTEN
    replicas: int = REPLICAS
    front: str = FRONTS[0]
    folder: str = ""
    command: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What may be other than with one process."""
        return find_misled_tenants(self.config, self.units)

    @property
    def manage(self) -> tuple[str, int] | None:
        """Host and port of `manage` in the file; None if it has none, or a unix socket."""
        host, _, port = self.config.server.manage.rpartition(":")
        return (host, int(port)) if host and host != "unix" and port.isdigit() else None

    @property
    def digest(self) -> str:
        """A hash of what the file says, whatever its comments are and on which machine it is."""
        found = {
            "written": dict(self.config.written),
            "mounts": [[mount.name, mount.kind, mount.what, mount.group] for mount in self.config.mounts],
        }
        text = json.dumps(found, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def make_export(  # noqa: PLR0913 (one for each option)
    config: Config,
    *,
    addresses: Sequence[str] = (),
    images: Sequence[str] = (),
    name: str = NAME,
    listen: int = LISTEN,
    replicas: int = REPLICAS,
    front: str = FRONTS[0],
    folder: str = "",
    command: Sequence[str] = (),
) -> Export:
    """Return what the formats write about a configuration.

    Args:
        config: The configuration.
        addresses: Each `NAME=ADDRESS` for one unit, or an address with `{unit}` in it for all others.
        images: Each `NAME=IMAGE` for one unit, or an image for all others.
        name: The name of the whole.
        listen: The port of the front.
        replicas: How many of each unit run.
        front: The kind of front, one of `FRONTS`.
        folder: Where the file is on the host; by default a folder of the name below /srv.
        command: The options that it was made with.

    Raises:
        ConfigError: One of them names no unit, or is no address.
    """
    units = find_units(config)
    default = find_default(units)
    unit_of = {mount.name: unit.name for unit in units for mount in unit.mounts}
    given = _by_unit("--address", addresses, [unit.name for unit in units])
    usual = given.pop("", "127.0.0.1:{port}")
    ports = {unit.name: FIRST_PORT + index for index, unit in enumerate(units)}
    found = {each: given.get(each) or _filled(usual, each, port) for each, port in ports.items()}
    raise_for(_wrong_addresses(found))
    pictures = _by_unit("--image", images, [*(unit.name for unit in units), FRONT])
    usual_image = pictures.pop("", "")
    return Export(
        config=config,
        units=units,
        table=make_table(config.mounts, unit_of, default),
        default=default,
        addresses=found,
        images=_images(pictures, usual_image, units),
        name=name,
        listen=listen,
        replicas=replicas,
        front=front,
        folder=folder or f"/srv/{name}",
        command=tuple(command),
    )


def _images(given: Mapping[str, str], usual: str, units: Sequence[Unit]) -> dict[str, str]:
    """Return the image of each unit that has one, and of the front if that is given one of its own."""
    found = {**{unit.name: usual for unit in units if usual}, **given}
    return dict(sorted(found.items()))


def _filled(pattern: str, unit: str, port: int) -> str:
    return pattern.replace("{unit}", unit).replace("{port}", str(port))


def _by_unit(option: str, values: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Return what an option says for each unit, and for all others under an empty name.

    Raises:
        ConfigError: There is no such unit.
    """
    found: dict[str, str] = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals:
            name, rest = "", value
        elif name not in names:
            hint = f"The units are {', '.join(names)}."
            raise ConfigError(Problem(key=option, message=f'there is no unit "{name}"', hint=hint))
        found[name] = rest
    return found


def _wrong_addresses(addresses: Mapping[str, str]) -> list[Problem]:
    problems = []
    for unit, address in addresses.items():
        host, colon, port = address.rpartition(":")
        is_socket = address.startswith("unix:/")
        if any(not each.isprintable() or each in " ;{}\"'\\" for each in address) or not (
            is_socket or (host and colon and port.isascii() and port.isdigit())
        ):
            hint = "Write HOST:PORT or unix:/path, after NAME= for one unit, or with {unit} in it for all."
            problems.append(Problem(key="--address", message=f'"{address}" is no address of {unit}', hint=hint))
    if not problems and len(set(addresses.values())) < len(addresses):
        hint = "Write {unit} or {port} in it, or one address for each unit."
        problems.append(Problem(key="--address", message="two units have one address", hint=hint))
    return problems

"""What checks look at: the loaded mounts, what is known about each application, and what loading it has done."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from multiserve._types import Interface
from multiserve.composition import Composition
from multiserve.config.file import Config
from multiserve.config.mounts import AppMount, Mount
from multiserve.frameworks import Facts, Inspector
from multiserve.keys import MountKey
from multiserve.loading.mounts import LoadedMount
from multiserve.loading.side_effects import SideEffects
from multiserve.routing import Router


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedMount:
    """One mount of a composition.

    Attributes:
        loaded: What became of it.
        facts: What its application says about itself; None if nothing can be known.
        effects: What loading it has done to the process.
    """

    loaded: LoadedMount
    facts: Facts | None
    effects: SideEffects

    @property
    def mount(self) -> Mount:
        """The entry of the file."""
        return self.loaded.mount

    @property
    def prefix(self) -> str:
        """The prefix of the mount, "" for the root."""
        return self.mount.key.prefix

    @property
    def module(self) -> str:
        """The module of the application, "" for what is none."""
        return self.mount.target.module if isinstance(self.mount, AppMount) else ""

    @property
    def identity(self) -> object:
        """What is equal for mounts of one application; a process has one project of Django, whatever serves it."""
        if self.facts is None:
            return None
        return "Django" if self.facts.framework == "Django" else id(self.facts.application)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A composition as a whole.

    Attributes:
        config: The configuration.
        members: The mounts, in the order of the file.
        router: All mounts of the file, those included that `--only` leaves out.
        interface: What the composed application speaks.
        gunicorn: gunicorn's settings as production would have them; empty where gunicorn is not there.
        is_production: Look at it as `run --production` would serve it.
    """

    config: Config
    members: tuple[CheckedMount, ...]
    router: Router[Mount] = field(repr=False)
    interface: Interface = "wsgi"
    gunicorn: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    is_production: bool = False

    @property
    def readable(self) -> list[CheckedMount]:
        """The mounts whose application says something about itself."""
        return [member for member in self.members if member.facts is not None]

    @property
    def applications(self) -> Iterator[CheckedMount]:
        """The first mount of each application that says something about itself."""
        seen: set[object] = set()
        for member in self.readable:
            if member.identity not in seen:
                seen.add(member.identity)
                yield member

    def key(self, path: str) -> str:
        """Give the key path of what is no mount, as TOML spells it."""
        return f"{self.config.root}.{path}" if self.config.root else path

    def shorten(self, path: str | Path) -> str:
        """Give a path as seen from the folder of the file, if it is in there."""
        file, folder = Path(path), self.config.folder
        return str(file.relative_to(folder) if file.is_relative_to(folder) else file)

    def find(self, path: str, host: str = "") -> Mount | None:
        """Find the mount of the file that answers.

        Args:
            path: The path of a request, decoded.
            host: The Host header; "" for one that no key names.
        """
        found = self.router.find(path.encode("utf-8", "surrogateescape").decode("latin-1") or "/", host)
        return found.mount if found else None

    def share_a_host(self, one: CheckedMount, other: CheckedMount) -> bool:
        """Tell whether a browser may reach both at one host; it keeps cookies without regard to ports."""
        if one.mount.key.host == other.mount.key.host:
            return True
        hosts = [host_of(member.mount.key) for member in (one, other) if member.mount.key.host]
        return any(all(self.find(each.prefix, host) is each.mount for each in (one, other)) for host in hosts)


def host_of(key: MountKey) -> str:
    """Give a Host header that a key matches; "" for any."""
    host = ".".join("any" if label.startswith(("*", "{")) else label for label in key.host.split("."))
    return host if key.port is None else f"{host}:{key.port}"


def look_at(  # noqa: PLR0913 (what `check` has learnt before, all of it optional)
    composition: Composition,
    effects: Mapping[str, SideEffects],
    *,
    observe: Callable[[str], AbstractContextManager[None]] = contextlib.nullcontext,  # type: ignore[assignment]
    mounts: Sequence[Mount] = (),
    gunicorn: Mapping[str, Any] = MappingProxyType({}),
    is_production: bool = False,
    inspector: Inspector | None = None,
) -> Subject:
    """Take down what there is to know about a composition.

    Args:
        composition: The loaded mounts.
        effects: What loading each has done, by the TOML keys of the mounts.
        observe: What watches while a mount, named by its TOML key, is looked into: Django imports its URL
            configuration then, and `effects` may grow.
        mounts: All mounts of the file, if these are more.
        gunicorn: gunicorn's settings as production would have them.
        is_production: Look at it as `run --production` would serve it.
        inspector: One that may have read the applications already.
    """
    inspector = inspector or Inspector()
    members = []
    for loaded in composition.mounts:
        key = loaded.mount.toml_key
        with observe(key):
            facts = None if loaded.error else inspector.facts_of(loaded.origin)
        members.append(CheckedMount(loaded=loaded, facts=facts, effects=effects.get(key, SideEffects())))
    return Subject(
        config=composition.config,
        members=tuple(members),
        router=Router((mount.key, mount) for mount in mounts or composition.config.mounts),
        interface=composition.interface,
        gunicorn=gunicorn,
        is_production=is_production,
    )

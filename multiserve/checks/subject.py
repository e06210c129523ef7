"""What checks look at: the loaded mounts, what is known about each application, and the effects of loading it."""

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
from multiserve.config.model import Config
from multiserve.config.mounts import AppMount, Mount
from multiserve.frameworks import Facts, Inspector
from multiserve.keys import MountKey
from multiserve.loading.mounts import LoadedMount
from multiserve.loading.side_effects import SideEffects
from multiserve.paths import to_wsgi
from multiserve.routing import Router


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedMount:
    """One mount of a composition.

    Attributes:
        loaded: The mount with its loaded application.
        facts: What is known about its application; None if multiserve cannot see inside.
        effects: How loading it has changed the process.
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
        """The module of the application; "" for other kinds of mounts."""
        return self.mount.target.module if isinstance(self.mount, AppMount) else ""

    @property
    def identity(self) -> object:
        """Equal for mounts of the same application. All Django mounts of a process are one, as it has one project."""
        if self.facts is None:
            return None
        return f"Django {self.mount.group}" if self.facts.framework == "Django" else id(self.facts.application)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the process of a group costs in production.

    Attributes:
        group: The name of the group.
        resident: The bytes of memory of a process that has loaded its mounts; 0 if unknown.
        workers: How many workers it has.
        is_shared: Whether the workers share that memory.
    """

    group: str
    resident: int
    workers: int
    is_shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The mounts of one process, or all that share the origin, of which some may be in the processes of groups.

    Attributes:
        config: The configuration; that of the group in the process of one.
        members: The mounts, in the order of the file.
        router: All mounts of the file, those included that `--only` leaves out.
        interface: That of the composed application.
        gunicorn: gunicorn's settings as in production; empty if gunicorn is not installed.
        is_production: Whether to look at it as `run --production` would serve it.
        plugin_codes: The codes of the checks of plugins.
        groups: What the processes of groups cost beside this one.
        trusted_proxies: How many proxies the file trusts; in the process of a group the one in front has seen to them.
    """

    config: Config
    members: tuple[CheckedMount, ...]
    router: Router[Mount] = field(repr=False)
    interface: Interface = "wsgi"
    gunicorn: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    is_production: bool = False
    plugin_codes: frozenset[str] = frozenset()
    groups: tuple[Load, ...] = ()
    trusted_proxies: int = 0

    @property
    def readable(self) -> list[CheckedMount]:
        """The mounts whose application is of a known framework."""
        return [member for member in self.members if member.facts is not None]

    @property
    def applications(self) -> Iterator[CheckedMount]:
        """The first mount of each application of a known framework."""
        seen: set[object] = set()
        for member in self.readable:
            if member.identity not in seen:
                seen.add(member.identity)
                yield member

    def beside(self, member: CheckedMount) -> list[CheckedMount]:
        """Return the mounts with other applications, which share the process with that of a mount."""
        return list(self._beside(member))

    def is_alone(self, member: CheckedMount) -> bool:
        """Return whether there is no other application in the process of a mount that it could disturb."""
        return next(self._beside(member), None) is None

    def _beside(self, member: CheckedMount) -> Iterator[CheckedMount]:
        module, group = member.module, member.mount.group
        for each in self.members:
            is_other = each.module != module if module else each is not member  # what is no module has no name
            if is_other and isinstance(each.mount, AppMount) and each.mount.group == group:
                yield each

    def key(self, path: str) -> str:
        """Return the key path of a setting outside of the mounts, as TOML spells it."""
        return f"{self.config.root}.{path}" if self.config.root else path

    @property
    def own_folders(self) -> set[Path]:
        """The pythonpath of the group whose process it is, which comes before that of the file."""
        group = self.config.groups.get(self.config.group)
        return {folder.resolve() for folder in group.pythonpath} if group else set()

    def pythonpath_key(self, folder: Path) -> str:
        """Return the key path of the pythonpath that has a folder: that of the group, or that of the file."""
        return self.key(f"groups.{self.config.group}.pythonpath" if folder in self.own_folders else "pythonpath")

    def table(self, name: str = "") -> str:
        """Return the table of a setting of this process: that of its group, or one inside; else that of the file."""
        parts = ["groups", self.config.group, name] if self.config.group else [name]
        return f"[{'.'.join(filter(None, parts))}]"

    def own_process(self, member: CheckedMount, more: str = "") -> str:
        """Return what to write for a process in which a mount is alone, as the end of a sentence.

        Args:
            member: The mount.
            more: What has to stand in the table of the group.
        """
        name = self._new_group(member)
        where = "the fleet" if member.mount.is_member else "the mount"
        table = f"{more} under [{self.key(f'groups.{name}')}]" if more else f"a table [{self.key(f'groups.{name}')}]"
        return f'group = "{name}" on {where} and {table}'

    def _new_group(self, member: CheckedMount) -> str:
        text = member.mount.key.prefix or member.mount.key.host
        name = "_".join("".join(each if each.isascii() and each.isalnum() else " " for each in text).split())[:30]
        taken = {each.lower() for each in self.config.groups}
        names = (f"{name or 'main'}{number}" for number in ("", *range(2, len(taken) + 3)))
        return next(each for each in names if each.lower() not in taken)

    def shorten(self, path: str | Path) -> str:
        """Return a path relative to the folder of the file if it is inside."""
        file, folder = Path(path), self.config.folder
        return str(file.relative_to(folder) if file.is_relative_to(folder) else file)

    def find(self, path: str, host: str = "") -> Mount | None:
        """Return the mount of the file that answers a request.

        Args:
            path: The path of a request, decoded.
            host: The Host header; "" for one that no key names.
        """
        found = self.router.find(to_wsgi(path, "surrogateescape") or "/", host)
        return found.mount if found else None

    def share_a_host(self, one: CheckedMount, other: CheckedMount) -> bool:
        """Return whether a browser may reach both on one host; the port does not matter to cookies."""
        if one.mount.key.host == other.mount.key.host:
            return True
        hosts = [host_of(member.mount.key) for member in (one, other) if member.mount.key.host]
        return any(all(self.find(each.prefix, host) is each.mount for each in (one, other)) for host in hosts)


def host_of(key: MountKey) -> str:
    """Return a Host header that a key matches; "" for any host."""
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
    """Collect what the checks need to know about a composition.

    Args:
        composition: The loaded mounts.
        effects: How loading each mount has changed the process, by the names of the mounts.
        observe: Records the effects of reading a mount, given its name: reading Django imports its URL
            configuration, so that `effects` may grow.
        mounts: All mounts of the file, if some are not loaded.
        gunicorn: gunicorn's settings as in production.
        is_production: Whether to look at it as `run --production` would serve it.
        inspector: One that may have read the applications already.
    """
    inspector = inspector or Inspector()
    members = []
    for loaded in composition.mounts:
        key = loaded.mount.name
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
        trusted_proxies=composition.config.server.trusted_proxies,
    )

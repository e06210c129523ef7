"""The sections of a file of PasteDeploy, and the targets that their applications and filters come to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from multiserve.importers.entry_points import find_entry_point
from multiserve.importers.ini_lines import Entry
from multiserve.python_source.source import Unreadable

_APPLICATIONS = ("app", "application", "composite", "composit", "pipeline", "filter-app")
_PROTOCOLS = ("paste.app_factory", "paste.filter_app_factory", "paste.filter_factory", "paste.composite_factory")
_LONGEST_CHAIN = 20  # sections that use one another
_OWN = frozenset({"use", "next", "filter-with", "pipeline", "require", *_PROTOCOLS})
_FOLDER = re.compile(r"%\((here|__file__)\)s")  # what PasteDeploy fills in
_URLMAPS = re.compile(r"egg:paste#urlmap|call:paste\.urlmap:urlmap_factory", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Section:
    """One section, such as `[app:main]`."""

    kind: str
    name: str
    line: int
    entries: Sequence[Entry]

    @property
    def header(self) -> str:
        """The section as the file names it."""
        return f"[{self.kind}:{self.name}]"

    @property
    def is_urlmap(self) -> bool:
        """Whether it is a map of prefixes."""
        return bool(_URLMAPS.fullmatch(self.get("use")))

    def entry(self, key: str) -> Entry | None:
        """Return an entry of it; None if it has none under this key."""
        return next((entry for entry in self.entries if entry.key == key), None)

    def get(self, key: str) -> str:
        """Return a value of it; empty if it has none under this key."""
        entry = self.entry(key)
        return entry.value if entry else ""


class Sections:
    """All sections of a file.

    Attributes:
        path: The file.
        defaults: What `[DEFAULT]` says, which every application gets.
        open: The sections that are being read, one inside the other.
        used: The headers of the sections that are part of what is served.
    """

    def __init__(self, path: Path, entries: Sequence[Entry]) -> None:
        """Sort the entries by section, and fill in what `%(name)s` stands for."""
        self.path = path
        self.defaults = {entry.key: entry.value for entry in entries if entry.section == "DEFAULT"}
        self.open: list[Section] = []
        self.used: set[str] = set()
        for entry in entries:
            entry.value = re.sub(r"%\(([^)]+)\)s", lambda found: self.defaults.get(found[1], found[0]), entry.value)
        self.defaults = {entry.key: entry.value for entry in entries if entry.section == "DEFAULT"}
        names = dict.fromkeys(entry.section for entry in entries)
        self._sections = [self._make(name, [entry for entry in entries if entry.section == name]) for name in names]

    def _make(self, name: str, entries: list[Entry]) -> Section:
        kind, _, rest = name.partition(":")
        return Section(kind, rest.strip(), entries[0].line, entries)

    def find(self, name: str) -> Section | None:
        """Return the application of a name; None if the file has none."""
        return next((each for each in self._sections if each.kind in _APPLICATIONS and each.name == name), None)

    def find_filter(self, name: str) -> Section | None:
        """Return the filter of a name; None if the file has none."""
        return next((each for each in self._sections if each.kind == "filter" and each.name == name), None)

    def find_server(self) -> Section | None:
        """Return the server; None if the file has none."""
        return next((each for each in self._sections if each.kind == "server"), None)

    def only_one(self) -> Section | None:
        """Return the only application of the file; None if there are more, or none."""
        found = [each for each in self._sections if each.kind in _APPLICATIONS]
        return found[0] if len(found) == 1 else None

    def line_of(self, section: str) -> int:
        """Return the line of the first entry of a section."""
        return next((entry.line for each in self._sections for entry in each.entries if entry.section == section), 0)

    def filter_target(self, section: Section) -> str:
        """Return the middleware that a filter is.

        Raises:
            Unreadable: It is none that is called with the application.
        """
        protocol, place = self._factory(section, ("paste.filter_app_factory", "paste.filter_factory"))
        if protocol == "paste.filter_factory":
            raise Unreadable(
                f"{place} is a filter_factory, which returns what takes the application: write that into middleware."
            )
        return f"{place}({self.arguments(section)})"

    def application_target(self, section: Section) -> str:
        """Return the target of an application.

        Raises:
            Unreadable: It is not known what its factory is.
        """
        _, place = self._factory(section, ("paste.app_factory",))
        return f"{place}({self.arguments(section)})"

    def arguments(self, section: Section) -> str:
        """Return the arguments of a factory: what is global, and the entries of its own."""
        everywhere = dict(self.defaults)
        local: dict[str, str] = {}
        for entry in self._inherited(section):
            if entry.key.startswith("set "):
                everywhere[entry.key.removeprefix("set ").strip()] = entry.value
            elif entry.key.startswith("get "):
                local[entry.key.removeprefix("get ").strip()] = self.defaults.get(entry.value, "")
            elif entry.key not in _OWN:
                local[entry.key] = entry.value
        named = [f"{name}={value!r}" for name, value in local.items() if name.isidentifier()]
        others = {name: value for name, value in local.items() if not name.isidentifier()}
        if others:
            names = ", ".join(others)
            raise Unreadable(f"A setting whose name has a dot cannot be an argument: {names}.")
        if found := next(filter(_FOLDER.search, [*everywhere.values(), *local.values()]), ""):
            raise Unreadable(f"An argument cannot name the folder of the file: {found}.")
        return ", ".join([repr(everywhere), *named])

    def _inherited(self, section: Section) -> list[Entry]:
        """Return the entries of a section behind those of the section that it uses."""
        chain = [section]
        while (other := self.find(chain[-1].get("use"))) and other not in chain:
            chain.append(other)
        return [entry for each in reversed(chain) for entry in each.entries]

    def _factory(self, section: Section, protocols: tuple[str, ...]) -> tuple[str, str]:
        """Return the protocol of a factory, and where it is, as `module:attribute`."""
        for _ in range(_LONGEST_CHAIN):
            other = self.find(section.get("use")) or self.find_filter(section.get("use"))
            if other is None:
                break
            section = other
        else:
            raise Unreadable("The sections use one another in a circle.")
        for protocol in protocols:
            if place := section.get(protocol):
                return protocol, place
        use = section.get("use")
        if use.startswith("call:"):
            return protocols[0], use.removeprefix("call:")
        if use.startswith("config:"):
            raise Unreadable(f"It is in another file, {use.removeprefix('config:')}: import that one, too.")
        if match := re.fullmatch(r"egg:([^#]+)(?:#(.+))?", use):
            distribution, name = match[1].strip(), (match[2] or "main").strip()
            for protocol in protocols:
                if place := find_entry_point(self.path.parent, distribution, protocol, name):
                    return protocol, place
            raise Unreadable(
                f'{use} is an entry point of "{distribution}", which is not here: with its factory at hand write '
                f'"module:factory({self.arguments(section)})".'
            )
        raise Unreadable("It does not say what it uses." if not use else f'"{use}" is not known.')

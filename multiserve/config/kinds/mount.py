"""What the entries of all kinds have in common, and what each of them is read from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from multiserve.config.source import Source
from multiserve.config.tables import Table, option
from multiserve.config.targets import Target, TargetProblem, parse_target
from multiserve.errors import UnlocatedError
from multiserve.keys import MountKey
from multiserve.shortening import shorten

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of `[mounts]`, while it is read.

    Attributes:
        table: The options of the entry.
        key: The key of the mount; None if it is wrong.
        source: Where the entry comes from.
        holder: The table that holds the target: `table`, or that of all mounts for an entry that is a bare string.
        name: The key under which `holder` holds the target.
        given: The keyword of the target in `table`, such as `app`.
    """

    table: Table
    key: MountKey | None
    source: Source
    holder: Table
    name: str
    given: str

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.source.folder

    def text(self) -> str | None:
        """Return the target as the file spells it; None if it is not a text."""
        return self.holder.text(self.name)

    def refuse(self, message: str, hint: str) -> None:
        """Note a mistake in the target."""
        self.holder.refuse(self.name, message, hint)

    def parse(self, parse: Callable[[str], T], text: str | None) -> T | None:
        """Parse the target; None where there is none or it is wrong, which the table then knows."""
        return None if text is None else attempt(self.holder, self.name, parse, text)

    def read(self, kind: type[M], **known: Any) -> M:
        """Read the options of a kind of mount; `known` are the fields that are not options."""
        table = self.table
        for path in table.texts("probe"):
            if not path.startswith("/"):
                table.refuse("probe", f'"{path}" does not begin with a slash', f'Write "/{path}".')
        middleware = read_middleware(table)
        options = {name: value for name, value in table.values.items() if name != self.given}
        return Table(options, table.key, table.problems).read(
            kind, key=self.key, toml_key=table.key, middleware=middleware, **known
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """What every mount has.

    Attributes:
        kind: The kind of mount in one word, for reports.
        given: The keyword in the file that makes an entry one of this kind.
        noun: The kind as a mistake in the file mentions it, with an article.
        example: The shortest entry of this kind, as TOML.
        help: The description of its keyword in the JSON Schema.
        loads_code: Whether an application's own code is imported for it.
        is_member: Whether it has its options from a fleet.
        has_placeholders: Whether its key has placeholders; one of a kind either always or never has.
        key: Its host and prefix.
        toml_key: The key path of its entry, as TOML spells it.
        what: What the file mounts here, as it spells it.
        middleware: What wraps it, outermost first.
    """

    kind: ClassVar[str]
    given: ClassVar[str]
    noun: ClassVar[str]
    example: ClassVar[str]
    help: ClassVar[str]
    loads_code: ClassVar[bool] = False
    is_member: ClassVar[bool] = False
    has_placeholders: ClassVar[bool] = False
    key: MountKey
    toml_key: str
    what: str
    middleware: tuple[Target, ...] = option(
        (), help="WSGI or ASGI middleware, outermost first: module:Class or module:factory(option=1)."
    )
    required: bool = option(default=False, help="Refuse to start when this mount cannot be loaded or started.")
    slash: str = option(
        "keep",
        help="What the prefix without a slash behind it gets: keep hands it to the mount, redirect adds the slash.",
        choices=("keep", "redirect"),
    )
    probe: tuple[str, ...] = option(
        (), help='Paths below the prefix that "check --probe" asks for, beside the root.', pattern="^/"
    )
    group: str = option("", help="The group, [groups.NAME], in whose process it runs.")
    ignore: tuple[str, ...] = option((), help="Codes of checks whose findings about this mount are not wanted.")

    @property
    def name(self) -> str:
        """The key as text: what logs, workers, lifespans and findings call the mount."""
        return str(self.key)

    @property
    def place(self) -> str:
        """What problems and findings have as their key: the key path, unless the mount is found where there is none."""
        return self.toml_key

    @property
    def shown(self) -> str:
        """What is mounted, as far as there is room for it."""
        return shorten(self.what)

    def mentions(self, text: str) -> bool:
        """Return whether the key or the target contains a text, in capitals or not."""
        return any(text.casefold() in value.casefold() for value in (self.name, self.what))

    @classmethod
    def read_entry(cls, entry: Entry) -> Self | None:
        """Read an entry of this kind; None where it is so wrong that nothing can be made of it."""
        raise NotImplementedError


M = TypeVar("M", bound=Mount)


def read_middleware(table: Table) -> tuple[Target, ...]:
    """Read the targets of `middleware`."""
    parsed = (attempt(table, "middleware", parse_named, text) for text in table.texts("middleware"))
    return tuple(target for target in parsed if target)


def parse_named(text: str) -> Target:
    """Parse a target that has to name what is meant in its module: there are no usual names for it.

    Raises:
        TargetProblem: It is not one.
    """
    target = parse_target(text)
    if target.section:
        raise TargetProblem(
            f'"{text}" is an application, and no function', 'Write "module:name" or "module:name(option=1)".'
        )
    if not target.attribute:
        raise TargetProblem(f'"{text}" names nothing in the module', f'Write "{text}:name" or "{text}:name(option=1)".')
    return target


def attempt(table: Table, name: str, parse: Callable[[str], T], text: str) -> T | None:
    """Parse a text of a table; None where it is wrong, which the table then knows."""
    try:
        return parse(text)
    except UnlocatedError as error:
        table.refuse(name, str(error), error.hint)
        return None

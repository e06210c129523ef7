"""What the commands print about mounts, as text and as values for JSON; nothing here prints."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, TypedDict

from multiserve._types import Interface
from multiserve.config.model import Config
from multiserve.config.mounts import AppMount, Mount
from multiserve.errors import Problem
from multiserve.keys import url_of
from multiserve.routing import precedence
from multiserve.styles import Paint, plain, visible_length

if TYPE_CHECKING:  # reading the file does not need the modules that load applications
    from multiserve.composition import Composition
    from multiserve.loading.mounts import LoadedMount


class MountJson(TypedDict):
    """A mount."""

    mount: Annotated[str, "The key, which names the mount everywhere."]
    host: Annotated[str, "The host of the key; empty for any."]
    port: Annotated[int | None, "The port of the key; null for any."]
    prefix: Annotated[str, "The prefix of the key; empty for the root."]
    kind: Annotated[str, "The kind of mount in one word, such as app, static or fleet."]
    target: Annotated[str, "What is mounted, as the file spells it."]
    interface: Annotated[Interface | None, "The interface; null if it is not known, or either will do."]
    group: Annotated[str, "The group in whose process it runs; empty for that of multiserve itself."]


class ProblemJson(TypedDict):
    """A mistake, or why something cannot be loaded."""

    key: Annotated[str, "The key path in the file, or another place; empty if there is none."]
    message: Annotated[str, "What is wrong."]
    hint: Annotated[str, "What to do; empty where the message says it all."]
    excerpt: Annotated[str, "The line that is meant; empty if there is none."]


class OutcomeJson(MountJson):
    """A mount, and whether it could be loaded."""

    ok: Annotated[bool, "Whether it could be loaded."]
    problems: list[ProblemJson]


def table(rows: Iterable[Sequence[str]], *, indent: str = "  ") -> str:
    """Align rows of text in columns, each row on one line."""
    lines = [[" ".join(cell.splitlines()) for cell in row] for row in rows]
    widths = [max(map(visible_length, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(map(_pad, row, widths)) for row in lines)
    return "\n".join((indent + line).rstrip() for line in padded)


def _pad(cell: str, width: int) -> str:
    return cell + " " * (width - visible_length(cell))


def summary(composition: Composition, origin: str, paint: Paint = plain) -> str:
    """Return what a starting server prints: each mount with its target, and its URL or that it failed."""
    return announcement(composition.config, [origin], composition.unserved, paint)


def heading(config: Config) -> str:
    """Return a line with the number of mounts and where they come from."""
    count = len(config.mounts)
    return f"multiserve: {count} {'mount' if count == 1 else 'mounts'} from {config.source}"


def announcement(config: Config, origins: Sequence[str], failed: Sequence[Mount] = (), paint: Paint = plain) -> str:
    """Return each mount with its target and its URLs; mounts in `failed` have FAILED instead of URLs."""
    rows = []
    for mount in ordered(config):
        urls = [paint(url_of(mount.key, each), "link") for each in origins] or [""]  # a unix socket has none
        failure = [paint("FAILED", "bad")] * len(urls)
        rows.append((paint(mount.name, "strong"), mount.shown, *(failure if mount in failed else urls)))
    return f"{heading(config)}\n{table(rows)}"


def ordered(config: Config) -> list[Mount]:
    """Return the mounts in the order in which a request tries them."""
    return sorted(config.mounts, key=lambda mount: precedence(mount.key))


def outcomes(composition: Composition, paint: Paint = plain) -> str:
    """Return for each mount whether it could be loaded, and if not, why."""
    rows = table(
        [
            (
                paint("FAILED", "bad") if loaded.error else paint("ok", "good"),
                paint(loaded.mount.name, "strong"),
                loaded.mount.shown,
                "" if loaded.error else _spoken(loaded),
            )
            for loaded in composition.mounts
        ],
        indent="",
    )
    lines = []
    for loaded, row in zip(composition.mounts, rows.splitlines(), strict=True):
        lines.append(row)
        for problem in loaded.error.problems if loaded.error else ():
            parts = filter(None, (problem.message, problem.excerpt, problem.hint))
            lines += [textwrap.indent(part, "        ") for part in parts]
    return "\n".join(lines)


def outcomes_as_json(composition: Composition) -> list[OutcomeJson]:
    """Return for each mount whether it could be loaded, as values for JSON."""
    return [
        {
            **mount_as_json(loaded.mount),
            "ok": loaded.error is None,
            "interface": loaded.interface,
            "problems": problems_as_json(loaded.error.problems if loaded.error else ()),
        }
        for loaded in composition.mounts
    ]


def mount_as_json(mount: Mount) -> MountJson:
    """Return the configuration of a mount as values for JSON."""
    key = mount.key
    return {
        "mount": str(key),
        "host": key.host,
        "port": key.port,
        "prefix": key.prefix,
        "kind": mount.kind,
        "target": mount.what,
        "interface": mount.interface if isinstance(mount, AppMount) else None,
        "group": mount.group,
    }


def problems_as_json(problems: Iterable[Problem]) -> list[ProblemJson]:
    """Return problems as values for JSON."""
    return [{"key": each.key, "message": each.message, "hint": each.hint, "excerpt": each.excerpt} for each in problems]


def _spoken(loaded: LoadedMount) -> str:
    """Return the interface of an application, or the kind of any other mount."""
    return loaded.interface.upper() if loaded.mount.kind == "app" and loaded.interface else loaded.mount.kind

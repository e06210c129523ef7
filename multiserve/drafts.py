"""A multiserve.toml that is about to be written: what goes into it, and the readable text that it becomes."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from multiserve.config.model import Server
from multiserve.config.mounts import check_redirect
from multiserve.config.tables import quote_key, quote_text
from multiserve.config.targets import TargetProblem, parse_target
from multiserve.hosts import authority
from multiserve.keys import KeyProblem, MountKey, parse_key
from multiserve.upstreams import UpstreamProblem, parse_upstream

_WIDTH = 110  # characters of a line that one reads without scrolling
_MOST_THREADS = 1000  # of one mount

NEXT_MOUNTS = (
    "What you may change next:",
    '- a mount with options: "/api" = { app = "api:app", required = true }',
    '- a host instead of a prefix: "api.example.com" = "api:app"',
)
"""The footer of a file, about its mounts."""
NEXT_TABLES = (
    "- the address, and how many processes there are in production (multiserve run --production):",
    "",
    "[server]",
    "port = 8000",
    "",
    "[gunicorn]",
    "workers = 4",
)
"""The rest of that footer, for a file that has neither table yet."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is not in the file as it was, and why.

    Attributes:
        what: What it concerns, such as a line of the file that was read.
        reason: Why, and what to do instead.
        line: The number of the line that it concerns; 0 if none.
    """

    what: str
    reason: str
    line: int = 0


@dataclass(slots=True)
class DraftMount:
    """One line of `[mounts]`.

    Attributes:
        key: Where it is mounted.
        options: `app`, `static`, `redirect` or `proxy`, and further options.
        comment: What is said about it in the line above; empty for nothing.
        is_disabled: Whether the line is a comment itself, which one can uncomment later.
    """

    key: str
    options: dict[str, Any]
    comment: str = ""
    is_disabled: bool = False


@dataclass(slots=True)
class Draft:
    """What goes into a file, each table under its own name, and notes that are written below it all."""

    header: Sequence[str] = ()
    mounts: list[DraftMount] = field(default_factory=list)
    middleware: list[str] = field(default_factory=list)
    pythonpath: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    server: dict[str, Any] = field(default_factory=dict)
    development: dict[str, Any] = field(default_factory=dict)
    gunicorn: dict[str, Any] = field(default_factory=dict)
    title: str = "Not carried over, or not as it was:"
    notes: list[Note] = field(default_factory=list)
    footer: Sequence[str] = ()

    def add(self, key: str, what: str, line: int, **options: Any) -> None:
        """Add a mount, or a note where its key or its target cannot be in the file.

        Args:
            key: Its key, in any spelling.
            what: What it was in the file that it comes from.
            line: The number of that line.
            options: `app`, `static`, `redirect` or `proxy`, and further options.
        """
        try:
            parsed = parse_key(key)
            for target in (options.get("app", "a:b"), *options.get("middleware", ())):
                parse_target(target)
            check_redirect(options.get("redirect", "/"))
            parse_upstream(options.get("proxy", "http://localhost"), Path())
        except (KeyProblem, TargetProblem, UpstreamProblem) as error:
            self.note(what, f"{error}. {error.hint}", line)
            return
        if self.has(parsed):
            self.note(what, f'"{parsed}" is mounted by an earlier line.', line)
            return
        self.mounts.append(DraftMount(str(parsed), {name: each for name, each in options.items() if each}))

    def has(self, key: MountKey) -> bool:
        """Return whether there is a mount at this place."""
        return any(parse_key(mount.key).place == key.place for mount in self.mounts)

    def note(self, what: str, reason: str, line: int = 0) -> None:
        """Add a note."""
        self.notes.append(Note(what, reason, line))

    def note_fall_through(self, what: str, key: str, line: int) -> None:
        """Note that a composition inside another one has no mount of its own, so that nothing in it answers 404."""
        reason = f"What is below {key}, and in none of its mounts, got 404; now the next shorter prefix answers it."
        self.note(what, reason, line)

    def set_port(self, value: object, what: str, line: int) -> None:
        """Set the port, or add a note where it is none."""
        text = str(value)
        if text.isascii() and text.isdigit() and int(text) <= 65535:  # noqa: PLR2004 (the highest port)
            self.server["port"] = int(text)
        elif "PORT" in text:
            reason = (
                "multiserve listens on the port in the environment variable PORT, if that is set. "
                "For another variable set MULTISERVE_PORT, or write --port."
            )
            self.note(what, reason, line)
        else:
            self.note(what, f'"{text}" is not a port.', line)

    def bind_port_too(self) -> None:
        """Add the port to the other addresses, which the production server listens on in place of it."""
        bind = self.gunicorn.get("bind")
        if bind and "port" in self.server:
            host = self.server.get("host", Server().host)
            bind.insert(0, authority(host, self.server["port"]))

    def note_variables(self, name: str, value: str, reference: re.Pattern[str], what: str, line: int) -> None:
        """Note that the value of an environment variable has variables itself, with the line that does the same.

        They are not written into the file, which would not load without them.

        Args:
            name: The variable.
            value: Its value.
            reference: What refers to a variable in it; the name is the first group.
            what: What it was in the file that it comes from.
            line: The number of that line.
        """
        text = reference.sub("", value)
        reason = "Set it before the start."
        if "$" not in text:
            own = quote_text(reference.sub(r"${\1}", value))
            reason = f"It has variables: write {quote_key(name)} = {own} under [env], or set it before the start."
            if reference.fullmatch(value) and reference.sub(r"\1", value) == name:
                reason = "It is that of the process, which the applications see in any case."
        self.note(what, reason, line)

    def set_threads(self, value: object, what: str, line: int, mounts: Iterable[DraftMount] | None = None) -> None:
        """Set the threads of applications, or add a note where it is no number of them.

        Args:
            value: Their number.
            what: What it was in the file that it comes from.
            line: The number of that line.
            mounts: Where to write it; by default on all mounts that there are so far.
        """
        text = str(value)
        if not (text.isascii() and text.isdigit() and 0 < int(text) <= _MOST_THREADS):
            self.note(what, f"Write threads on the mount, as a number from 1 to {_MOST_THREADS}.", line)
            return
        for mount in self.mounts if mounts is None else mounts:
            if "app" in mount.options:
                mount.options["threads"] = int(text)

    def note_worker_class(self, name: str, what: str, line: int) -> None:
        """Note that multiserve has a worker of its own, in place of the one with this name."""
        reason = "multiserve's own worker serves WSGI, in threads of each mount, and ASGI: this one is left out."
        if name.rpartition(".")[2].lower().startswith(("gevent", "eventlet", "tornado")):
            keep = f'write worker_class = "{name}" under [gunicorn]'
            reason = f"multiserve's own worker has threads instead: to keep it {keep}."
        self.note(what, reason, line)


def to_toml(draft: Draft) -> str:
    """Return the text of the file."""
    parts = [_comments(draft.header)]
    if top := _lines({"pythonpath": draft.pythonpath, "middleware": draft.middleware}):
        parts.append(top)
    parts.append("\n".join(["[mounts]", *_mounts(draft.mounts)]))
    tables = [(name, _lines(getattr(draft, name))) for name in ("env", "server", "development", "gunicorn")]
    parts.extend(f"[{name}]\n{lines}" for name, lines in tables if lines)
    parts.extend([_notes(draft.title, draft.notes), _comments(draft.footer)])
    return "\n\n".join(part for part in parts if part) + "\n"


def value_to_toml(value: Any) -> str:
    """Return a value as the file spells it, in one line: as TOML does, with nothing that refers to a variable.

    Raises:
        TypeError: TOML has no such value.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quote_text(_literal(value))
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_to_toml, value))}]"
    if isinstance(value, Mapping):
        pairs = [f"{quote_key(_literal(name))} = {value_to_toml(each)}" for name, each in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    raise TypeError(f"TOML has no {type(value).__name__}")


def _literal(text: str) -> str:
    """Return what the file reads as this text: where it has `${`, a variable of the environment would be meant."""
    return text.replace("${", "$${")


def _mounts(mounts: Sequence[DraftMount]) -> list[str]:
    """Return the lines of all mounts: in one line each, and those that do not fit in tables of their own."""
    short = [mount for mount in mounts if mount.is_disabled or len(_line(mount, 0)) <= _WIDTH]
    width = max((len(_key(mount)) for mount in short), default=0)
    lines = []
    for mount in short:
        lines += [_comments([mount.comment])] if mount.comment else []
        lines.append(f"{'# ' if mount.is_disabled else ''}{_line(mount, width)}")
    for mount in mounts:
        if mount not in short:
            lines += ["", *([_comments([mount.comment])] if mount.comment else [])]
            lines += [f"[mounts.{_key(mount)}]", _lines(mount.options)]
    return lines


def _key(mount: DraftMount) -> str:
    return quote_text(_literal(mount.key))


def _line(mount: DraftMount, width: int) -> str:
    only_app = mount.options.keys() == {"app"}
    value = value_to_toml(mount.options["app"] if only_app else mount.options)
    return f"{_key(mount).ljust(width)} = {value}"


def _lines(table: Mapping[str, Any]) -> str:
    return "\n".join(_pair(name, value) for name, value in table.items() if value != [])


def _pair(name: str, value: Any) -> str:
    key = quote_key(_literal(name))
    text = f"{key} = {value_to_toml(value)}"
    if isinstance(value, list | tuple) and len(text) > _WIDTH:
        return "\n".join([f"{key} = [", *(f"    {value_to_toml(each)}," for each in value), "]"])
    return text


def _notes(title: str, notes: Iterable[Note]) -> str:
    lines = []
    for note in sorted(notes, key=lambda note: note.line):
        where = f"line {note.line}: " if note.line else ""
        lines.append(f"- {where}{note.what}\n{_wrapped(note.reason)}")
    return _comments([title, *lines]) if lines else ""


def _wrapped(text: str) -> str:
    """Return a reason in lines that fit a screen; one that has lines of its own, such as code, keeps them."""
    if "\n" in text:
        return textwrap.indent(text, "    ")
    return textwrap.indent(textwrap.fill(text, 96, break_on_hyphens=False, break_long_words=False), "    ")


def _comments(texts: Iterable[str]) -> str:
    """Return the texts as comments; a control character, which TOML forbids there, is shown by its escape."""
    lines = [line for text in texts for line in (text.split("\n") if text else [""])]
    shown = (
        "".join(each if each.isprintable() or each == "\t" else ascii(each)[1:-1] for each in line) for line in lines
    )
    return "\n".join(f"# {line}".rstrip() for line in shown)

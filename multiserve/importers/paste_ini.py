"""A file of PasteDeploy: applications, filters, pipelines, and a composite of `egg:Paste#urlmap`."""

from __future__ import annotations

import re
from pathlib import Path

from multiserve.drafts import Draft
from multiserve.importers.ini_lines import Entry, read_entries
from multiserve.importers.paste_objects import Section, Sections
from multiserve.importers.paste_server import read_server
from multiserve.python_source.source import Unreadable

NAME = "an INI file of PasteDeploy with app, composite (urlmap) or pipeline sections"
_SECTION = re.compile(r"^\s*\[(app|application|composite|composit|pipeline|filter-app):[^\]]+\]", re.MULTILINE)
_USED_BY_PASTE = ("use", "not_found_app")
_DOMAIN = re.compile(r"domain\s+(\S+)(?:\s+port\s+(\d+))?\s*(/\S*)?")


def matches(name: str, text: str) -> bool:
    """Return whether this is an INI file with sections of PasteDeploy."""
    return name.endswith((".ini", ".conf", ".cfg")) and _SECTION.search(text) is not None


def read(path: Path, text: str) -> Draft:
    """Read what `main` comes to, the server, and what cannot be carried over of the rest."""
    draft = Draft()
    entries = list(read_entries(text, "=:"))
    sections = Sections(path, entries)
    main = sections.find("main") or sections.only_one()
    if main is None:
        draft.note("[app:main]", "There is no main application: name the one that is served main.")
    else:
        _read_one(draft, sections, main, "/", ())
    read_server(draft, sections)
    _note_rest(draft, sections, entries)
    return draft


def _read_one(draft: Draft, sections: Sections, section: Section, key: str, around: tuple[str, ...]) -> None:
    """Mount what a section comes to at a key, with the middleware of the pipelines around it."""
    if section in sections.open:
        draft.note(section.header, "It contains itself.", section.line)
        return
    sections.open.append(section)
    sections.used.add(section.header)
    try:
        if section.is_urlmap:
            _read_urlmap(draft, sections, section, key, around)
        elif section.kind == "pipeline":
            *filters, last = (section.get("pipeline") or section.name).split()
            middleware = tuple(_filter(sections, name, section) for name in filters)
            _read_name(draft, sections, last, key, (*around, *middleware), section.entry("pipeline"))
        elif section.kind == "filter-app" or section.get("filter-with"):
            _read_filtered(draft, sections, section, key, around)
        else:
            found = sections.application_target(section)
            draft.add(key, section.header, section.line, app=found, middleware=list(around))
    except Unreadable as error:
        _leave_to_pastedeploy(draft, sections, section, key, around, str(error))
    finally:
        sections.open.pop()


def _leave_to_pastedeploy(
    draft: Draft, sections: Sections, section: Section, key: str, around: tuple[str, ...], reason: str
) -> None:
    """Mount what PasteDeploy itself makes of a section that has no target of its own."""
    target = f"paste:{sections.path.name}#{section.name}"
    draft.add(key, section.header, section.line, app=target, middleware=list(around))
    reason = f'{reason} PasteDeploy loads it: pip install "multiserve[paste]".'
    draft.note(f"{section.header}, at {key}", reason, section.line)


def _read_filtered(draft: Draft, sections: Sections, section: Section, key: str, around: tuple[str, ...]) -> None:
    """Read `[filter-app:x]` with its `next`, or an application with `filter-with`."""
    if section.kind == "filter-app":
        outer = sections.filter_target(section)
        _read_name(draft, sections, section.get("next"), key, (*around, outer), section.entry("next"))
        return
    middleware = (_filter(sections, section.get("filter-with"), section),)
    if section.kind in ("composite", "composit"):
        raise Unreadable("filter-with is not read on a composite: write the filter as a pipeline around it.")
    found = sections.application_target(section)
    draft.add(key, section.header, section.line, app=found, middleware=[*around, *middleware])


def _read_name(
    draft: Draft, sections: Sections, name: str, key: str, around: tuple[str, ...], entry: Entry | None
) -> None:
    """Mount what a name stands for: a section, or an object itself, such as `egg:shop`."""
    section = sections.find(name)
    if section is not None:
        _read_one(draft, sections, section, key, around)
        return
    line = entry.line if entry else 0
    try:
        found = sections.application_target(Section("app", name, line, [Entry("", "use", name, line)]))
    except Unreadable as error:
        draft.note(f"{name}, at {key}", str(error), line)
    else:
        draft.add(key, name, line, app=found, middleware=list(around))


def _filter(sections: Sections, name: str, section: Section) -> str:
    """Return the middleware that a filter of a section comes to; it may be an object itself, such as `egg:shop`."""
    found = sections.find_filter(name)
    if found is not None:
        sections.used.add(found.header)
    return sections.filter_target(
        found or Section("filter", name, section.line, [Entry("", "use", name, section.line)])
    )


def _read_urlmap(draft: Draft, sections: Sections, section: Section, key: str, around: tuple[str, ...]) -> None:
    for entry in section.entries:
        if entry.key == "not_found_app":
            draft.note(
                entry.what, "What is not mounted gets 404; for a page of its own mount it at the root.", entry.line
            )
        if entry.key in _USED_BY_PASTE or entry.key.startswith(("set ", "get ")):
            continue
        place = _place(entry.key)
        if place is None or (key != "/" and not place.startswith("/")):
            draft.note(entry.what, "This is no prefix: write it as /path, host or host/path.", entry.line)
            continue
        _read_name(draft, sections, entry.value, _below(key, place), around, entry)
    if key != "/" and not any(mount.key == key for mount in draft.mounts):
        draft.note_fall_through(section.header, key, section.line)


def _below(key: str, place: str) -> str:
    return place if key == "/" else key + place.rstrip("/")


def _place(text: str) -> str | None:
    """Return the key of a mount for the key of a urlmap: `/path`, or `domain example.com port 80 /path`."""
    if text.startswith("/"):
        return text.rstrip("/") or "/"
    if match := _DOMAIN.fullmatch(text):
        host, port, path = match.groups()
        return f"{host}{f':{port}' if port else ''}{(path or '').rstrip('/')}"
    return None


def _note_rest(draft: Draft, sections: Sections, entries: list[Entry]) -> None:
    """Note the sections that nothing has used."""
    noted = set()
    for entry in entries:
        kind, _, _ = entry.section.partition(":")
        if entry.section in noted or kind in ("DEFAULT", "server") or f"[{entry.section}]" in sections.used:
            continue
        noted.add(entry.section)
        if kind in ("loggers", "handlers", "formatters") or kind.startswith(("logger_", "handler_", "formatter_")):
            if "logging" not in noted:
                reason = (
                    "For production write logconfig under [gunicorn] with the path of a file that has these sections."
                )
                draft.note("the logging", reason, sections.line_of(entry.section))
            noted.add("logging")
        elif kind in ("app", "application", "composite", "composit", "pipeline", "filter", "filter-app"):
            draft.note(f"[{entry.section}]", "Nothing that is served uses it.", sections.line_of(entry.section))
        else:
            draft.note(f"[{entry.section}]", "multiserve reads nothing of it.", sections.line_of(entry.section))

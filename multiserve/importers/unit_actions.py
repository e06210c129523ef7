"""The steps of the routes of NGINX Unit: what they match, and what mount each action is."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from multiserve.importers.json_lines import Path
from multiserve.importers.python_files import add_static
from multiserve.importers.unit_applications import add_application
from multiserve.importers.unit_document import UnitDocument

_ONE_URL = "A file answers at one URL: what is below gets 404."
_STATUSES = (301, 302, 303, 307, 308)
_VARIABLES = ("$uri", "${uri}", "$request_uri", "${request_uri}")


@dataclass(frozen=True, slots=True)
class Step:
    """One step for one host and one prefix.

    Attributes:
        place: Where it is in the file.
        host: The host that it matches; empty for any.
        prefix: The prefix that it matches; empty for the root.
    """

    place: Path
    host: str = ""
    prefix: str = ""

    @property
    def key(self) -> str:
        """The key of the mount."""
        return self.host + self.prefix or "/"

    @staticmethod
    def read_match(unit: UnitDocument, route: dict[str, Any], place: Path, outer: Step) -> Iterator[Step]:
        """Iterate over the steps that a route comes to: one for each host and each prefix that it matches."""
        match = route.get("match")
        match = match if isinstance(match, dict) else {}
        line = unit.line((*place, "match"))
        for name in match.keys() - {"uri", "host"}:
            reason = "A mount is chosen by host and prefix alone: the application has to look at the rest."
            unit.draft.note(f"match {name}", reason, unit.line((*place, "match", name)))
        if match.keys() - {"uri", "host"}:
            return
        hosts = _texts(match.get("host", outer.host))
        for host in hosts:
            if host.startswith(("!", "~")) or "*" in host.removeprefix("*."):
                unit.draft.note(f'match host "{host}"', "A host is exact, or begins with *.", line)
                continue
            for prefix in _prefixes(unit, match, route.get("action"), outer, line):
                yield Step(place, host, prefix)


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] or [""] if isinstance(value, list) else [str(value)]


def _is_file(action: Any, url: str) -> bool:
    """Return whether an action answers a URL with one file: one that it names itself, or that the URL names."""
    share = _texts(action.get("share", ""))[0] if isinstance(action, dict) else ""
    if share.endswith(_VARIABLES):
        return mimetypes.guess_type(url)[0] is not None
    return bool(share) and "$" not in share and not share.endswith("/")


def _prefixes(unit: UnitDocument, match: dict[str, Any], action: Any, outer: Step, line: int) -> list[str]:
    """Return the prefixes of the patterns of `uri`, each once."""
    if "uri" not in match:
        return [outer.prefix]
    patterns = _texts(match["uri"])
    found: dict[str, None] = {}
    for pattern in patterns:
        prefix = pattern.removesuffix("*")
        what = f'match uri "{pattern}"'
        if not prefix.startswith("/") and prefix:
            unit.draft.note(what, "A mount is a prefix, without patterns: it begins with a slash.", line)
        elif "*" in prefix or "~" in prefix:
            unit.draft.note(what, "A mount is a prefix of whole segments, without patterns.", line)
        else:
            key = prefix.rstrip("/")
            if _is_file(action, pattern):
                if pattern != prefix and prefix.strip("/"):
                    unit.draft.note(what, _ONE_URL, line)
            elif pattern == prefix and key and f"{key}/*" not in patterns:
                unit.draft.note(what, "It matched this URL alone; the mount answers what is below, too.", line)
            elif pattern.endswith("*") and not prefix.endswith("/") and prefix:
                unit.draft.note(what, f"It matched {prefix}x, too; the mount answers whole segments alone.", line)
            found[key] = None
    return list(found)


def read_pass(unit: UnitDocument, target: str, step: Step) -> None:
    """Read `routes`, `routes/main` or `applications/api`, which is where requests go on to."""
    kind, _, name = target.partition("/")
    if kind != "routes":
        read_action(unit, {"pass": target}, step)
    elif target in unit.open:
        unit.draft.note(f'pass "{target}"', "It contains itself.", unit.line(step.place))
    else:
        unit.open.add(target)
        _read_routes(unit, name, step)
        unit.open.discard(target)


def _read_routes(unit: UnitDocument, name: str, outer: Step) -> None:
    routes = unit.document.get("routes", [])
    place: Path = ("routes",)
    if isinstance(routes, dict):
        routes, place = routes.get(name, []), ("routes", name)
    for number, route in enumerate(routes if isinstance(routes, list) else []):
        if isinstance(route, dict):
            for step in Step.read_match(unit, route, (*place, number), outer):
                read_action(unit, route.get("action", {}), step)


def read_action(unit: UnitDocument, action: Any, step: Step) -> None:
    """Mount what an action does, or note why that is not a mount."""
    action = action if isinstance(action, dict) else {}
    what, line = f"{_shown(action)} at {step.key}", unit.line((*step.place, "action")) or unit.line(step.place)
    if "rewrite" in action:
        reason = "Nothing rewrites a path: the application gets it as the client wrote it."
        unit.draft.note(f'rewrite "{action["rewrite"]}"', reason, line)
    if (target := str(action.get("pass", ""))).startswith("applications/"):
        add_application(unit, target.removeprefix("applications/"), step.key, line)
    elif target.startswith("routes"):
        read_pass(unit, target, step)
    elif "share" in action:
        _read_share(unit, action, step, line)
    elif "location" in action:
        _read_redirect(unit, action, step, what, line)
    elif "proxy" in action:
        target = str(action["proxy"])
        unit.draft.add(step.key, what, line, proxy=target.removeprefix("http://") if "//unix:" in target else target)
    elif action:
        unit.draft.note(what, "It answers by itself: what is not mounted gets 404.", line)


def _shown(action: dict[str, Any]) -> str:
    name = next((name for name in ("pass", "share", "proxy", "return") if name in action), "action")
    return f"{name} {action.get(name, '')}".strip()


def _read_share(unit: UnitDocument, action: dict[str, Any], step: Step, line: int) -> None:
    """Mount a file, or a folder: Unit appends the whole path to that, the prefix included."""
    first, *others = _texts(action["share"])
    what = f"share {first}"
    if others:
        unit.draft.note(f"share {', '.join(others)}", "A mount has one folder, or one file.", line)
    variable = next((each for each in _VARIABLES if first.endswith(each)), "")
    if not variable and _is_file(action, ""):
        unit.draft.add(step.key, what, line, file=first)
        if not step.prefix:
            unit.draft.note(what, _ONE_URL, line)
        if "fallback" in action:
            unit.draft.note(f"fallback of {what}", "Where there is no such file the answer is 404.", line)
        return
    fallback = action.get("fallback")
    fallback = fallback if isinstance(fallback, dict) else {}
    folder = first.removesuffix(variable).rstrip("/") + step.prefix
    if not variable or "$" in folder:
        unit.draft.note(what, "It has variables, or names no file: a mount is one folder, or one file.", line)
    elif "pass" in fallback and not step.prefix:
        reason = "Files in front of an application are not known: mount each folder of them at its own prefix."
        unit.draft.note(what, reason, line)
    else:
        page = _texts(fallback.get("share", ""))[0]
        name = page.removeprefix(f"{folder}/") if page.startswith(f"{folder}/") else ""
        add_static(unit.draft, step.key, folder, what, line, fallback="" if "$" in name else name)
        if "pass" in fallback:
            unit.draft.note(f"fallback of {what}", "A folder answers 404 for what it does not have.", line)
        return
    if "pass" in fallback:
        read_action(unit, {"pass": fallback["pass"]}, step)


def _read_redirect(unit: UnitDocument, action: dict[str, Any], step: Step, what: str, line: int) -> None:
    """Mount a redirect, to which the rest of the path is appended."""
    location, status = str(action["location"]), action.get("return", 301)
    place = next((location.removesuffix(each) for each in _VARIABLES if location.endswith(each)), location)
    if "$" in place or status not in _STATUSES or "?" in place:
        unit.draft.note(what, "A redirect has a fixed path or URL, and a status of 301, 302, 303, 307 or 308.", line)
        return
    if place != location:
        place = place.rstrip("/") + step.prefix
    unit.draft.add(step.key, what, line, redirect=place or "/", status=status)

"""What `routes --all` prints about the routes inside mounts, as text and as values for JSON; nothing here prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NotRequired, TypedDict

from multiserve.config.mounts import (
    AppMount,
    FileMount,
    FleetMount,
    Mount,
    ProxiedMount,
    RedirectMount,
    StaticMount,
    TenantMount,
)
from multiserve.frameworks import Facts, InnerRoute
from multiserve.loading.mounts import LoadedMount
from multiserve.reports.routes import (
    NOTHING,
    ExplanationJson,
    declared,
    explanation_as_json,
    explanation_as_text,
    group_of,
    has_groups,
    head,
    place,
)
from multiserve.reports.text import MountJson, ProblemJson, mount_as_json, problems_as_json, table
from multiserve.routes.arrival import Arrival, ArrivalOutcome
from multiserve.routes.explain import Explanation
from multiserve.routes.inside import Contents, OuterRoute
from multiserve.styles import Paint, plain

_INDENT = "    "
_BLIND = "multiserve cannot see inside this application"
_UNREADABLE = "its URL configuration cannot be imported: {}"
_TENANTS = "the factory makes an application for each tenant, so nothing inside can be known"


def contents_as_text(contents: Sequence[Contents], paint: Paint = plain) -> str:
    """Return a table of mounts with the routes inside."""
    if not contents:
        return NOTHING
    grouped = has_groups(each.loaded.mount for each in contents)
    rows = [_cells(each, grouped, paint) for each in contents]
    columns, *lines = table([head(paint, grouped, "FRAMEWORK"), *rows], indent="").splitlines()
    parts = [columns]
    for each, line in zip(contents, lines, strict=True):
        parts += [line, *_lines_below(each, paint)]
    return "\n".join(parts)


def _cells(each: Contents, grouped: bool, paint: Paint) -> tuple[str, ...]:  # noqa: FBT001 (whether there is a column)
    mount = each.loaded.mount
    group = group_of(mount, grouped)
    return (*place(mount, paint), _spoken(each.loaded, paint), *group, mount.shown, _framework(each.facts))


def _spoken(loaded: LoadedMount, paint: Paint) -> str:
    """Return the interface of an application, or that it could not be loaded."""
    if loaded.error:
        return paint("FAILED", "bad")
    return loaded.interface.upper() if loaded.interface and loaded.origin else declared(loaded.mount)


def _framework(facts: Facts | None) -> str:
    return f"{facts.framework} {facts.version}".rstrip() if facts else ""


def _lines_below(each: Contents, paint: Paint) -> list[str]:
    if each.loaded.error:
        return [_INDENT + line for line in _reasons(each.loaded)]
    if each.routes:
        return table([_row(each.loaded.mount, route, paint) for route in each.routes], indent=_INDENT).splitlines()
    return [_INDENT + _what_it_is(each)]


def _reasons(loaded: LoadedMount) -> list[str]:
    problems = loaded.error.problems if loaded.error else ()
    parts = (part for problem in problems for part in (problem.message, problem.excerpt, problem.hint) if part)
    return [line for part in parts for line in part.splitlines()]


def _what_it_is(each: Contents) -> str:
    mount = each.loaded.mount
    if isinstance(mount, TenantMount):
        return _TENANTS
    if own := _own_answer(mount):
        return own
    if each.facts and each.facts.routes_error:
        return _UNREADABLE.format(each.facts.routes_error)
    return _BLIND if each.routes is None else "the application has no routes"


def _own_answer(mount: Mount) -> str:
    """Return what multiserve itself answers at a mount; empty for an application."""
    if isinstance(mount, StaticMount):
        return f"the files of {mount.folder}"
    if isinstance(mount, FileMount):
        return f"the file {mount.path}"
    if isinstance(mount, FleetMount):
        return f"the list of the applications in {mount.folder}"
    if isinstance(mount, ProxiedMount):
        return f"whatever {mount.what} answers"
    return f"{mount.status} to {mount.what}, with the rest of the path" if isinstance(mount, RedirectMount) else ""


def _row(mount: Mount, route: OuterRoute, paint: Paint) -> tuple[str, ...]:
    view = [route.inner.view]
    if route.answered_by is not mount:
        answers = route.answered_by.key if route.answered_by else "no mount"
        view.append(paint(f"(hidden: {answers} answers)", "warning"))
    elif route.tenants:
        view.append(paint(f"(may be hidden: {route.tenants.key} answers if its factory does)", "warning"))
    return ", ".join(route.inner.methods) or "any", route.url, route.inner.name, "  ".join(filter(None, view))


class RouteJson(TypedDict):
    """A route inside an application."""

    url: Annotated[str, "The URL from outside, with placeholders as the framework spells them."]
    methods: Annotated[list[str], "The methods; empty for any."]
    name: Annotated[str, "What the application calls it; empty for nothing."]
    view: Annotated[str, "The function or class that answers, as module:name; empty if it is not known."]
    file: Annotated[str, "Where that is defined; empty if it is not known."]
    line: Annotated[int, "The line there; 0 if it is not known."]


class OuterRouteJson(RouteJson):
    """A route, and what a request for it reaches."""

    answered_by: Annotated[str | None, "The key of the mount that answers its URL, which may be another; null if none."]
    tenants: Annotated[str | None, "The key of the tenants that answer first if their factory does; null if none."]


class StateJson(TypedDict):
    """What is known about an application."""

    ok: Annotated[bool, "Whether it could be loaded."]
    problems: list[ProblemJson]
    framework: Annotated[str | None, "The framework; null if multiserve cannot see inside."]
    version: Annotated[str | None, "The version of the framework; null if it is not known."]


class ContentsMountJson(MountJson, StateJson):
    """A mount, and the routes inside."""

    routes: Annotated[list[OuterRouteJson] | None, "The routes; null if they are not known."]
    reason: Annotated[str | None, "Why the routes are not known; null if they are, or if it could not be loaded."]


class ContentsJson(TypedDict):
    """The mounts, in the order in which a request tries them."""

    mounts: list[ContentsMountJson]


class InsideJson(StateJson):
    """What handles a request inside its mount."""

    outcome: Annotated[ArrivalOutcome, "What happens to the request."]
    through: Annotated[list[str], "The middleware in front, the outermost first."]
    status: Annotated[int | None, "The status, if no view is called; null if only the view decides."]
    location: Annotated[str | None, "Where a redirect goes; null without one."]
    methods: Annotated[list[str], "The allowed methods, if this one is not allowed."]
    file: Annotated[str | None, "The file that a static folder or a file as a mount sends; null without one."]
    content_type: Annotated[str | None, "The type of what such a mount answers; null without one."]
    route: Annotated[RouteJson | None, "The route that matches; null if none does, or it is not known."]


class ArrivalJson(ExplanationJson):
    """Which mount answers a URL, why, and with --all what handles the request inside."""

    inside: NotRequired[Annotated[InsideJson, "Only with --all, and if a mount answers."]]


def contents_as_json(contents: Iterable[Contents]) -> ContentsJson:
    """Return mounts with the routes inside as values for JSON."""
    return {"mounts": [_contents_as_json(each) for each in contents]}


def _contents_as_json(each: Contents) -> ContentsMountJson:
    routes = None if each.routes is None else [_outer_as_json(route) for route in each.routes]
    spoken = each.loaded.interface if isinstance(each.loaded.mount, AppMount) else None
    return {
        **mount_as_json(each.loaded.mount),
        "interface": spoken,
        **_state_as_json(each.loaded, each.facts),
        "routes": routes,
        "reason": _what_it_is(each) if routes is None and each.loaded.error is None else None,
    }


def _state_as_json(loaded: LoadedMount, facts: Facts | None) -> StateJson:
    return {
        "ok": loaded.error is None,
        "problems": problems_as_json(loaded.error.problems if loaded.error else ()),
        "framework": facts.framework if facts else None,
        "version": facts.version if facts else None,
    }


def _outer_as_json(route: OuterRoute) -> OuterRouteJson:
    answers = route.answered_by.name if route.answered_by else None
    tenants = route.tenants.name if route.tenants else None
    return {**_route_as_json(route.url, route.inner), "answered_by": answers, "tenants": tenants}


def _route_as_json(url: str, route: InnerRoute) -> RouteJson:
    return {
        "url": url,
        "methods": list(route.methods),
        "name": route.name,
        "view": route.view,
        "file": route.file,
        "line": route.line,
    }


def arrival_as_text(result: Explanation, arrival: Arrival, folder: Path, paint: Paint = plain) -> str:
    """Return which mount answers a URL, why, and what handles the request inside.

    Args:
        result: The explanation, which has a mount.
        arrival: Where the request ends.
        folder: The folder of the configuration, to which paths below it are relative.
        paint: Set off parts of the text.
    """
    rows = [(name, value) for name, value in _rows(result, arrival, folder) if value]
    told = replace(_as_loaded(result, arrival.loaded), location=None)  # it is among the rows
    return explanation_as_text(told, rows, paint)


def _as_loaded(result: Explanation, loaded: LoadedMount) -> Explanation:
    """Leave out what the application sees if it could not be loaded or has the other interface."""
    if loaded.error:
        result = replace(result, location=None)
    if loaded.error or loaded.interface == "asgi":
        result = replace(result, script_name=None, path_info=None)
    if loaded.error or loaded.interface == "wsgi":
        result = replace(result, root_path=None, path=None)
    return result


def _rows(result: Explanation, arrival: Arrival, folder: Path) -> Iterator[tuple[str, str]]:
    route = arrival.route
    yield "through", ", ".join(arrival.through)
    yield "framework", _framework(arrival.facts)
    if route:
        yield "route", f"{arrival.url}  ({route.name})" if route.name else arrival.url
        yield "methods", ", ".join(route.methods)
        yield "view", route.view
        yield "defined", f"{_relative(route.file, folder)}:{route.line}" if route.file else ""
    first, *more = _answer(result, arrival)
    yield "answer", first
    yield from (("", line) for line in more)
    yield "file", _relative(arrival.file, folder)


def _answer(result: Explanation, arrival: Arrival) -> list[str]:
    """Return lines about what happens if no known view answers."""
    if arrival.outcome == "view":
        return ["" if arrival.route else "a view, but which one cannot be told"]
    if arrival.outcome == "unknown" and arrival.facts and arrival.facts.routes_error:
        return [_UNREADABLE.format(arrival.facts.routes_error)]
    if arrival.outcome == "unknown":
        return [f"what {arrival.facts.framework} makes of it cannot be told" if arrival.facts else _BLIND]
    more = _reasons(arrival.loaded) if arrival.outcome == "failed" else ()
    text = _ANSWERS[arrival.outcome].format(
        status=arrival.status,
        location=arrival.location,
        content_type=arrival.content_type,
        method=result.method,
        methods=" or ".join(arrival.methods) or "another method",
    )
    if arrival.outcome in ("method not allowed", "not found") and _may_answer_first(arrival):
        text = f"{text}, unless middleware answers first"
    return [*text.splitlines(), *more]


def _may_answer_first(arrival: Arrival) -> bool:
    """Return whether middleware may answer, such as the one for CORS every OPTIONS."""
    return bool(arrival.through or (arrival.facts and arrival.facts.may_answer_first))


_ANSWERS = {
    "redirect": "{status} to {location}",
    "method not allowed": "{status}: it takes {methods}, not {method}",
    "not found": "{status}: there is nothing of this name inside",
    "host refused": "{status}: the application does not take this host",
    "file": "{status} with {content_type}",
    "list": "{status} with the list of the applications",
    "failed": "{status}: the mount cannot be loaded",
    "tenants": f"{_TENANTS};\nif it returns None, the runner-up answers",
    "proxied": "whatever the server behind it answers",
    "websocket refused": "no WebSocket is accepted here",
}


def _relative(file: str, folder: Path) -> str:
    return str(Path(file).relative_to(folder)) if file and Path(file).is_relative_to(folder) else file


def arrival_as_json(result: Explanation, arrival: Arrival) -> ArrivalJson:
    """Return an explanation with what is inside as values for JSON."""
    inside: InsideJson = {
        "outcome": arrival.outcome,
        **_state_as_json(arrival.loaded, arrival.facts),
        "through": list(arrival.through),
        "status": arrival.status or None,
        "location": arrival.location or None,
        "methods": list(arrival.methods),
        "file": arrival.file or None,
        "content_type": arrival.content_type or None,
        "route": _route_as_json(arrival.url, arrival.route) if arrival.route else None,
    }
    return {**explanation_as_json(_as_loaded(result, arrival.loaded)), "inside": inside}

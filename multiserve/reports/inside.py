"""What `routes --all` prints about the routes inside mounts, as text and as values for JSON; nothing here prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, TypedDict

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
from multiserve.reports.routes import NOTHING, declared, group_of, has_groups, head, place
from multiserve.reports.text import MountJson, ProblemJson, mount_as_json, problems_as_json, table
from multiserve.routes.inside import Contents, OuterRoute
from multiserve.styles import Paint, plain

_INDENT = "    "
BLIND = "multiserve cannot see inside this application"
UNREADABLE = "its URL configuration cannot be imported: {}"
TENANTS = "the factory makes an application for each tenant, so nothing inside can be known"


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
    return (*place(mount, paint), _spoken(each.loaded, paint), *group, mount.shown, framework(each.facts))


def _spoken(loaded: LoadedMount, paint: Paint) -> str:
    """Return the interface of an application, or that it could not be loaded."""
    if loaded.error:
        return paint("FAILED", "bad")
    return loaded.interface.upper() if loaded.interface and loaded.origin else declared(loaded.mount)


def framework(facts: Facts | None) -> str:
    """Return the name and version of a framework; empty if it is not known."""
    return f"{facts.framework} {facts.version}".rstrip() if facts else ""


def _lines_below(each: Contents, paint: Paint) -> list[str]:
    if each.loaded.error:
        return [_INDENT + line for line in reasons(each.loaded)]
    if each.routes:
        return table([_row(each.loaded.mount, route, paint) for route in each.routes], indent=_INDENT).splitlines()
    return [_INDENT + _what_it_is(each)]


def reasons(loaded: LoadedMount) -> list[str]:
    """Return the lines about why a mount could not be loaded."""
    problems = loaded.error.problems if loaded.error else ()
    parts = (part for problem in problems for part in (problem.message, problem.excerpt, problem.hint) if part)
    return [line for part in parts for line in part.splitlines()]


def _what_it_is(each: Contents) -> str:
    mount = each.loaded.mount
    if isinstance(mount, TenantMount):
        return TENANTS
    if own := _own_answer(mount):
        return own
    if each.facts and each.facts.routes_error:
        return UNREADABLE.format(each.facts.routes_error)
    return BLIND if each.routes is None else "the application has no routes"


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


def contents_as_json(contents: Iterable[Contents]) -> ContentsJson:
    """Return mounts with the routes inside as values for JSON."""
    return {"mounts": [_contents_as_json(each) for each in contents]}


def _contents_as_json(each: Contents) -> ContentsMountJson:
    routes = None if each.routes is None else [_outer_as_json(route) for route in each.routes]
    spoken = each.loaded.interface if isinstance(each.loaded.mount, AppMount) else None
    return {
        **mount_as_json(each.loaded.mount),
        "interface": spoken,
        **state_as_json(each.loaded, each.facts),
        "routes": routes,
        "reason": _what_it_is(each) if routes is None and each.loaded.error is None else None,
    }


def state_as_json(loaded: LoadedMount, facts: Facts | None) -> StateJson:
    """Return what is known about an application as values for JSON."""
    return {
        "ok": loaded.error is None,
        "problems": problems_as_json(loaded.error.problems if loaded.error else ()),
        "framework": facts.framework if facts else None,
        "version": facts.version if facts else None,
    }


def _outer_as_json(route: OuterRoute) -> OuterRouteJson:
    answers = route.answered_by.name if route.answered_by else None
    tenants = route.tenants.name if route.tenants else None
    return {**route_as_json(route.url, route.inner), "answered_by": answers, "tenants": tenants}


def route_as_json(url: str, route: InnerRoute) -> RouteJson:
    """Return a route and its URL from outside as values for JSON."""
    return {
        "url": url,
        "methods": list(route.methods),
        "name": route.name,
        "view": route.view,
        "file": route.file,
        "line": route.line,
    }

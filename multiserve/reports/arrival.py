"""What `routes --all --explain` prints about where a request ends, as text and as values for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NotRequired

from multiserve.loading.mounts import LoadedMount
from multiserve.reports.inside import (
    BLIND,
    TENANTS,
    UNREADABLE,
    RouteJson,
    StateJson,
    framework,
    reasons,
    route_as_json,
    state_as_json,
)
from multiserve.reports.routes import ExplanationJson, explanation_as_json, explanation_as_text
from multiserve.routes.arrival import Arrival, ArrivalOutcome
from multiserve.routes.explain import Explanation
from multiserve.styles import Paint, plain


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
    yield "framework", framework(arrival.facts)
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
        return [UNREADABLE.format(arrival.facts.routes_error)]
    if arrival.outcome == "unknown":
        return [f"what {arrival.facts.framework} makes of it cannot be told" if arrival.facts else BLIND]
    more = reasons(arrival.loaded) if arrival.outcome == "failed" else ()
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
    "tenants": f"{TENANTS};\nif it returns None, the runner-up answers",
    "proxied": "whatever the server behind it answers",
    "websocket refused": "no WebSocket is accepted here",
}


def _relative(file: str, folder: Path) -> str:
    return str(Path(file).relative_to(folder)) if file and Path(file).is_relative_to(folder) else file


def arrival_as_json(result: Explanation, arrival: Arrival) -> ArrivalJson:
    """Return an explanation with what is inside as values for JSON."""
    inside: InsideJson = {
        "outcome": arrival.outcome,
        **state_as_json(arrival.loaded, arrival.facts),
        "through": list(arrival.through),
        "status": arrival.status or None,
        "location": arrival.location or None,
        "methods": list(arrival.methods),
        "file": arrival.file or None,
        "content_type": arrival.content_type or None,
        "route": route_as_json(arrival.url, arrival.route) if arrival.route else None,
    }
    return {**explanation_as_json(_as_loaded(result, arrival.loaded)), "inside": inside}

"""Bottle: its routes and its router, applications mounted inside included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from multiserve.frameworks.facts import NOT_FOUND, Facts, InnerAnswer, InnerRequest, InnerRoute, Inside, Onward
from multiserve.frameworks.reading import is_a, known, loaded, plain_methods, version_of
from multiserve.frameworks.views import place_of


def recognises(application: object) -> bool:
    """Return whether it is an application of Bottle."""
    return is_a(application, "bottle", "Bottle")


def read(application: Any, inside: Inside) -> Facts:
    """Read the routes; Bottle has no session and no hosts, and one debug mode for the whole process."""
    return Facts(
        application=application,
        framework="Bottle",
        version=version_of("bottle"),
        routes=known(lambda: tuple(_routes(application, inside)), None),
        cookies=(),
        debug=known(lambda: bool(loaded("bottle", "DEBUG")), None),
    )


def _routes(application: Any, inside: Inside) -> Iterator[InnerRoute]:
    for route in application.routes:
        mounted = _mounted(route)
        if mounted is None:
            yield _describe(route)
        elif route.rule.endswith("/<:re:.*>"):  # the other rule of a mount is the prefix without the slash
            prefix, target = mounted
            facts = inside(target)
            if facts and facts.routes is not None:
                yield from (each.below(prefix) for each in facts.routes)
            else:
                yield InnerRoute(path=f"{prefix.rstrip('/')}/<path>", **place_of(target)._asdict())


def _mounted(route: Any) -> tuple[str, Any] | None:
    prefix, target = route.config.get("mountpoint.prefix"), route.config.get("mountpoint.target")
    return (prefix, target) if prefix and target else None


def _describe(route: Any) -> InnerRoute:
    methods = () if route.method in ("ANY", "PROXY") else plain_methods([route.method])
    place = place_of(route.callback)
    return InnerRoute(path=route.rule, methods=methods, name=route.name or "", **place._asdict())


def find(application: Any, request: InnerRequest, onward: Onward) -> InnerAnswer | None:
    """Ask the router."""
    path = request.path or "/"
    try:
        route, _ = application.router.match({"REQUEST_METHOD": request.method, "PATH_INFO": path})
    except Exception as error:  # noqa: BLE001 (only two of Bottle's are answers)
        return _refusal(error)
    mounted = _mounted(route)
    if mounted is None:
        return InnerAnswer(outcome="view", route=_describe(route))
    prefix, target = mounted[0].rstrip("/"), mounted[1]
    answer = onward(target, request._replace(path=path.removeprefix(prefix), prefix=request.prefix + prefix))
    if answer is None:
        place = place_of(target)
        return InnerAnswer(outcome="view", route=InnerRoute(path=f"{prefix}/<path>", **place._asdict()))
    return replace(answer, route=answer.route and answer.route.below(prefix))


def _refusal(error: Exception) -> InnerAnswer | None:
    status = getattr(error, "status_code", 0) if is_a(error, "bottle", "HTTPError") else 0
    if status == 405:  # noqa: PLR2004 (method not allowed)
        methods = plain_methods(error.headers.get("Allow", "").split(","))  # type: ignore[attr-defined]
        return InnerAnswer(outcome="method not allowed", status=405, methods=methods)
    return NOT_FOUND if status == 404 else None  # noqa: PLR2004 (not found)

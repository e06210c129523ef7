"""How the router of Starlette and of FastAPI chooses a route: its loop, in which each route answers for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from multiserve.frameworks.facts import NOT_FOUND, InnerAnswer, InnerRequest, InnerRoute, Onward
from multiserve.frameworks.reading import is_a, loaded, plain_methods
from multiserve.frameworks.views import place_of

_ROUTING = "starlette.routing"


def expand(routes: Iterable[Any]) -> Iterator[Any]:
    """Return the routes, with those of FastAPI's `include_router` in place of the router."""
    for route in routes:
        if hasattr(type(route), "effective_route_contexts"):
            for context in route.effective_route_contexts():
                yield context.starlette_route or context
        elif is_a(route, "fastapi.routing", "_FrontendRouteGroup"):
            yield from route.routes
        else:
            yield route


def describe(route: Any) -> InnerRoute | None:
    """Return a description of a route; None for an unknown kind of route."""
    original = getattr(route, "original_route", route)  # FastAPI's included route has its path, not its class
    if is_a(original, _ROUTING, "Route"):
        return InnerRoute(
            path=route.path,
            methods=plain_methods(route.methods),
            name=route.name,
            **place_of(route.endpoint)._asdict(),
        )
    if is_a(original, _ROUTING, "WebSocketRoute"):
        place = place_of(route.endpoint)
        return InnerRoute(path=route.path, methods=("WEBSOCKET",), name=route.name, **place._asdict())
    if is_a(original, _ROUTING, "Mount"):
        return InnerRoute(path=route.path + "/{path}", name=route.name or "", **place_of(route.app)._asdict())
    if is_a(original, _ROUTING, "Host"):
        return InnerRoute(path="/{path}", name=route.name or "", host=route.host, **place_of(route.app)._asdict())
    if is_a(original, "fastapi.routing", "_FrontendRoute"):
        place = place_of(route.app)
        return InnerRoute(path=route.path.rstrip("/") + "/{path}", methods=("GET",), **place._asdict())
    return None


def find(application: Any, request: InnerRequest, onward: Onward) -> InnerAnswer | None:
    """Find the route that a request would be handed to."""
    scope = _scope(application, request)
    router = getattr(application, "router", application)
    partial: Any = None
    for route in router.routes:
        match, child = route.matches(dict(scope))
        if match.name == "FULL":
            return _arrive(route, {**scope, **child}, request, onward)
        if match.name == "PARTIAL" and partial is None:
            partial = route
    if partial is not None:
        return _refuse_method(partial, scope)
    return _redirect(router, scope) or _find_frontend(router, scope)


def _scope(application: Any, request: InnerRequest) -> dict[str, Any]:
    is_websocket = request.method == "WEBSOCKET"
    path = request.prefix + request.path
    scheme = request.scheme.replace("http", "ws") if is_websocket else request.scheme
    return {
        "type": "websocket" if is_websocket else "http",
        "method": "GET" if is_websocket else request.method,
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "root_path": getattr(application, "root_path", "") or request.prefix,  # FastAPI puts its own in place
        "query_string": b"",
        "headers": [(b"host", request.host.encode("latin-1", "replace"))],
        "app": application,
    }


def _arrive(route: Any, scope: dict[str, Any], request: InnerRequest, onward: Onward) -> InnerAnswer | None:
    entry = describe(_chosen(route, scope, "FULL"))
    is_mount, is_host = is_a(route, _ROUTING, "Mount"), is_a(route, _ROUTING, "Host")
    if is_mount or is_host:
        rest = request._replace(prefix=scope["root_path"])
        rest = rest._replace(path=scope["path"].removeprefix(rest.prefix))
        answer = onward(route.app, rest)
        if answer is None:
            return InnerAnswer(outcome="view", route=entry)
        below = route.path if is_mount else ""
        inner = answer.route and answer.route.below(below, host=entry.host if entry else "")
        return replace(answer, route=inner)
    return InnerAnswer(outcome="view", route=entry)


def _chosen(route: Any, scope: dict[str, Any], match: str) -> Any:
    """Return the route itself, or the one of an included router that matches."""
    if not hasattr(type(route), "effective_route_contexts"):
        return route
    for context in route.effective_route_contexts():
        if context.matches(dict(scope))[0].name == match:
            return context.starlette_route or context
    return route


def _refuse_method(route: Any, scope: dict[str, Any]) -> InnerAnswer:
    entry = describe(_chosen(route, scope, "PARTIAL"))
    return InnerAnswer(outcome="method not allowed", status=405, route=entry, methods=entry.methods if entry else ())


def _redirect(router: Any, scope: dict[str, Any]) -> InnerAnswer | None:
    """Redirect as `redirect_slashes` does."""
    path = loaded("starlette._utils", "get_route_path")(scope)
    if scope["type"] != "http" or not router.redirect_slashes or path == "/":
        return None
    slashed = scope["path"].rstrip("/") if path.endswith("/") else scope["path"] + "/"
    elsewhere = {**scope, "path": slashed}
    for route in router.routes:
        match, child = route.matches(dict(elsewhere))
        if match.name != "NONE":
            location = str(loaded("starlette.datastructures", "URL")(scope=elsewhere))
            entry = describe(_chosen(route, {**elsewhere, **child}, match.name))
            return InnerAnswer(outcome="redirect", status=307, route=entry, location=location)
    return None


def _find_frontend(router: Any, scope: dict[str, Any]) -> InnerAnswer:
    """Ask FastAPI's frontends, which come last."""
    if not hasattr(router, "_match_low_priority"):
        return NOT_FOUND
    match, _, group, _ = router._match_low_priority(dict(scope))  # noqa: SLF001 (there is no public way)
    if match.name == "NONE":
        return NOT_FOUND
    matching = [each for each in expand([group]) if each.matches(dict(scope))[0] == match]
    deepest = max(matching, key=lambda each: len(each.path), default=None)  # as FastAPI chooses
    entry = describe(deepest)
    if match.name == "PARTIAL":
        return InnerAnswer(outcome="method not allowed", status=405, route=entry, methods=("GET",))
    return InnerAnswer(outcome="view", route=entry)

"""Falcon over WSGI and over ASGI: its resources, its sinks and its static routes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from multiserve.frameworks.expressions import as_path
from multiserve.frameworks.facts import NOT_FOUND, Facts, InnerAnswer, InnerRequest, InnerRoute, Inside, Onward
from multiserve.frameworks.reading import is_a, known, plain_methods, version_of
from multiserve.frameworks.views import place_of, undecorated


def recognises(application: object) -> bool:
    """Return whether it is an application of Falcon."""
    return is_a(application, "falcon.app", "App")


def read(application: Any, _: Inside) -> Facts:
    """Read the router; Falcon has no session, no debug mode and no hosts."""
    return Facts(
        application=application,
        framework="Falcon",
        version=version_of("falcon"),
        routes=known(lambda: tuple(_routes(application)), None),
        cookies=(),
        takes_whole_path=_takes_whole_path(application),
        may_answer_first=known(lambda: any(application._middleware), False),  # noqa: FBT003, SLF001 (no public way)
    )


def _takes_whole_path(application: Any) -> bool:
    """Return whether it is Falcon over ASGI, which leaves root_path in front of the path."""
    return is_a(application, "falcon.asgi.app", "App")


def _routes(application: Any) -> Iterator[InnerRoute]:
    yield from _walk(application._router._roots)  # noqa: SLF001 (as falcon.inspect does)
    for matcher, route, is_sink in application._sink_and_static_routes:  # noqa: SLF001 (the same)
        yield _rest(matcher, route, is_sink=is_sink)


def _walk(nodes: Iterable[Any]) -> Iterator[InnerRoute]:
    for node in nodes:
        if node.resource is not None:
            yield from _responders(node.uri_template, node.method_map)
        yield from _walk(node.children)


def _responders(template: str, responders: dict[str, Any]) -> Iterator[InnerRoute]:
    """Return a route for each responder of a resource, one that serves several methods once."""
    methods: dict[str, list[str]] = {}
    places = {}
    for method, responder in responders.items():
        written = undecorated(responder)
        if not (getattr(written, "__module__", "") or "").startswith("falcon.responders"):
            place = place_of(responder)
            methods.setdefault(place.view, []).append(method)
            places[place.view] = place
    for view, place in places.items():
        yield InnerRoute(path=template, methods=plain_methods(methods[view]), **place._asdict())


def _rest(matcher: Any, route: Any, *, is_sink: bool) -> InnerRoute:
    if is_sink:
        return InnerRoute(path=f"{as_path(matcher.pattern)}<rest>", **place_of(route)._asdict())
    path = f"{route._prefix}{{path}}"  # noqa: SLF001 (there is no public way)
    return InnerRoute(path=path, methods=("GET",), **place_of(route)._asdict())


def find(application: Any, request: InnerRequest, _: Onward) -> InnerAnswer | None:
    """Ask the router, and then the sinks and static routes."""
    path = f"{request.prefix}{request.path}" if _takes_whole_path(application) else request.path
    path = path or "/"
    if application.req_options.strip_url_path_trailing_slash and len(path) > 1:
        path = path.removesuffix("/")
    found = application._router.find(path)  # noqa: SLF001 (there is no public way)
    if found is not None:
        _resource, responders, _params, template = found
        routes = list(_responders(template, responders))
        for route in routes:
            if request.method in route.methods:
                return InnerAnswer(outcome="view", route=route)
        if request.method == "OPTIONS":  # Falcon answers it where no responder does
            own = place_of(responders["OPTIONS"])._asdict()
            return InnerAnswer(outcome="view", route=InnerRoute(path=template, methods=("OPTIONS",), **own))
        methods = tuple(sorted(method for route in routes for method in route.methods))
        return InnerAnswer(outcome="method not allowed", status=405, methods=methods)
    for matcher, route, is_sink in application._sink_and_static_routes:  # noqa: SLF001 (the same)
        if matcher.match(path):
            return InnerAnswer(outcome="view", route=_rest(matcher, route, is_sink=is_sink))
    return NOT_FOUND

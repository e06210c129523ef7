"""Pyramid: its routes and the views behind them, as its introspector has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from multiserve.frameworks.facts import NOT_FOUND, Cookie, Facts, InnerAnswer, InnerRequest, InnerRoute, Inside, Onward
from multiserve.frameworks.reading import is_a, known, loaded, plain_methods, version_of
from multiserve.frameworks.views import NOWHERE, ViewPlace, place_of


class _View(NamedTuple):
    """One view of a route.

    Attributes:
        place: Where it is defined.
        methods: Those that it is for; () for any.
        is_plain: Nothing else than route and method decides about it.
    """

    place: ViewPlace
    methods: tuple[str, ...]
    is_plain: bool


def recognises(application: object) -> bool:
    """Return whether it is the result of `make_wsgi_app`."""
    return is_a(application, "pyramid.router", "Router")


def read(application: Any, _: Inside) -> Facts:
    """Read the registry and its introspector."""
    registry = application.registry
    return Facts(
        application=application,
        framework="Pyramid",
        version=version_of("pyramid"),
        routes=known(lambda: tuple(_routes(registry)), None),
        cookies=known(lambda: _cookies(registry), None),
        debug=known(lambda: _has_toolbar(registry), None),
    )


def _utility(registry: Any, name: str) -> Any:
    return registry.queryUtility(loaded("pyramid.interfaces", name))


def _mapped(registry: Any) -> list[Any]:
    mapper = _utility(registry, "IRoutesMapper")
    return list(mapper.get_routes()) if mapper else []


def _introspected(registry: Any, category: str) -> list[Any]:
    return [each["introspectable"] for each in registry.introspector.get_category(category) or []]


def _views(registry: Any, route_name: str) -> list[_View]:
    return [_view(each) for each in _introspected(registry, "views") if each.get("route_name") == route_name]


def _view(view: Any) -> _View:
    found = view["callable"]
    if view.get("attr") and isinstance(found, type):
        found = getattr(found, view["attr"])
    methods = _methods(view.get("request_methods"))
    is_plain = len(view.get("predicates") or ()) <= bool(methods) and not view.get("context") and not view.get("name")
    return _View(place_of(found), methods, is_plain)


def _methods(methods: Any) -> tuple[str, ...]:
    return plain_methods((methods,) if isinstance(methods, str) else methods)


def _route_methods(registry: Any, name: str) -> tuple[str, ...]:
    found = [each for each in _introspected(registry, "routes") if each.get("name") == name]
    return _methods(found[0].get("request_methods")) if found else ()


def _path(route: Any) -> str:
    return f"/{route.pattern.lstrip('/')}"


def _routes(registry: Any) -> Iterator[InnerRoute]:
    for route in _mapped(registry):
        of_route = _route_methods(registry, route.name)
        for view in _views(registry, route.name) or [_View(NOWHERE, (), is_plain=False)]:
            yield _describe(route, view, of_route)


def _describe(route: Any, view: _View, of_route: tuple[str, ...]) -> InnerRoute:
    methods = view.methods or of_route
    return InnerRoute(path=_path(route), methods=methods, name=route.name, **view.place._asdict())


def _cookies(registry: Any) -> tuple[Cookie, ...] | None:
    factory = _utility(registry, "ISessionFactory")
    if factory is None:
        return ()
    cookie = Cookie(factory._cookie_name, factory._cookie_path, factory._cookie_domain or "", "cookie_name", "path")  # noqa: SLF001 (there is no public way)
    return (cookie,)


def _has_toolbar(registry: Any) -> bool | None:
    tweens = _utility(registry, "ITweens")
    names = [name for name, _ in tweens.implicit()] if tweens else []
    return True if any(name.startswith("pyramid_debugtoolbar.") for name in names) else None


def find(application: Any, request: InnerRequest, _: Onward) -> InnerAnswer | None:
    """Ask the routes in their order, as the mapper does; predicates of others are not called."""
    registry = application.registry
    path = request.path or "/"
    for route in _mapped(registry):
        if route.match(path) is None:
            continue
        of_route = _route_methods(registry, route.name)
        if len(route.predicates) > bool(of_route):
            return None  # only the one for the methods is known
        if not of_route or _is_allowed(request.method, of_route):
            return _choose(registry, route, request.method, of_route)
    return _miss(registry, path, request)


def _is_allowed(method: str, methods: tuple[str, ...]) -> bool:
    return method in methods or (method == "HEAD" and "GET" in methods)


def _choose(registry: Any, route: Any, method: str, of_route: tuple[str, ...]) -> InnerAnswer | None:
    views = _views(registry, route.name)
    if route.factory is not None or "*traverse" in route.pattern or not all(view.is_plain for view in views):
        return None  # the context decides as well
    chosen = [view for view in views if view.methods and _is_allowed(method, view.methods)]
    chosen = chosen or [view for view in views if not view.methods]
    if not chosen:
        return NOT_FOUND  # Pyramid does not answer 405
    return InnerAnswer(outcome="view", route=_describe(route, chosen[0], of_route))


def _miss(registry: Any, path: str, request: InnerRequest) -> InnerAnswer | None:
    views = _introspected(registry, "views")
    if any(not each.get("route_name") and not each.get("exception_only") and not _is_of_exception(each)
           for each in views):  # fmt: skip
        return None  # traversal may find one
    found = [each["callable"] for each in views]
    append = next((each for each in found if is_a(each, "pyramid.view", "AppendSlashNotFoundViewFactory")), None)
    slashed = next((route for route in _mapped(registry) if route.match(f"{path}/") is not None), None)
    if append is None or slashed is None or path.endswith("/"):
        return NOT_FOUND
    routes = [each for each in _routes(registry) if each.name == slashed.name]
    status, location = append.redirect_class.code, f"{request.prefix}{path}/"
    return InnerAnswer(outcome="redirect", status=status, route=routes[0], location=location)


def _is_of_exception(view: Any) -> bool:
    context = view.get("context")
    is_exception = isinstance(context, type) and issubclass(context, BaseException)
    return is_exception or context is loaded("pyramid.interfaces", "IExceptionResponse")

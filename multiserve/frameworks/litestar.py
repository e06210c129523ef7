"""Litestar: its routes, its middleware for sessions and its router."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from multiserve.frameworks.facts import (
    NOT_FOUND,
    AllowedHosts,
    Cookie,
    Facts,
    InnerAnswer,
    InnerRequest,
    InnerRoute,
    Inside,
    Onward,
    Secret,
)
from multiserve.frameworks.reading import is_a, known, loaded, plain_methods, secret_of, version_of
from multiserve.frameworks.views import place_of


def recognises(application: object) -> bool:
    """Return whether it is an application of Litestar."""
    return is_a(application, "litestar.app", "Litestar")


def read(application: Any, inside: Inside) -> Facts:
    """Read the routes and the middleware."""
    sessions = known(lambda: _session_configs(application), None)
    return Facts(
        application=application,
        framework="Litestar",
        version=version_of("litestar"),
        # A handler's paths are a set, so that their order says nothing: the router has none either.
        routes=known(lambda: tuple(sorted(_routes(application, inside), key=lambda each: each.path)), None),
        cookies=None if sessions is None else known(lambda: tuple(map(_cookie, sessions)), None),
        secret=known(lambda: _secret(sessions or []), None),
        debug=known(lambda: bool(application.debug), None),
        hosts=known(lambda: _hosts(application), None),
        may_answer_first=known(lambda: bool(application.middleware or application.cors_config), False),  # noqa: FBT003
    )


def _routes(application: Any, inside: Inside) -> Iterator[InnerRoute]:
    for route in application.routes:
        for handler in getattr(route, "route_handlers", None) or [route.route_handler]:
            facts = inside(handler.fn) if _is_mount(handler) else None
            if facts and facts.routes is not None:
                yield from (each.below(route.path) for each in facts.routes)
            elif not _is_automatic(handler):
                yield _describe(route.path, handler)


def _is_mount(handler: Any) -> bool:
    return bool(getattr(handler, "is_mount", False))


def _is_automatic(handler: Any) -> bool:
    """Return whether it is the handler that Litestar adds for OPTIONS."""
    return place_of(handler.fn).view.startswith("litestar.routes.http:")


def _describe(path: str, handler: Any) -> InnerRoute:
    if is_a(handler, "litestar.handlers.websocket_handlers.route_handler", "WebsocketRouteHandler"):
        methods: tuple[str, ...] = ("WEBSOCKET",)
    else:
        methods = plain_methods(str(getattr(each, "value", each)) for each in getattr(handler, "http_methods", ()))
    path = path.rstrip("/") + "/{path}" if _is_mount(handler) else path
    return InnerRoute(path=path, methods=methods, name=handler.name or "", **place_of(handler.fn)._asdict())


def _session_configs(application: Any) -> list[Any]:
    """Return the configuration of each session middleware of the application."""
    backends: list[Any] = [getattr(each, "kwargs", {}).get("backend") for each in application.middleware]
    of_sessions = ("litestar.middleware.session.base", "BaseSessionBackend")
    return [backend.config for backend in backends if is_a(backend, *of_sessions)]


def _cookie(config: Any) -> Cookie:
    return Cookie(config.key, config.path, config.domain or "", "key", "path")


def _secret(configs: list[Any]) -> Secret | None:
    return secret_of("secret", configs[0].secret) if configs and hasattr(configs[0], "secret") else None


def _hosts(application: Any) -> AllowedHosts | None:
    config = application.allowed_hosts
    if config is None or config.exclude or config.exclude_opt_key or config.scopes:
        return None
    return AllowedHosts("allowed_hosts", tuple(config.allowed_hosts))


def find(application: Any, request: InnerRequest, onward: Onward) -> InnerAnswer | None:
    """Ask the router."""
    path = loaded("litestar.utils", "normalize_path")(request.path or "/")
    method = None if request.method == "WEBSOCKET" else request.method
    try:
        _, handler, rest, _, _ = application.asgi_router.handle_routing(path=path, method=method)
    except Exception as error:  # noqa: BLE001 (only two of Litestar are answers)
        return _refusal(error)
    hosts = known(lambda: _hosts(application), None)
    if hosts and not hosts.allow(request.host):  # only now: Litestar checks the host after it has found a handler
        # The port counts in some versions, and a host that is the same but for www. may be redirected.
        is_certain = not hosts.allow(request.hostname) and not hosts.allow(f"www.{request.hostname}")
        return InnerAnswer(outcome="host refused", status=400) if is_certain else None
    if _is_mount(handler):
        prefix = request.prefix + path.removesuffix(rest.rstrip("/"))
        answer = onward(handler.fn, request._replace(path=rest, prefix=prefix))
        if answer is not None:
            return answer
    return InnerAnswer(outcome="view", route=_route_of(application, handler, path))


def _route_of(application: Any, handler: Any, path: str) -> InnerRoute | None:
    """Return the path of a handler that matches: the only one, or the one that is literally the same."""
    paths = [
        route.path
        for route in application.routes
        if handler in (getattr(route, "route_handlers", None) or [route.route_handler])
    ]
    if len(paths) > 1:
        paths = [each for each in paths if each == path] or [each for each in paths if "{" in each]
    return _describe(paths[0], handler) if len(paths) == 1 else None


def _refusal(error: Exception) -> InnerAnswer | None:
    if is_a(error, "litestar.exceptions", "MethodNotAllowedException"):
        headers: dict[str, str] = getattr(error, "headers", None) or {}
        methods = plain_methods(each.strip() for each in headers.get("allow", "").split(","))
        return InnerAnswer(outcome="method not allowed", status=405, methods=methods)
    return NOT_FOUND if is_a(error, "litestar.exceptions", "NotFoundException") else None

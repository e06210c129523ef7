"""Starlette and FastAPI: their settings and their routes, applications mounted inside included."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from multiserve.frameworks import starlette_router
from multiserve.frameworks.facts import (
    AllowedHosts,
    Cookie,
    Facts,
    InnerAnswer,
    InnerRequest,
    InnerRoute,
    Inside,
    Onward,
    Secret,
    Setting,
)
from multiserve.frameworks.reading import is_a, known, secret_of, texts, version_of
from multiserve.frameworks.starlette_router import describe, expand


def recognises(application: object) -> bool:
    """Return whether it is an application of Starlette or FastAPI, or one of their routers."""
    return is_a(application, "starlette.applications", "Starlette") or is_a(application, "starlette.routing", "Router")


def read(application: Any, inside: Inside) -> Facts:
    """Read the routes, the middleware and the settings."""
    is_fastapi = is_a(application, "fastapi.applications", "FastAPI") or is_a(
        application, "fastapi.routing", "APIRouter"
    )
    name = "FastAPI" if is_fastapi else "Starlette"
    sessions = known(lambda: _arguments(application, "sessions", "SessionMiddleware"), None)
    return Facts(
        application=application,
        framework=name,
        version=version_of(name),
        routes=known(lambda: tuple(_routes(application, inside)), None),
        cookies=None if sessions is None else known(lambda: tuple(map(_cookie, sessions)), None),
        secret=known(lambda: _secret(sessions), None),
        debug=known(lambda: bool(application.debug), None),
        own_prefix=known(lambda: _own_prefix(application), ()),
        hosts=known(lambda: _hosts(application), None),
        may_answer_first=bool(known(lambda: application.user_middleware, ())),
    )


def _routes(application: Any, inside: Inside) -> Iterator[InnerRoute]:
    router = getattr(application, "router", application)
    yield from _walk(router.routes, inside)
    yield from _walk(getattr(router, "_low_priority_routes", ()), inside)


def _walk(routes: Iterable[Any], inside: Inside) -> Iterator[InnerRoute]:
    for route in expand(routes):
        entry = describe(route)
        is_mount, is_host = is_a(route, "starlette.routing", "Mount"), is_a(route, "starlette.routing", "Host")
        facts = inside(route.app) if is_mount or is_host else None
        if facts and facts.routes is not None:
            below = route.path if is_mount else ""
            yield from (each.below(below, host=entry.host if entry else "") for each in facts.routes)
        elif entry:
            yield entry


def _arguments(application: Any, module: str, name: str) -> list[dict[str, Any]]:
    """Return the arguments of each use of a middleware, its defaults included."""
    return [
        _bind(middleware)
        for middleware in getattr(application, "user_middleware", ())
        if isinstance(middleware.cls, type)
        and any((each.__module__, each.__name__) == (f"starlette.middleware.{module}", name)
                for each in middleware.cls.__mro__)
    ]  # fmt: skip


def _bind(middleware: Any) -> dict[str, Any]:
    bound = inspect.signature(middleware.cls).bind_partial(None, *middleware.args, **middleware.kwargs)
    bound.apply_defaults()
    return bound.arguments


def _cookie(arguments: dict[str, Any]) -> Cookie:
    name, path = arguments["session_cookie"], arguments["path"]
    return Cookie(name, path, arguments["domain"] or "", "session_cookie", "path")


def _secret(sessions: list[dict[str, Any]] | None) -> Secret | None:
    if not sessions:
        return None
    return secret_of("secret_key", str(sessions[0]["secret_key"]))


def _own_prefix(application: Any) -> tuple[Setting, ...]:
    root_path = getattr(application, "root_path", "")
    return (Setting("root_path", root_path),) if isinstance(root_path, str) and root_path else ()


def _hosts(application: Any) -> AllowedHosts | None:
    uses = _arguments(application, "trustedhost", "TrustedHostMiddleware")
    patterns = uses[0]["allowed_hosts"] if len(uses) == 1 else None
    if patterns is None:
        return None
    redirected = (each.removeprefix("www.") for each in texts(patterns) if each.startswith("www."))
    return AllowedHosts("allowed_hosts", (*texts(patterns), *(redirected if uses[0]["www_redirect"] else ())))


def _as_written(application: Any) -> tuple[str, ...]:
    """Return the allowed hosts without those that are only redirected to one."""
    return texts(_arguments(application, "trustedhost", "TrustedHostMiddleware")[0]["allowed_hosts"])


def find(application: Any, request: InnerRequest, onward: Onward) -> InnerAnswer | None:
    """Ask the routes, one after the other, as the router does."""
    hosts = known(lambda: _hosts(application), None)
    if hosts and not hosts.allow(request.hostname):
        return InnerAnswer(outcome="host refused", status=400)
    if hosts and not AllowedHosts(hosts.setting, _as_written(application)).allow(request.hostname):
        location = f"{request.scheme}://www.{request.host}{request.prefix}{request.path}"
        return InnerAnswer(outcome="redirect", status=307, location=location)
    return starlette_router.find(application, request, onward)

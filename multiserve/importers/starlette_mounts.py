"""A module with an application of Starlette or FastAPI that mounts others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from multiserve.drafts import Draft
from multiserve.importers.python_files import add_static, mentions, owner_of, read_environment, read_servers
from multiserve.python_source.paths import find_path
from multiserve.python_source.source import Function, PythonSource, Unreadable
from multiserve.python_source.targets import ADAPTERS, find_mounted, find_target

NAME = "a Python file with Starlette's Mount or Host, or mount() of Starlette or FastAPI"
_APPLICATIONS = ("Starlette", "FastAPI")
_ADDERS = frozenset({"add_route", "add_api_route", "add_websocket_route", "include_router"})


def matches(name: str, text: str) -> bool:
    """Return whether this is Python that makes an application of Starlette or FastAPI, and mounts something in it."""
    if not name.endswith(".py") or not mentions(text, *_APPLICATIONS):
        return False
    return mentions(text, "Mount", "Host") or any(call in text for call in (".mount(", ".host("))


@dataclass(slots=True)
class _Application:
    """One application that mounts others.

    Attributes:
        name: The name that it was assigned; empty if none.
        middleware: What is around everything in it, outermost first.
        rest: Its own routes, which stay in it.
    """

    source: PythonSource
    call: ast.Call
    name: str
    owner: Function
    middleware: list[str] = field(default_factory=list)
    rest: list[tuple[str, ast.expr]] = field(default_factory=list)


def read(path: Path, text: str) -> Draft:
    """Read the mounts of the outermost application."""
    source = PythonSource(path, text)
    draft = Draft()
    for application in _outermost(source):
        statements = list(_statements(application))
        _read_middleware(draft, application, statements)
        routes = _argument(application.call, "routes", 1)
        if routes is not None:
            _read_routes(draft, application, routes, "")
        for statement in statements:
            _read_statement(draft, application, statement)
        if application.rest or source.last_name(application.call.func) == "FastAPI":
            _keep_rest(draft, application)
        else:
            _note_loss(draft, application)
    read_environment(draft, source)
    read_servers(draft, source)
    return draft


def _outermost(source: PythonSource) -> Iterator[_Application]:
    """Find the applications that no other one mounts."""
    mounted = {
        ast.unparse(each) for call in source.calls("Mount", "Host", "mount", "host") for each in _arguments(call)
    }
    for call in source.calls(*_APPLICATIONS):
        owner = owner_of(source, call)
        names = [
            node.targets[0].id
            for node in ast.walk(owner or source.tree)
            if isinstance(node, ast.Assign) and node.value is call and isinstance(node.targets[0], ast.Name)
        ]
        if not mounted.intersection([*names, ast.unparse(call)]):
            yield _Application(source, call, names[0] if names else "", owner)


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _argument(call: ast.Call, name: str, position: int) -> ast.expr | None:
    named = [keyword.value for keyword in call.keywords if keyword.arg == name]
    return named[0] if named else call.args[position] if len(call.args) > position else None


def _read_middleware(draft: Draft, application: _Application, statements: list[ast.Call]) -> None:
    """Read `middleware=[Middleware(cls, ...)]` and `add_middleware(cls, ...)`."""
    source = application.source
    node = _argument(application.call, "middleware", 2)
    value = source.value(node, application.owner) if node else None
    given = value.elts if isinstance(value, ast.List | ast.Tuple) else [node] if node else []
    added = [call for call in statements if _method(call) == "add_middleware"]
    for each in [*reversed(added), *given]:  # what was added last is outermost
        if not isinstance(each, ast.Call) or not each.args:
            draft.note(source.shown(each), "Write it into middleware of the mounts.", source.line(each))
            continue
        options = ast.Call(func=each.args[0], args=each.args[1:], keywords=each.keywords)
        try:
            target = find_target(source, options if each.args[1:] or each.keywords else each.args[0], application.owner)
        except Unreadable as error:
            draft.note(source.shown(each), f"{error} It is around the mounts no more.", source.line(each))
        else:
            application.middleware.append(target)


def _read_routes(draft: Draft, application: _Application, node: ast.expr, prefix: str) -> None:
    source = application.source
    value = source.value(node, application.owner)
    if not isinstance(value, ast.List | ast.Tuple):
        application.rest.append((f"{prefix}/", node))
        return
    for route in value.elts:
        kind = source.last_name(route.func) if isinstance(route, ast.Call) else ""
        if isinstance(route, ast.Call) and kind in ("Mount", "Host"):
            _read_mount(draft, application, route, prefix)
        else:
            path = _text(source, route.args[0], application) if isinstance(route, ast.Call) and route.args else ""
            application.rest.append((prefix + path, route))


def _text(source: PythonSource, node: ast.expr, application: _Application) -> str:
    try:
        return str(source.literal(node, application.owner))
    except Unreadable:
        return ""


def _read_mount(draft: Draft, application: _Application, call: ast.Call, prefix: str) -> None:
    """Read `Mount(path, app)`, `Mount(path, routes=[...])`, `Host(host, app)`, or a call of `mount` or `host`."""
    source = application.source
    place = _argument(call, "path", 0) or _argument(call, "host", 0)
    app = _argument(call, "app", 1)
    path = _text(source, place, application) if place else ""
    key = prefix + path.rstrip("/")
    if not path and place and not isinstance(place, ast.Constant):
        draft.note(source.shown(call), "Its path is only known when it is executed: write the key itself.", call.lineno)
    elif "{" in path:
        application.rest.append((key, call))
    elif app is not None:
        _add(draft, application, key or "/", app, call)
    elif (routes := _argument(call, "routes", 2)) is not None:
        _read_routes(draft, application, routes, key)
        if key and not any(mount.key == key for mount in draft.mounts):
            draft.note_fall_through(f"Mount({path!r}, routes=...)", key, call.lineno)


def _add(draft: Draft, application: _Application, key: str, node: ast.expr, call: ast.Call) -> None:
    source, owner = application.source, application.owner
    value = source.value(node, owner)
    what, line = source.shown(call), source.line(call)
    middleware = application.middleware
    try:
        if isinstance(value, ast.Call) and source.last_name(value.func) == "StaticFiles":
            folder = _argument(value, "directory", 0) or value
            add_static(draft, key, find_path(source, folder, owner), what, line, middleware=[*middleware])
            return
        found = find_mounted(source, node, owner)
    except Unreadable as error:
        draft.note(what, str(error), line)
        return
    if isinstance(value, ast.Call) and source.last_name(value.func) in ADAPTERS and middleware:
        reason = f"{', '.join(middleware)} is ASGI, and not around {key} any more, which is WSGI."
        draft.note(what, reason, line)
        middleware = []
    draft.add(key, what, line, app=found.target, middleware=[*middleware, *found.middleware])


def _statements(application: _Application) -> Iterator[ast.Call]:
    """Iterate over the calls of the application's own methods, also as decorators."""
    for node in ast.walk(application.owner or application.source.tree):
        is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_method and application.name and ast.unparse(node.func.value) == application.name:  # type: ignore[attr-defined]
            yield node  # type: ignore[misc]


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _read_statement(draft: Draft, application: _Application, call: ast.Call) -> None:
    source = application.source
    method = _method(call)
    if method in ("mount", "host"):
        _read_mount(draft, application, call, "")
    elif method in _ADDERS or method in ("get", "post", "put", "patch", "delete", "route", "websocket", "api_route"):
        path = _text(source, call.args[0], application) if call.args else ""
        application.rest.append((path, call))


def _keep_rest(draft: Draft, application: _Application) -> None:
    """Mount the application itself, for the routes that stay in it."""
    source = application.source
    prefixes = [mount.key for mount in draft.mounts if mount.key.startswith("/") and mount.key != "/"]
    draft.mounts = [mount for mount in draft.mounts if mount.key != "/"]
    what, line = source.shown(application.call.func), source.line(application.call)
    if not application.name or application.owner is not None:
        reason = "It has routes of its own, but no name in the module: give it one, and mount it at the root."
        draft.note(what, reason, line)
        return
    draft.add("/", what, line, app=f"{source.module}:{application.name}")
    draft.mounts.insert(0, draft.mounts.pop())
    reason = f"Its own routes stay in {source.module}:{application.name}: remove from it what has a mount here."
    if prefixes:
        draft.note(f"{application.name} = {what}(...)", reason, line)
    for path, node in application.rest:
        hiding = [prefix for prefix in prefixes if f"{path}/".startswith(f"{prefix}/")]
        if hiding:
            draft.note(source.shown(node), f"The mount {hiding[0]} answers its URL now.", source.line(node))


def _note_loss(draft: Draft, application: _Application) -> None:
    """Note what belongs to the application itself, of which nothing is left."""
    for keyword in application.call.keywords:
        if keyword.arg in ("lifespan", "on_startup", "on_shutdown", "exception_handlers"):
            what = f"{keyword.arg}={application.source.shown(keyword.value)}"
            reason = "It belongs to the outer application, of which nothing is left: give it to those that need it."
            draft.note(what, reason, keyword.value.lineno)

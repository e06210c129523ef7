"""The target, and the middleware, that an expression of a Python file stands for."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from multiserve.python_source.source import Function, Imported, PythonSource, Unreadable

# Adapters between the two interfaces: multiserve has its own, so what they wrap is mounted.
ADAPTERS = frozenset({"WSGIMiddleware", "ASGIMiddleware", "WsgiToAsgi"})
_FACTORY = re.compile("_*(create|make|build|get)(_|$)")
_SETTINGS = re.compile("config|settings|environ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mounted:
    """An application as a mount has it: its target, and its middleware, outermost first."""

    target: str
    middleware: tuple[str, ...] = ()


def find_mounted(source: PythonSource, node: ast.expr, owner: Function = None) -> Mounted:
    """Return the target, and the middleware, that an expression stands for.

    Raises:
        Unreadable: There is no target for it.
    """
    value = source.value(node, owner) if source.is_plain(node, owner) else node
    if not isinstance(value, ast.Call) or not (inner := _first(value)):
        return Mounted(find_target(source, node, owner))
    if source.last_name(value.func) in ADAPTERS:
        return find_mounted(source, inner, owner)
    if value.args and _is_middleware(source, value, owner):
        below = find_mounted(source, inner, owner)
        arguments = _arguments(source, value, owner, value.args[1:])
        outer = _target(_place(source, value.func, owner)) + (f"({arguments})" if arguments else "")
        return Mounted(below.target, (outer, *below.middleware))
    return Mounted(find_target(source, node, owner))


def find_target(source: PythonSource, node: ast.expr, owner: Function = None) -> str:
    """Return the target that an expression stands for.

    Raises:
        Unreadable: There is none.
    """
    if isinstance(node, ast.Call):
        place = _place(source, node.func, owner)
        return f"{_target(place)}({_arguments(source, node, owner, node.args)})"
    if isinstance(node, ast.Name) and source.is_plain(node, owner):
        bound = source.bindings(node.id, owner)[0]
        try:
            return (
                find_target(source, bound, owner)
                if isinstance(bound, ast.expr)
                else _target(_place(source, node, owner))
            )
        except Unreadable:
            if source.is_local(node.id, owner):
                raise
    return _target(_place(source, node, owner)).removesuffix(".wsgi_app")


def _place(source: PythonSource, node: ast.expr, owner: Function) -> Imported:
    """Return the module and the attribute that an expression names."""
    if isinstance(node, ast.Attribute):
        place = _place(source, node.value, owner).to(node.attr)
        return Imported(place.dotted) if place.dotted in source.modules or _is_module(source, place) else place
    if not isinstance(node, ast.Name):
        raise Unreadable(f"{source.shown(node)} has no name: give it one in a module.")
    found = source.bindings(node.id, owner)
    if found and isinstance(found[0], Imported):
        return Imported(found[0].dotted) if _is_module(source, found[0]) else found[0]
    if not found:
        raise Unreadable(f"{node.id} is not defined in this file.")
    if source.is_local(node.id, owner):
        raise Unreadable(f"{node.id} is made inside a function: make it in a module, or write a factory for it.")
    return Imported(source.module, node.id)


def _is_module(source: PythonSource, place: Imported) -> bool:
    """Return whether this is a module, as far as the files beside this one tell."""
    path = source.root.joinpath(*place.dotted.split("."))
    return bool(place.attribute) and (path.with_suffix(".py").is_file() or (path / "__init__.py").is_file())


def _arguments(source: PythonSource, call: ast.Call, owner: Function, positional: list[ast.expr]) -> str:
    """Return the arguments of a call as a target has them."""
    written = [repr(source.literal(each, owner)) for each in positional]
    for keyword in call.keywords:
        if keyword.arg is None:
            raise Unreadable(f"**{source.shown(keyword.value)} cannot be in a target: write each argument out.")
        written.append(f"{keyword.arg}={source.literal(keyword.value, owner)!r}")
    return ", ".join(written)


def _is_middleware(source: PythonSource, call: ast.Call, owner: Function) -> bool:
    """Return whether a call wraps an application, as far as the names tell."""
    inner = source.value(call.args[0], owner)
    if _FACTORY.match(source.last_name(call.func)) or _SETTINGS.search(ast.unparse(call.args[0])):
        return False
    if isinstance(inner, ast.Call):
        return True
    name = source.last_name(inner)
    is_known = bool(source.bindings(inner.id, owner)) if isinstance(inner, ast.Name) else bool(name)
    return is_known and name[:1].islower()


def _first(call: ast.Call) -> ast.expr | None:
    """Return what a call wraps: its first argument, or the one that is called app."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "app"]
    return call.args[0] if call.args else named[0] if named else None


def _target(place: Imported) -> str:
    if not place.attribute:
        raise Unreadable(f"{place.module} is a module, not an application.")
    return f"{place.module}:{place.attribute}"

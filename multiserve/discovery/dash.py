"""Dash, which has to be told its prefix."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from multiserve.discovery.applications import required_arguments
from multiserve.discovery.found import Found, Remark
from multiserve.discovery.names import names_of
from multiserve.discovery.project import Project
from multiserve.python_source.source import PythonSource

_NAMES = ("dash.Dash", "dash.dash.Dash")
_PREFIXES = frozenset({"requests_pathname_prefix", "routes_pathname_prefix", "url_base_pathname"})


def find(project: Project) -> Iterator[Found | Remark]:
    """Find the objects at module level, and the factories that take the prefix."""
    for source in project.sources:
        for name, bindings in source.module_bindings().items():
            value = bindings[0]
            if isinstance(value, ast.Call) and source.dotted(value.func) in _NAMES and not source.is_guarded(value):
                yield _from_object(project, source, name, value)
        for node in source.functions():
            if node in source.tree.body and _returns_server(source, node):
                yield _from_factory(project, source, node)


def _from_object(project: Project, source: PythonSource, name: str, call: ast.Call) -> Found | Remark:
    where, file = project.where(source, call.lineno), project.file(source)
    if any(keyword.arg in _PREFIXES or keyword.arg == "server" for keyword in call.keywords):
        reason = f"It has a prefix, or a server, of its own. {_advice_for(source.module, name)}"
        return Remark(f"Dash, {where}: {name}", reason, file)
    calls = [each for each in ast.walk(source.tree) if isinstance(each, ast.Call)]
    made = [ast.unparse(each.func) for each in calls if source.dotted(each.func) in _NAMES]
    is_told = made in (["Dash"], ["dash.Dash"])  # the only Dash of a module is given the prefix of its mount
    target, names = f"{source.module}:{name}", names_of(source.module, name)
    return Found("Dash", {"app": target}, where, names, project.pythonpath(source), is_whole=not is_told, file=file)


def why_not_below_a_prefix(found: Found) -> str:
    """Return why one of several Dash objects can only be mounted at the root, and what to write instead."""
    module, _, name = found.what.partition(":")
    return _advice_for(module, name)


def _advice_for(module: str, name: str) -> str:
    return (
        f'Below a prefix Dash has to be told it: make it in a function, and mount "{module}:make_{name}(prefix)":\n'
        f"def make_{name}(prefix):\n"
        '    app = Dash(__name__, requests_pathname_prefix=f"{prefix}/", routes_pathname_prefix="/")\n'
        "    app.layout = ...\n"
        "    return app.server"
    )


def _returns_server(source: PythonSource, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function makes a Dash, and returns its server."""
    makes = any(isinstance(each, ast.Call) and source.dotted(each.func, node) in _NAMES for each in ast.walk(node))
    returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
    return makes and any(isinstance(value, ast.Attribute) and value.attr == "server" for value in returned)


def _from_factory(
    project: Project, source: PythonSource, node: ast.FunctionDef | ast.AsyncFunctionDef
) -> Found | Remark:
    where, file = project.where(source, node.lineno), project.file(source)
    target = f"{source.module}:{node.name}"
    names = [each.arg for each in [*node.args.posonlyargs, *node.args.args]]
    required = required_arguments(node)
    if required not in ([], ["prefix"]) or "prefix" not in names:
        reason = f'Give it the argument prefix, for requests_pathname_prefix, and mount "{target}(prefix)".'
        return Remark(f"Dash, {where}: {node.name}", reason, file)
    options = {"app": f"{target}(prefix)"}
    return Found("Dash", options, where, names_of(source.module, node.name), project.pythonpath(source), file=file)

"""Applications and factories of Flask, FastAPI, Starlette, Litestar and others, whose object is the application."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from multiserve.discovery import paste_files
from multiserve.discovery.found import Found, Remark
from multiserve.discovery.names import names_of
from multiserve.discovery.project import Project
from multiserve.python_source.source import PythonSource

CLASSES = {
    "flask.Flask": "Flask",
    "flask.app.Flask": "Flask",
    "quart.Quart": "Quart",
    "fastapi.FastAPI": "FastAPI",
    "fastapi.applications.FastAPI": "FastAPI",
    "starlette.applications.Starlette": "Starlette",
    "litestar.Litestar": "Litestar",
    "litestar.app.Litestar": "Litestar",
    "bottle.Bottle": "Bottle",
    "falcon.App": "Falcon",
    "falcon.asgi.App": "Falcon",
    "pyramid.router.Router": "Pyramid",
    "marimo.App": "marimo",
    "shiny.App": "Shiny",
    "shiny.express.wrap_express_app": "Shiny",
}
_PLAIN = {("environ", "start_response"): "WSGI", ("scope", "receive", "send"): "ASGI"}
_PYRAMID = "make_wsgi_app"
_FACTORY = re.compile(r"app|main|wsgi|asgi|server|site|^(create|make|build)(_|$)")
# What takes an application into another one, in which it is served already.
_TAKERS = ("mount", "Mount", "Host", "host", "DispatcherMiddleware", "WSGIMiddleware", "mount_gradio_app")

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class _Factory:
    source: PythonSource
    node: _Function
    kind: str

    @property
    def dotted(self) -> str:
        return f"{self.source.module}.{self.node.name}"

    @property
    def is_usual(self) -> bool:
        """Whether it is called like a factory."""
        return _FACTORY.search(self.node.name) is not None


def find(project: Project) -> Iterator[Found | Remark]:
    """Find the objects at module level, and the factories that nothing in the project calls."""
    factories = _factories(project)
    known = {factory.dotted: factory.kind for factory in factories}
    for source in project.sources:
        taken = {ast.unparse(each) for call in source.calls(*_TAKERS) for each in _arguments(call)}
        for name, bindings in source.module_bindings().items():
            value = bindings[0]
            if not isinstance(value, ast.Call) or name in taken or source.is_guarded(value):
                continue
            if kind := _kind(source, value, None, known):
                yield Found(
                    kind,
                    {"app": f"{source.module}:{name}"},
                    project.where(source, value.lineno),
                    names_of(source.module, name),
                    project.pythonpath(source),
                    file=project.file(source),
                )
    yield from _plain(project)
    called = {source.dotted(call.func) for source in project.sources for call in _all_calls(source)}
    called |= {
        f"{s.module}.{c.func.id}" for s in project.sources for c in _all_calls(s) if isinstance(c.func, ast.Name)
    }
    has_settings = any(paste_files.find(project))
    for factory in factories:
        if has_settings and factory.kind == "Pyramid" and factory.node.args.kwarg is not None:
            continue  # the file of PasteDeploy calls it, with its settings
        is_offered = factory.is_usual or not required_arguments(factory.node)
        if is_offered and factory.dotted not in called:
            yield _from_factory(project, factory)


def _plain(project: Project) -> Iterator[Found]:
    """Find functions that are called app or application, and are one by their arguments."""
    for source in project.sources:
        for node in source.functions():
            if node not in source.tree.body or node.name not in ("app", "application"):
                continue
            kind = _PLAIN.get(tuple(each.arg for each in node.args.args))
            if kind is not None:
                options = {"app": f"{source.module}:{node.name}"}
                names = names_of(source.module, node.name)
                where, file = project.where(source, node.lineno), project.file(source)
                yield Found(kind, options, where, names, project.pythonpath(source), file=file)


def _arguments(call: ast.Call) -> list[ast.expr]:
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    return [*values, *(each for value in values if isinstance(value, ast.Dict) for each in value.values)]


def _all_calls(source: PythonSource) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(source.tree) if isinstance(node, ast.Call) and not source.is_guarded(node))


def _kind(source: PythonSource, call: ast.expr, owner: _Function | None, known: dict[str, str]) -> str:
    """Return the framework of the application that a call makes; empty if it makes none."""
    if not isinstance(call, ast.Call):
        return ""
    if isinstance(call.func, ast.Attribute) and call.func.attr == _PYRAMID:
        return "Pyramid"
    dotted = source.dotted(call.func, owner)
    return CLASSES.get(dotted) or known.get(dotted) or known.get(f"{source.module}.{dotted}", "")


def _factories(project: Project) -> list[_Factory]:
    """Find the functions that return an application, also by calling another one that does."""
    found: dict[str, _Factory] = {}
    for _ in range(3):  # a factory that calls a factory that calls a factory
        known = {dotted: factory.kind for dotted, factory in found.items()}
        for source in project.sources:
            for node in source.functions():
                if node not in source.tree.body or node.name.startswith("_"):
                    continue
                if _FACTORY.search(node.name):
                    kind = _annotated(source, node) or _returned(source, node, known)
                else:
                    kind = _returned(source, node, known) if _is_plain(source, node) else ""
                if kind:
                    factory = _Factory(source, node, kind)
                    found.setdefault(factory.dotted, factory)
    return list(found.values())


def _annotated(source: PythonSource, node: _Function) -> str:
    return CLASSES.get(source.dotted(node.returns), "") if node.returns else ""


def _returned(source: PythonSource, node: _Function, known: dict[str, str]) -> str:
    values = [each for value in _all_returned(node) for each in _values(source, value, node)]
    return next((kind for value in values if (kind := _kind(source, value, node, known))), "")


def _all_returned(node: _Function) -> list[ast.expr]:
    return [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value]


def _is_plain(source: PythonSource, node: _Function) -> bool:
    """Return whether a function of any name can be a factory.

    A fixture of a test has a decorator, and `def current(): return app` returns the application of the module.
    """
    names = [each.id for each in _all_returned(node) if isinstance(each, ast.Name)]
    is_local = all(source.is_local(name, node) for name in names)
    return isinstance(node, ast.FunctionDef) and not node.decorator_list and is_local


def _values(source: PythonSource, value: ast.expr, owner: _Function) -> Iterator[ast.expr]:
    """Iterate over what a returned expression can be: itself, or what its name was assigned in the function."""
    yield value
    if isinstance(value, ast.Name):
        yield from (each for each in source.bindings(value.id, owner) if isinstance(each, ast.expr))


def _from_factory(project: Project, factory: _Factory) -> Found | Remark:
    source, node = factory.source, factory.node
    where, file = project.where(source, node.lineno), project.file(source)
    target = f"{source.module}:{node.name}"
    if isinstance(node, ast.AsyncFunctionDef):
        return Remark(f"{factory.kind}, {where}: {node.name}", "An async factory: write a plain function.", file)
    required = required_arguments(node)
    arguments = _given(factory.kind, required)
    if arguments is None:
        written = ", ".join(required)
        reason = f'It needs arguments: write "{target}({written})" with literals for {written}.'
        return Remark(f"{factory.kind}, {where}: {node.name}", reason, file)
    settings = factory.kind == "Pyramid" and node.args.kwarg is not None and bool(required)
    comment = (
        "The settings of its .ini file can be named arguments, or: multiserve import production.ini" if settings else ""
    )
    return Found(
        factory.kind,
        {"app": f"{target}({arguments})"},
        where,
        names_of(source.module, node.name),
        project.pythonpath(source),
        comment=comment,
        is_certain=factory.is_usual,
        file=file,
    )


def required_arguments(node: _Function) -> list[str]:
    """Return the names of the arguments that a function cannot be called without."""
    positional = [*node.args.posonlyargs, *node.args.args]
    required = [each.arg for each in positional[: len(positional) - len(node.args.defaults)]]
    pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    return [*required, *(each.arg for each, default in pairs if default is None)]


def _given(kind: str, required: list[str]) -> str | None:
    """Return the arguments of a factory; None if they cannot be known."""
    if not required:
        return ""
    if required == ["prefix"]:
        return "prefix"
    return "{}" if kind == "Pyramid" and len(required) == 1 and "config" in required[0] else None

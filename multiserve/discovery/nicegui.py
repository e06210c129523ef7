"""The application of NiceGUI, of which a process has one: `nicegui.app`, where a module imports it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from multiserve.discovery.found import Found, Remark
from multiserve.discovery.names import names_of
from multiserve.discovery.project import Project
from multiserve.python_source.source import Imported, PythonSource

_NO_NAME = 'Write "from nicegui import app, ui" in it: app is the application of NiceGUI, and can be mounted.'
_SECOND = "NiceGUI has one application in a process: import these pages in the other file."


def find(project: Project) -> Iterator[Found | Remark]:
    """Find the modules that start NiceGUI; those that only have pages for them are part of that."""
    starting = [source for source in project.sources if any(_starts(source))]
    if any(any(_calls(source, "nicegui.ui.run_with")) for source in starting):
        return  # it is part of an application of FastAPI
    for number, source in enumerate(starting):
        where = project.file(source)
        name = _name(source)
        if number or not name:
            yield Remark(f"NiceGUI, {where}", _SECOND if number else _NO_NAME, where)
            continue
        target = {"app": f"{source.module}:{name}"}
        yield Found(
            "NiceGUI",
            target,
            project.where(source, 1),
            names_of(source.module, name),
            project.pythonpath(source),
            file=where,
        )


def _starts(source: PythonSource) -> Iterator[ast.Call]:
    yield from _calls(source, "nicegui.ui.run")
    yield from _calls(source, "nicegui.ui.run_with")


def _calls(source: PythonSource, dotted: str) -> Iterator[ast.Call]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and source.dotted(node.func) == dotted:
            yield node


def _name(source: PythonSource) -> str:
    """Return what the module calls the application; empty if it does not import it."""
    for name, bindings in source.module_bindings().items():
        if isinstance(bindings[0], Imported) and bindings[0].dotted == "nicegui.app":
            return name
    return ""

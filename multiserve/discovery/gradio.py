"""Interfaces of Gradio, which an ASGI application has to mount."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from multiserve.discovery.found import Remark
from multiserve.discovery.project import Project

_CLASSES = frozenset({"gradio.Blocks", "gradio.Interface", "gradio.ChatInterface", "gradio.TabbedInterface"})
_REASON = (
    "It is no application by itself. Write a factory beside it, and mount {module}:make_app():\n"
    "def make_app():\n"
    "    from fastapi import FastAPI\n"
    '    return gradio.mount_gradio_app(FastAPI(), {name}, path="/")'
)


def find(project: Project) -> Iterator[Remark]:
    """Find the objects at module level that nothing mounts yet."""
    mounted = {
        ast.unparse(each)
        for source in project.sources
        for call in source.calls("mount_gradio_app")
        for each in call.args
    }
    for source in project.sources:
        for name, bindings in source.module_bindings().items():
            value = bindings[0]
            if not isinstance(value, ast.Call) or source.dotted(value.func) not in _CLASSES:
                continue
            if name not in mounted and not source.is_guarded(value):
                reason = _REASON.format(module=source.module, name=name)
                yield Remark(f"Gradio, {project.where(source, source.line(value))}: {name}", reason)

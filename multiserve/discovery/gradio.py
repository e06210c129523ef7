"""Interfaces of Gradio, which are targets by themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from multiserve.discovery.found import Found
from multiserve.discovery.names import names_of
from multiserve.discovery.project import Project

_CLASSES = frozenset({"gradio.Blocks", "gradio.Interface", "gradio.ChatInterface", "gradio.TabbedInterface"})


def find(project: Project) -> Iterator[Found]:
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
                yield Found(
                    "Gradio",
                    {"app": f"{source.module}:{name}"},
                    project.where(source, source.line(value)),
                    names_of(source.module, "" if name == "demo" else name),
                    project.pythonpath(source),
                    file=project.file(source),
                )

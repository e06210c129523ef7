"""Which framework runs a file as a script, where the file is no module with an application: Streamlit and the like."""

from __future__ import annotations

import ast

from multiserve.python_source.source import PythonSource


def kind_of_script(source: PythonSource) -> str:
    """Return the framework whose script a file is; empty if it is none."""
    nodes = [node for statement in source.tree.body for node in ast.walk(statement)]
    if any(_imports(node, "shiny", "express") for node in nodes):
        return "Shiny Express"
    calls = [node.func for node in nodes if isinstance(node, ast.Call)]
    if any(source.dotted(called).startswith("streamlit.") for called in calls):
        return "Streamlit"
    serves = any(isinstance(called, ast.Attribute) and called.attr == "servable" for called in calls)
    return "Panel" if serves and any(_imports(node, "panel") for node in nodes) else ""


def _imports(node: ast.AST, package: str, module: str = "") -> bool:
    """Return whether a statement imports a package, or a module in it."""
    dotted = f"{package}.{module}" if module else package
    if isinstance(node, ast.Import):
        return any(f"{each.name}.".startswith(f"{dotted}.") for each in node.names)
    if not isinstance(node, ast.ImportFrom) or node.level:
        return False
    named = [f"{node.module}.{each.name}." for each in node.names] if module else []
    return any(name.startswith(f"{dotted}.") for name in (f"{node.module}.", *named))

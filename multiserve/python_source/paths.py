"""The folder that an expression of a Python file stands for, such as `Path(__file__).parent / "static"`."""

from __future__ import annotations

import ast
import os
from pathlib import PurePosixPath

from multiserve.python_source.source import Function, PythonSource, Unreadable

_UNCHANGED = frozenset({"Path", "str", "abspath", "realpath", "resolve", "absolute", "fspath", "normpath"})


def find_path(source: PythonSource, node: ast.expr, owner: Function = None) -> str:
    """Return the path that an expression stands for, relative to the root of the file where it is below that.

    Raises:
        Unreadable: The path cannot be known without executing the expression.
    """
    return os.path.normpath(_path(source, node, owner)).replace("\\", "/")


def _path(source: PythonSource, node: ast.expr, owner: Function) -> str:
    node = source.value(node, owner)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name) and node.id == "__file__":
        return source.path.relative_to(source.root).as_posix()
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _join(_path(source, node.left, owner), _path(source, node.right, owner))
    if isinstance(node, ast.Attribute) and node.attr == "parent":
        return str(PurePosixPath(_path(source, node.value, owner)).parent)
    if isinstance(node, ast.Call):
        return _called(source, node, owner)
    raise Unreadable(f"{source.shown(node)} is not a path that can be told without executing it.")


def _called(source: PythonSource, node: ast.Call, owner: Function) -> str:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else source.last_name(node.func)
    if name == "dirname" and node.args:
        return str(PurePosixPath(_path(source, node.args[0], owner)).parent)
    if name == "join" and node.args and not isinstance(node.func, ast.Constant):
        return _join(*(_path(source, each, owner) for each in node.args))
    if name in _UNCHANGED:
        if node.args:
            return _join(*(_path(source, each, owner) for each in node.args))
        if isinstance(node.func, ast.Attribute):
            return _path(source, node.func.value, owner)
    raise Unreadable(f"{source.shown(node)} is not a path that can be told without executing it.")


def _join(*parts: str) -> str:
    return str(PurePosixPath(*parts))

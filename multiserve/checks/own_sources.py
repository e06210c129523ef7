"""The source of the modules that a mount has imported and that its authors have written, read without importing it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from multiserve.checks.subject import CheckedMount
from multiserve.tracebacks import is_foreign

_LARGEST = 2**20  # bytes of a file that is parsed
_FOR_DEVELOPMENT = {"debug", "dev", "develop", "development", "local", "test", "testing", "tests"}
_CONDITIONAL = (ast.ClassDef, ast.If, ast.Try)
_WITH_DEBUG = ("FastAPI", "Litestar", "Starlette")  # what takes it as an argument


class OwnModule(NamedTuple):
    """A module that the authors of an application have written.

    Attributes:
        name: Its whole name.
        file: Its file.
        root: The folder of the search path that it was found in.
    """

    name: str
    file: Path
    root: Path


def own_modules(member: CheckedMount) -> Iterator[OwnModule]:
    """Return the modules that were first imported by a mount, without those of installed packages."""
    for name in sorted(member.effects.modules | ({member.module} if member.module else set())):
        found = getattr(sys.modules.get(name), "__file__", None)
        if found and found.endswith(".py") and not is_foreign(found):
            file = Path(found).resolve()
            depth = name.count(".") + (file.name == "__init__.py")
            if depth < len(file.parents):
                yield OwnModule(name, file, file.parents[depth])


def read_source(file: Path, *words: str) -> ast.Module | None:
    """Parse a file that has one of these words in it; None if it has not, or cannot be read."""
    try:
        if file.stat().st_size > _LARGEST:
            return None
        text = file.read_bytes()
        return ast.parse(text) if any(word.encode() in text for word in words) else None
    except (OSError, SyntaxError, ValueError):
        return None


def variables_set_in(member: CheckedMount) -> Iterator[tuple[str, str, bool]]:
    """Return the environment variables that the modules of a mount set when they are imported.

    Returns:
        The name, the value, and whether that is only a default.
    """
    for module in own_modules(member):
        tree = read_source(module.file, "environ")
        for statement in _at_import(tree.body if tree else []):
            for node in ast.walk(statement):
                if variable := _set_by(node):
                    yield variable


def _at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Return the statements that run whenever the module is imported, not those in functions or under conditions."""
    return (each for each in body if isinstance(each, (ast.Expr, ast.Assign)))


def _set_by(node: ast.AST) -> tuple[str, str, bool] | None:
    """Read `os.environ.setdefault(NAME, value)` and `os.environ[NAME] = value`."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="setdefault", value=environ),
            args=[ast.Constant(value=str(name)), ast.Constant(value=str(value))],
        ) if _is_environ(environ):
            return name, value, True
        case ast.Assign(
            targets=[ast.Subscript(value=environ, slice=ast.Constant(value=str(name)))],
            value=ast.Constant(value=str(value)),
        ) if _is_environ(environ):
            return name, value, False
    return None


def _is_environ(node: ast.expr) -> bool:
    return ast.unparse(node) in ("os.environ", "environ")


def debug_written_in(member: CheckedMount) -> tuple[Path, int] | None:
    """Return the file and the line in which a mount switches debug mode on without a condition; None if none does.

    Classes are left out, as they are often the configuration for one environment, and so are modules that are called
    after development or tests.
    """
    for module in own_modules(member):
        if _FOR_DEVELOPMENT & set(module.name.lower().replace("_", ".").split(".")):
            continue
        pending: list[ast.AST] = [tree] if (tree := read_source(module.file, "debug", "DEBUG")) else []
        while pending:
            node = pending.pop(0)
            if isinstance(node, (ast.Assign, ast.Call)) and _switches_debug_on(node):
                return module.file, node.lineno
            pending.extend(each for each in ast.iter_child_nodes(node) if not isinstance(each, _CONDITIONAL))
    return None


def _switches_debug_on(node: ast.Assign | ast.Call) -> bool:
    if isinstance(node, ast.Call):
        is_made = ast.unparse(node.func).rpartition(".")[2] in _WITH_DEBUG
        return is_made and any(each.arg == "debug" and _is_true(each.value) for each in node.keywords)
    names = [ast.unparse(each) for each in node.targets] if _is_true(node.value) else []
    return any(name == "DEBUG" or name.endswith((".debug", "['DEBUG']")) for name in names)


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True

"""What a Python file says, read with ast: its imports, its assignments, and its calls.

Nothing is imported, and nothing is executed.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What is read of an application without changing it.
_HARMLESS = frozenset({"wsgi_app", "server", "run"})

Function = ast.FunctionDef | ast.AsyncFunctionDef | None


class Unreadable(ValueError):  # noqa: N818 (the caller turns it into a note)
    """What an expression stands for cannot be told without executing it; the text says why."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a name was imported from: a module, and an attribute of it unless the name is the module."""

    module: str
    attribute: str = ""

    def to(self, name: str) -> Imported:
        """Return what an attribute of it is."""
        return Imported(self.module, f"{self.attribute}.{name}" if self.attribute else name)

    @property
    def dotted(self) -> str:
        """The dotted name of it all."""
        return f"{self.module}.{self.attribute}" if self.attribute else self.module


Binding = Imported | ast.expr | ast.stmt


class PythonSource:
    """One Python file.

    Attributes:
        path: The file.
        root: The folder that has to be on the search path for its imports.
        module: Its own name as a module.
        tree: What it says.
    """

    def __init__(self, path: Path, text: str, root: Path | None = None) -> None:
        """Parse a file.

        Raises:
            SyntaxError: It is not Python.
        """
        self.path = path
        self.root = root or import_root(path)
        parts = path.relative_to(self.root).with_suffix("").parts
        self.module = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        with warnings.catch_warnings(action="ignore"):
            try:
                self.tree = ast.parse(text)
            except (ValueError, RecursionError, MemoryError) as error:
                raise SyntaxError(str(error)) from None
        self.modules: set[str] = set()
        self._scopes: dict[Function, dict[str, list[Binding]]] = {None: {}}
        self._collect(self.tree.body, None)
        self._guards = [each for each in self.tree.body if isinstance(each, ast.If) and _is_guard(each.test)]
        self._touched = set(self._find_touched())

    def line(self, node: ast.AST) -> int:
        """Return the line where something stands."""
        return getattr(node, "lineno", 0)

    def shown(self, node: ast.AST) -> str:
        """Return something as the file has it, short enough for one line."""
        text = " ".join(ast.unparse(node).split())
        return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 (what fits in a line)

    def calls(self, *names: str) -> Iterator[ast.Call]:
        """Iterate over the calls of something whose last name is one of these, in the order of the file."""
        found = (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))
        wanted = (call for call in found if self.last_name(call.func) in names)
        yield from sorted(wanted, key=lambda call: (call.lineno, call.col_offset))

    def last_name(self, node: ast.expr) -> str:
        """Return the name of what an expression names, under which it was defined; empty if it names nothing."""
        return self.dotted(node).rpartition(".")[2]

    def dotted(self, node: ast.expr, owner: Function = None) -> str:
        """Return the dotted name of what an expression names, such as `flask.Flask`; empty if it names nothing."""
        if isinstance(node, ast.Attribute):
            inner = self.dotted(node.value, owner)
            return f"{inner}.{node.attr}" if inner else ""
        if not isinstance(node, ast.Name):
            return ""
        bindings = self.bindings(node.id, owner)
        return bindings[0].dotted if bindings and isinstance(bindings[0], Imported) else node.id

    def bindings(self, name: str, owner: Function = None) -> list[Binding]:
        """Return everything that a name is bound to, in a function if it is bound there, else in the module."""
        return self._scopes.get(owner, {}).get(name) or self._scopes[None].get(name, [])

    def module_bindings(self) -> dict[str, list[Binding]]:
        """Return what each name of the module is bound to."""
        return self._scopes[None]

    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Return the functions of the module, and those in them."""
        return [owner for owner in self._scopes if owner is not None]

    def is_guarded(self, node: ast.AST) -> bool:
        """Return whether something is executed only when the file is run, not when it is imported."""
        return any(each is node for guard in self._guards for each in ast.walk(guard))

    def is_local(self, name: str, owner: Function) -> bool:
        """Return whether a function has a name of its own."""
        return owner is not None and name in self._scopes.get(owner, {})

    def value(self, node: ast.expr, owner: Function = None) -> ast.expr:
        """Return the expression that a name was assigned, if it was once, else the expression itself."""
        seen = 0
        while isinstance(node, ast.Name) and seen < 10:  # noqa: PLR2004 (names that are assigned in a circle)
            found = self.bindings(node.id, owner)
            if len(found) != 1 or not isinstance(found[0], ast.expr):
                break
            node, seen = found[0], seen + 1
        return node

    def literal(self, node: ast.expr, owner: Function = None) -> Any:
        """Return the value of a literal, or of a name that was assigned one.

        Raises:
            Unreadable: It is none.
        """
        try:
            return ast.literal_eval(self.value(node, owner))
        except (ValueError, TypeError, RecursionError, MemoryError):
            raise Unreadable(f"{self.shown(node)} is not a literal.") from None

    def is_plain(self, node: ast.expr, owner: Function) -> bool:
        """Return whether a name was assigned once, and nothing else was done with it."""
        if not isinstance(node, ast.Name):
            return False
        found = self.bindings(node.id, owner)
        return len(found) == 1 and not isinstance(found[0], ast.stmt) and node.id not in self._touched

    def _collect(self, body: list[ast.stmt], owner: Function) -> None:
        """Note what each name of a scope is bound to."""
        for statement in body:
            for name, binding in self._bound_by(statement):
                self._scopes[owner].setdefault(name, []).append(binding)
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self._scopes[statement] = {}
                self._collect(statement.body, statement)
            elif not isinstance(statement, ast.ClassDef):
                for part in ("body", "orelse", "finalbody"):
                    self._collect(getattr(statement, part, []), owner)
                for handler in getattr(statement, "handlers", []):
                    self._collect(handler.body, owner)

    def _bound_by(self, statement: ast.stmt) -> Iterator[tuple[str, Binding]]:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                self.modules.add(alias.name)
                yield (
                    alias.asname or alias.name.partition(".")[0],
                    Imported(alias.name if alias.asname else alias.name.partition(".")[0]),
                )
        elif isinstance(statement, ast.ImportFrom):
            module = self._absolute(statement)
            yield from ((alias.asname or alias.name, Imported(module, alias.name)) for alias in statement.names)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            yield from ((name, statement.value) for name in names if statement.value)
        elif isinstance(statement, ast.With | ast.AsyncWith):
            for item in statement.items:
                if isinstance(item.optional_vars, ast.Name):
                    yield item.optional_vars.id, item.context_expr
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name, statement

    def _absolute(self, statement: ast.ImportFrom) -> str:
        if not statement.level:
            return statement.module or ""
        package = self.module.split(".")
        up = statement.level - (self.path.name == "__init__.py")
        base = package[: len(package) - up] if up else package
        return ".".join([*base, *([statement.module] if statement.module else [])])

    def _find_touched(self) -> Iterator[str]:
        """Find the names of objects that are changed after they are made, such as with `app.route`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.value, ast.Name):
                is_read = isinstance(node, ast.Attribute) and node.attr in _HARMLESS and isinstance(node.ctx, ast.Load)
                if not is_read:
                    yield node.value.id
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _is_lower(node.value.func):
                yield from (each.id for each in node.value.args if isinstance(each, ast.Name))


def _is_lower(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name not in {"run_simple", "serve", "run", "make_server"}


def _is_guard(test: ast.expr) -> bool:
    text = ast.unparse(test)
    return "__name__" in text and "__main__" in text


def import_root(path: Path) -> Path:
    """Return the folder that has to be on the search path to import a file: the one above its packages."""
    folder = path.parent
    while (folder / "__init__.py").is_file() and folder != folder.parent:
        folder = folder.parent
    return folder

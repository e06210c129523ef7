"""A module that composes applications with werkzeug's DispatcherMiddleware."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from multiserve.drafts import Draft
from multiserve.importers.python_files import (
    add_application,
    mentions,
    owner_of,
    read_environment,
    read_servers,
    set_trusted_proxies,
)
from multiserve.python_source.source import Function, PythonSource, Unreadable

NAME = "a Python file with werkzeug's DispatcherMiddleware"
_NAME = "DispatcherMiddleware"
# What answers 404, as multiserve does by itself where nothing is mounted at the root.
_NOT_FOUND = frozenset({"NotFound", "Response", "None"})


def matches(name: str, text: str) -> bool:
    """Return whether this is Python that calls DispatcherMiddleware."""
    return name.endswith(".py") and mentions(text, _NAME)


def read(path: Path, text: str) -> Draft:
    """Read the mounts of the outermost dispatcher, and of those inside it."""
    source = PythonSource(path, text)
    draft = Draft()
    calls = list(source.calls(_NAME))
    inside = {each for call in calls for each in _read_dispatcher(Draft(), source, call, "")}
    for call in calls:
        if call not in inside:
            list(_read_dispatcher(draft, source, call, ""))
    read_environment(draft, source)
    read_servers(draft, source)
    _note_wrappers(draft, source, calls)
    return draft


def _read_dispatcher(draft: Draft, source: PythonSource, call: ast.Call, prefix: str) -> Iterator[ast.AST]:
    """Read one dispatcher at a prefix; iterates over those that it contains."""
    owner = owner_of(source, call)
    arguments = dict(zip(("app", "mounts"), call.args, strict=False))
    arguments |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    if default := arguments.get("app"):
        yield from _read_one(draft, source, prefix or "/", default, owner)
    for name, value in _pairs(draft, source, arguments.get("mounts"), owner):
        try:
            key = source.literal(name, owner)
        except Unreadable as error:
            draft.note(source.shown(name), f"{error} Write the prefix itself.", source.line(name))
            continue
        if len(key) > 1 and key.endswith("/"):
            reason = f"With the slash at its end it answered {key} alone; now it answers everything below, too."
            draft.note(source.shown(name), reason, source.line(name))
        yield from _read_one(draft, source, prefix + key or "/", value, owner)
    if prefix and not any(mount.key == prefix for mount in draft.mounts):
        draft.note_fall_through(f"{_NAME} at {prefix}", prefix, source.line(call))


def _read_one(draft: Draft, source: PythonSource, key: str, node: ast.expr, owner: Function) -> Iterator[ast.AST]:
    value = source.value(node, owner)
    if isinstance(value, ast.Call) and source.last_name(value.func) == _NAME:
        yield value
        yield from _read_dispatcher(draft, source, value, key.rstrip("/"))
        return
    called = value.func if isinstance(value, ast.Call) else value
    if ast.unparse(value) == "None" or source.last_name(called) in _NOT_FOUND:
        return
    if isinstance(value, ast.Lambda):
        reason = "What is not mounted gets 404. If it does anything else, give it a name in a module."
        draft.note(source.shown(node), reason, source.line(node))
        return
    add_application(draft, source, key, node, owner, what=f"{key}: {source.shown(node)}")


def _pairs(
    draft: Draft, source: PythonSource, node: ast.expr | None, owner: Function
) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Iterate over the keys and the applications of a dictionary, also where it is filled by assignments."""
    if node is None:
        return
    value = source.value(node, owner)
    if not isinstance(value, ast.Dict):
        reason = "Its prefixes are only known when it is executed: write a line in [mounts] for each."
        draft.note(source.shown(node), reason, source.line(node))
        return
    for key, each in zip(value.keys, value.values, strict=True):
        if key is None:
            yield from _pairs(draft, source, each, owner)
        else:
            yield key, each
    if isinstance(node, ast.Name):
        for statement in ast.walk(source.tree):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            if isinstance(target, ast.Subscript) and ast.unparse(target.value) == node.id:
                yield target.slice, statement.value  # type: ignore[attr-defined]


def _note_wrappers(draft: Draft, source: PythonSource, calls: list[ast.Call]) -> None:
    """Note what is done with the composition besides serving it."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assign) and node.value in calls and isinstance(node.targets[0], ast.Attribute):
            reason = "Remove this line, or the mounts are in that application as well."
            draft.note(source.shown(node), reason, source.line(node))
        if isinstance(node, ast.Call) and any(
            source.value(each, owner_of(source, node)) in calls for each in node.args
        ):
            outer = source.last_name(node.func)
            if outer == "ProxyFix":
                set_trusted_proxies(draft, ast.unparse(node))
            elif outer not in {_NAME, "run_simple", "serve", "run", "make_server", "print"}:
                reason = "It is around all mounts: write it into middleware, at the top of the file."
                draft.note(f"{outer} around {_NAME}", reason, source.line(node))

"""Tells Dash its prefix, which it has to know when it is made, by the environment variable that Dash has for it."""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from multiserve.config.targets import Target

_VARIABLE = "DASH_REQUESTS_PATHNAME_PREFIX"
_OTHERS = ("DASH_URL_BASE_PATHNAME", "DASH_ROUTES_PATHNAME_PREFIX", "DASH_APP_NAME")
# Whoever writes one of these has told the prefix already, or puts Dash into an application of its own.
_OWN = frozenset({"requests_pathname_prefix", "routes_pathname_prefix", "server", "url_base_pathname"})


@contextlib.contextmanager
def told_prefix(target: Target, prefix: str, folder: Path) -> Iterator[None]:
    """Set the variable while a target is loaded whose module makes one `Dash` without a prefix; else do nothing.

    Two in one module may be mounted at different prefixes, and both would be told the same one.
    """
    is_told = any(os.environ.get(name) for name in (_VARIABLE, *_OTHERS))
    if not prefix or is_told or target.section or not _makes_one_without_prefix(target, folder):
        yield
        return
    os.environ[_VARIABLE] = f"{prefix}/"
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE, None)


def _makes_one_without_prefix(target: Target, folder: Path) -> bool:
    try:
        source = _source_of(target, folder)
        if "dash" not in source:
            return False
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except (OSError, SyntaxError, ValueError):  # whatever is wrong, loading says it better
        return False
    made = [call for call in calls if ast.unparse(call.func) in ("Dash", "dash.Dash")]
    return len(made) == 1 and not any(each.arg is None or each.arg in _OWN for each in made[0].keywords)


def _source_of(target: Target, folder: Path) -> str:
    """Return the source of the module of a target; empty if it has none."""
    if target.file:
        return (folder / target.file).read_text("utf-8")
    path: Sequence[str] | None = None
    spec = None
    name = ""
    for part in target.module.split("."):  # importlib.util.find_spec would import the packages around it
        name = f"{name}.{part}" if name else part
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            return ""
        path = spec.submodule_search_locations or []
    return Path(spec.origin).read_text("utf-8") if spec and str(spec.origin).endswith(".py") and spec.origin else ""

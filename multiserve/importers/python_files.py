"""What the importers of Python files share: how they read servers and the environment, and add mounts."""

from __future__ import annotations

import ast
import mimetypes
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from multiserve.drafts import Draft
from multiserve.python_source.source import Function, PythonSource, Unreadable
from multiserve.python_source.targets import find_mounted


def mentions(text: str, *names: str) -> bool:
    """Return whether a text is Python that calls something with one of these names."""
    if not any(name in text for name in names):
        return False
    try:
        return any(PythonSource(Path("file.py"), text, Path()).calls(*names))
    except SyntaxError:
        return False


def add_application(
    draft: Draft, source: PythonSource, key: str, node: ast.expr, owner: Function, *, what: str
) -> None:
    """Mount the application that an expression stands for, or note why it cannot be mounted."""
    try:
        found = find_mounted(source, node, owner)
    except Unreadable as error:
        draft.note(what, str(error), source.line(node))
        return
    middleware = [each for each in found.middleware if not _is_proxy_fix(each, draft)]
    draft.add(key, what, source.line(node), app=found.target, middleware=middleware)


def _is_proxy_fix(target: str, draft: Draft) -> bool:
    """Return whether a middleware is werkzeug's ProxyFix, for which multiserve has a setting."""
    if not target.startswith("werkzeug.middleware.proxy_fix:ProxyFix"):
        return False
    set_trusted_proxies(draft, target)
    return True


def set_trusted_proxies(draft: Draft, call: str) -> None:
    """Trust as many proxies as a call of ProxyFix says; it trusts one where it says nothing."""
    number = re.search(r"x_for=(\d+)", call)
    draft.server["trusted_proxies"] = max(int(number[1]) if number else 1, draft.server.get("trusted_proxies", 0))


def read_environment(draft: Draft, source: PythonSource) -> None:
    """Read the environment variables that the module sets to literals."""
    found = [(node, pair) for node in ast.walk(source.tree) if (pair := _variable(source, node))]
    for node, pair in sorted(found, key=lambda each: source.line(each[0])):
        try:
            name, value = source.literal(pair[0]), source.literal(pair[1])
        except Unreadable as error:
            draft.note(source.shown(node), f"{error} Set it before the start.", source.line(node))
        else:
            draft.env.setdefault(str(name), str(value))


def _variable(source: PythonSource, node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    """Return the name and the value of an environment variable that a statement sets; None if it sets none."""
    if isinstance(node, ast.Call) and source.dotted(node.func) == "os.environ.setdefault" and len(node.args) == 2:  # noqa: PLR2004
        return node.args[0], node.args[1]
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        target = node.targets[0]
        if source.dotted(target.value) == "os.environ":
            return target.slice, node.value
    return None


Setter = Callable[[Draft, Any, str, int], None]


def _host(draft: Draft, value: Any, what: str, line: int) -> None:
    del what, line
    draft.server["host"] = str(value) or "0.0.0.0"  # noqa: S104 (what an empty host means to these servers)


def _into_development(name: str) -> Setter:
    def setter(draft: Draft, value: Any, what: str, line: int) -> None:
        del what, line
        draft.development[name] = list(value) if isinstance(value, list | tuple) else bool(value)

    return setter


def _nothing(draft: Draft, value: Any, what: str, line: int) -> None:
    """Leave out what multiserve does by itself."""
    del draft, value, what, line


def _ssl(draft: Draft, value: Any, what: str, line: int) -> None:
    if value is None:
        return  # plain HTTP
    draft.development["https"] = True
    if value != "adhoc":
        draft.note(
            what, "In development, https makes a certificate of its own; in production, set certfile and keyfile.", line
        )


def _static_files(draft: Draft, value: Any, what: str, line: int) -> None:
    for prefix, folder in value.items() if isinstance(value, dict) else ():
        if isinstance(folder, str):
            add_static(draft, prefix, folder, what, line)
        else:
            reason = "A folder in a package: name the folder itself, relative to multiserve.toml."
            draft.note(f"static_files: {prefix}", reason, line)


def add_static(draft: Draft, key: str, folder: str, what: str, line: int, **options: Any) -> None:
    """Mount a folder of files, not the one that the configuration is in; or one file at its own URL."""
    if folder.strip() in ("", ".", "./", "/"):
        draft.note(what, "This folder would publish everything: name a folder of files alone.", line)
    elif not any(options.values()) and _is_file(key, folder):
        draft.add(key, what, line, file=folder)
    else:
        draft.add(key, what, line, static=folder, **options)


def _is_file(key: str, place: str) -> bool:
    """Return whether a URL such as /favicon.ico, and what it comes from, both end like the same type of file."""
    kind = mimetypes.guess_type(place)[0]
    return "/" in key.rstrip("/") and kind is not None and mimetypes.guess_type(key)[0] == kind


def _processes(draft: Draft, value: Any, what: str, line: int) -> None:
    if value != 1:
        draft.note(what, _WORKERS_INSTEAD, line)


_WORKERS_INSTEAD = 'The development server has one process. For production: [gunicorn] workers, and "run --production".'
_SETTERS: dict[str, Setter] = {
    "hostname": _host,
    "host": _host,
    "port": Draft.set_port,
    "use_reloader": _into_development("reload"),
    "reload": _into_development("reload"),
    "use_debugger": _into_development("debugger"),
    "threads": Draft.set_threads,
    "threaded": _into_development("threaded"),
    "extra_files": _into_development("extra_files"),
    "exclude_patterns": _into_development("exclude_patterns"),
    "static_files": _static_files,
    "ssl_context": _ssl,
    "ssl_certfile": _ssl,
    "ssl_keyfile": _ssl,
    "use_evalex": _nothing,
    "reloader_type": _nothing,
    "processes": _processes,
}
# The positional arguments of what starts a server, by its dotted name.
_SERVERS: dict[str, tuple[str, ...]] = {
    "werkzeug.serving.run_simple": ("hostname", "port", "application", "use_reloader", "use_debugger", "use_evalex"),
    "werkzeug.run_simple": ("hostname", "port", "application", "use_reloader", "use_debugger", "use_evalex"),
    "wsgiref.simple_server.make_server": ("host", "port", "app"),
    "waitress.serve": ("app",),
    "uvicorn.run": ("app",),
}
_APPLICATIONS = frozenset({"application", "app"})


def read_servers(draft: Draft, source: PythonSource) -> None:
    """Read what the calls of `run_simple` and the like say about host, port and options."""
    for call in source.calls("run_simple", "make_server", "serve", "run"):
        owner = owner_of(source, call)
        name = source.dotted(call.func, owner)
        if name not in _SERVERS:
            continue
        given = list(zip(_SERVERS[name], call.args, strict=False))
        given += [(keyword.arg or "**", keyword.value) for keyword in call.keywords]
        for argument, value in given:
            if argument not in _APPLICATIONS:
                _read_option(draft, source, argument, value, owner)
        is_mounted = any(str(mount.options.get("app")).startswith(f"{source.module}:") for mount in draft.mounts)
        if is_mounted and owner is None and not source.is_guarded(call):
            reason = 'It starts a server whenever the module is imported: put it below if __name__ == "__main__".'
            draft.note(source.shown(call), reason, source.line(call))


def _read_option(draft: Draft, source: PythonSource, name: str, node: ast.expr, owner: Function) -> None:
    what = f"{name}={source.shown(node)}"
    setter = _SETTERS.get(name)
    if setter is None:
        draft.note(
            what,
            "An option of that server: see whether [development] or [gunicorn] has one like it.",
            source.line(node),
        )
        return
    try:
        value = source.literal(node, owner)
    except Unreadable as error:
        if setter is Draft.set_port:
            draft.set_port(ast.unparse(node).upper(), what, source.line(node))
        elif setter is _ssl:
            setter(draft, "", what, source.line(node))
        else:
            draft.note(what, f"{error} Write the value itself.", source.line(node))
    else:
        setter(draft, value, what, source.line(node))


def owner_of(source: PythonSource, node: ast.AST) -> Function:
    """Return the function in which something stands; None if it is in none."""
    inside = [owner for owner in source.functions() if any(each is node for each in ast.walk(owner))]
    return max(inside, key=lambda owner: owner.lineno, default=None)

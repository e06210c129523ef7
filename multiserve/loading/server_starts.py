"""Refuses servers that an application starts while it is loaded, such as `app.run()` at the top level of a module.

Such a call does not return: `check` would wait for ever, and `run --production` would serve Flask's development server.

To listen on a socket is no sign of it. `prometheus_client.start_http_server` and debugpy listen in the thread that
imports them, and serve in another one, which does no harm. What blocks is the function that serves, in the thread that
loads. So the functions of this kind in well-known servers are replaced while an application is loaded. In another
thread, and after loading, a replacement calls the function itself, so that a module may keep it. A request never
meets one, unless it starts a server.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import linecache
import operator
import os
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from traceback import FrameSummary
from types import ModuleType
from typing import Any

from multiserve.loading.import_hooks import at_import
from multiserve.tracebacks import own_frames

# By module, the functions and methods that serve until they are stopped. Where one calls another one, the outer one
# may do something before that should not be done either, such as to start a process that watches files.
BLOCKING = {
    "aiohttp.web": ("run_app",),
    "asyncio.base_events": ("Server.serve_forever",),
    "bottle": ("run", "Bottle.run"),
    "cheroot.server": ("HTTPServer.serve",),
    "cherrypy": ("quickstart",),
    "cherrypy.process.wspbus": ("Bus.block",),
    "dash.dash": ("Dash.run",),
    "django.core.management.commands.runserver": ("Command.run",),
    "eventlet.wsgi": ("server",),
    "fastmcp.server.mixins.transport": ("TransportMixin.run", "TransportMixin.run_async"),
    "flask.app": ("Flask.run",),
    "flask_socketio": ("SocketIO.run",),
    "gevent.baseserver": ("BaseServer.serve_forever",),
    "gradio.blocks": ("Blocks.block_thread",),
    "granian.server.common": ("AbstractServer.serve",),
    "gunicorn.app.base": ("BaseApplication.run",),
    "hypercorn.asyncio": ("serve",),
    "hypercorn.run": ("run",),
    "hypercorn.trio": ("serve",),
    "mcp.server.fastmcp.server": ("FastMCP.run",),
    "mcp.server.mcpserver.server": ("MCPServer.run",),
    "marimo._server.start": ("start",),
    "nicegui.ui_run": ("run",),
    "panel.io.server": ("serve",),
    "paste.httpserver": ("serve",),
    "quart.app": ("Quart.run",),
    "shiny._main._run": ("run_app",),
    "sanic.mixins.startup": ("StartupMixin.run",),
    "socketserver": ("BaseServer.serve_forever",),
    "tornado.platform.asyncio": ("BaseAsyncIOLoop.start",),
    "uvicorn": ("run",),
    "uvicorn.main": ("run",),
    "uvicorn.server": ("Server.run", "Server.serve"),
    "waitress": ("serve",),
    "waitress.server": ("BaseWSGIServer.run", "MultiSocketServer.run"),
    "werkzeug.serving": ("run_simple",),
}

_STANDARD = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class ServerStart(BaseException):  # no `except Exception` around the call may take it for a failed server
    """An application starts a server while it is loaded."""

    def describe(self) -> tuple[str, str]:
        """Return which line of the user starts the server, and what to do."""
        frame, is_import = _line_of_user(own_frames(self))
        what = f"{frame.filename}, line {frame.lineno}, starts a server ({_call_in(frame) or self})"
        if is_import:
            return (
                f"{what} while it is imported",
                'Put it under if __name__ == "__main__":, which is skipped on import.',
            )
        return f"{what} while the application is made", "Leave that call out: multiserve serves the application."


@contextlib.contextmanager
def refused_server_starts() -> Iterator[None]:
    """Raise `ServerStart` in this thread where a server would serve until it is stopped."""
    guard = _Guard()
    try:
        with at_import(BLOCKING, guard.replace_in):
            yield
    finally:
        guard.lift()


class _Guard:
    """The replacements for one time of loading."""

    def __init__(self) -> None:
        self._thread: int | None = threading.get_ident()
        self._originals: dict[int, Callable[..., Any]] = {}  # by the id of the replacement, which the original outlives
        self._replacements: list[Callable[..., Any]] = []

    def replace_in(self, module: ModuleType) -> None:
        """Replace what blocks in a module."""
        for owner, name in _places(module):
            function = vars(owner).get(name)
            if inspect.isfunction(function) and id(function) not in self._originals:
                replacement = self._replacement_for(function)
                self._originals[id(replacement)] = function
                self._replacements.append(replacement)
                setattr(owner, name, replacement)

    def lift(self) -> None:
        """Put the functions back; replacements that a module has taken by name call them from now on."""
        self._thread = None
        for module in [found for name in BLOCKING if (found := sys.modules.get(name))]:
            for owner, name in _places(module):
                if original := self._originals.get(id(vars(owner).get(name))):
                    setattr(owner, name, original)

    def _replacement_for(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def serve_later(*args: Any, **kwargs: Any) -> Any:
                self._refuse(function)
                return await function(*args, **kwargs)

            return serve_later

        @functools.wraps(function)
        def serve(*args: Any, **kwargs: Any) -> Any:
            self._refuse(function)
            return function(*args, **kwargs)

        return serve

    def _refuse(self, function: Callable[..., Any]) -> None:
        if threading.get_ident() == self._thread:
            raise ServerStart(f"{function.__qualname__}()")


def _places(module: ModuleType) -> Iterator[tuple[Any, str]]:
    """Find the module or the class in it that has each of the functions, and the name there."""
    for path in BLOCKING[module.__name__]:
        owner, _, name = path.rpartition(".")
        with contextlib.suppress(AttributeError):  # another release
            yield (operator.attrgetter(owner)(module) if owner else module), name


def _line_of_user(frames: list[FrameSummary]) -> tuple[FrameSummary, bool]:
    """Return the line to change, and whether it is at the top level of a module: `main()` there calls `app.run()`."""
    users = [frame for frame in frames if not _is_library(frame.filename)] or frames
    at_import = [frame for frame in users if frame.name == "<module>"]
    return (at_import or users)[-1], bool(at_import)


def _is_library(file: str) -> bool:
    return file.startswith(("<", *_STANDARD)) or any(folder in file for folder in _INSTALLED)


def _call_in(frame: FrameSummary) -> str:
    """Return what a line calls, as it is written there, without the arguments; empty if that is not known."""
    first, last = frame.lineno, frame.end_lineno
    if first is None or last is None or frame.colno is None or frame.end_colno is None:
        return ""
    lines = [linecache.getline(frame.filename, number).encode() for number in range(first, last + 1)]
    lines[-1] = lines[-1][: frame.end_colno]  # columns are bytes; on a single line the end has to be cut first
    lines[0] = lines[0][frame.colno :]
    try:
        found = ast.parse(b"".join(lines), mode="eval").body
    except (SyntaxError, ValueError):
        return ""
    what = ast.unparse(found.func) if isinstance(found, ast.Call) else ""
    return f"{what}()" if what.replace(".", "").isidentifier() else ""

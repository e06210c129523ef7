"""What an application keeps in one worker, so that a client who is sent to another one is not known there."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from multiserve.frameworks.reading import known
from multiserve.frameworks.wrappers import inside

MCP = "MCP sessions"
NICEGUI = "NiceGUI pages"
SHINY = "Shiny sessions"
STREAMLIT = "Streamlit sessions"
_SSE = "MCP connections"
# By the module and the name of a class.
_KEPT = {
    ("bokeh_fastapi.handler", "DocHandler"): "Panel sessions",
    ("engineio.async_drivers.asgi", "ASGIApp"): "Socket.IO connections",
    ("engineio.middleware", "WSGIApp"): "Socket.IO connections",
    ("fastmcp.server.http", "StreamableHTTPASGIApp"): MCP,
    ("gradio.routes", "App"): "Gradio events",
    ("mcp.server.sse", "SseServerTransport"): _SSE,
    ("mcp.server.streamable_http_manager", "StreamableHTTPASGIApp"): MCP,
    ("nicegui.app.app", "App"): NICEGUI,
    ("shiny._app", "App"): SHINY,
    ("streamlit.web.server.starlette.starlette_app", "App"): STREAMLIT,
}
_MOST = 500  # objects that are examined


def kept_in_worker(application: Any) -> str:
    """Return what an application, or one inside it, keeps in the worker that a client came to first; "" for nothing.

    Only stored attributes are read; an application that is wrapped in something unknown may keep more.
    """
    pending: list[tuple[Any, Any]] = [(application, None)]
    seen: set[int] = set()
    while pending and len(seen) < _MOST:
        current, route = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        names = ((each.__module__, each.__qualname__) for each in type(current).__mro__)
        kept = next((kept for name in names if (kept := _KEPT.get(name))), "")
        if kept and not (kept == MCP and _is_stateless(current, route)):
            return kept
        pending.extend(known(lambda current=current, route=route: list(_within(current, route)), []))  # type: ignore[misc]
    return ""


def _within(current: Any, route: Any) -> Iterator[tuple[Any, Any]]:
    """Find the routes of an application, what they lead to, and what middleware wraps."""
    stored = vars(current) if hasattr(current, "__dict__") else {}
    for each in known(lambda: list(current.routes), []):
        yield each, each
    for each in (stored.get("endpoint"), stored.get("wsgi_app"), *inside(current)):
        if each is not None:
            yield (each.__self__ if inspect.ismethod(each) else each), route


def _is_stateless(endpoint: Any, route: Any) -> bool:
    """Return whether each request to a server of MCP is complete in itself: then there is no stream to ask for."""
    manager = getattr(endpoint, "session_manager", None)  # FastMCP makes it only when it starts
    methods: Any = getattr(route, "methods", None) or ["GET"]
    return bool(getattr(manager, "stateless", False)) or "GET" not in methods

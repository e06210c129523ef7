"""Servers of the Model Context Protocol: FastMCP and MCPServer, whose method makes the ASGI application."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from multiserve.discovery.found import Found
from multiserve.discovery.names import names_of
from multiserve.discovery.project import Project

# The class, and the method that makes its application for HTTP.
_METHODS = {
    "mcp.server.fastmcp.FastMCP": "streamable_http_app",
    "mcp.server.FastMCP": "streamable_http_app",
    "mcp.server.mcpserver.MCPServer": "streamable_http_app",
    "mcp.server.MCPServer": "streamable_http_app",
    "fastmcp.FastMCP": "http_app",
}
_COMMENT = "Clients connect to /mcp below it."


def find(project: Project) -> Iterator[Found]:
    """Find the servers at module level that no other application mounts."""
    for source in project.sources:
        inside = [
            each
            for call in source.calls("mount", "Mount", "FastAPI", "Starlette")
            for each in ast.walk(call)
            if each is not call
        ]
        taken = {each.id for each in inside if isinstance(each, ast.Name)}
        for name, bindings in source.module_bindings().items():
            value = bindings[0]
            if not isinstance(value, ast.Call) or name in taken or source.is_guarded(value):
                continue
            method = _METHODS.get(source.dotted(value.func))
            if method is None:
                continue
            yield Found(
                "MCP",
                {"app": f"{source.module}:{name}.{method}()"},
                project.where(source, source.line(value)),
                names_of(source.module, "" if name == "mcp" else name),
                project.pythonpath(source),
                comment=_COMMENT,
                file=project.file(source),
            )

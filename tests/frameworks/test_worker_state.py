"""What an application keeps in one worker is found wherever it is inside it."""

from __future__ import annotations

import types

import pytest

from multiserve.frameworks.worker_state import kept_in_worker

routing = pytest.importorskip("starlette.routing")
applications = pytest.importorskip("starlette.applications")
flask = pytest.importorskip("flask")


def of(module: str, name: str, **members: object) -> object:
    """Make an object of a class that stands where a package has its own."""

    async def call(self: object, scope: object, receive: object, send: object) -> None: ...

    return type(name, (), {"__module__": module, "__call__": call, **members})()


def at(endpoint: object, **options: object) -> object:
    return applications.Starlette(routes=[routing.Route("/mcp", endpoint, **options)])


def below(application: object) -> object:
    return applications.Starlette(routes=[routing.Mount("/inner", application)])


class Wrapper:
    def __init__(self, app: object) -> None:
        self.app = app

    async def __call__(self, scope: object, receive: object, send: object) -> None: ...


OFFICIAL = "mcp.server.streamable_http_manager"
STATELESS = types.SimpleNamespace(stateless=True)
SESSIONS = types.SimpleNamespace(stateless=False)
FASTMCP = of("fastmcp.server.http", "StreamableHTTPASGIApp", session_manager=None)
SERVER = of(OFFICIAL, "StreamableHTTPASGIApp", session_manager=SESSIONS)
SSE = of("mcp.server.sse", "SseServerTransport", handle=lambda self: None)
PANEL = of("bokeh_fastapi.handler", "DocHandler", handle=lambda self, request: None)
GRADIO = of("gradio.routes", "App")
POLLING = flask.Flask("polling")
POLLING.wsgi_app = of("engineio.middleware", "WSGIApp")

KEPT = [
    pytest.param(at(SERVER), "MCP sessions", id="MCP"),
    pytest.param(at(FASTMCP), "MCP sessions", id="FastMCP, which has no manager before it starts"),
    pytest.param(at(Wrapper(SERVER)), "MCP sessions", id="MCP behind authentication"),
    pytest.param(below(at(SERVER)), "MCP sessions", id="MCP inside another application"),
    pytest.param(Wrapper(at(SERVER)), "MCP sessions", id="MCP in middleware"),
    pytest.param(applications.Starlette(routes=[routing.Mount("/messages", SSE.handle)]), "MCP connections", id="SSE"),
    pytest.param(below(GRADIO), "Gradio events", id="Gradio"),
    pytest.param(below(of("nicegui.app.app", "App")), "NiceGUI pages", id="NiceGUI"),
    pytest.param(of("streamlit.web.server.starlette.starlette_app", "App"), "Streamlit sessions", id="Streamlit"),
    pytest.param(of("shiny._app", "App"), "Shiny sessions", id="Shiny"),
    pytest.param(at(PANEL.handle), "Panel sessions", id="Panel"),
    pytest.param(of("engineio.async_drivers.asgi", "ASGIApp"), "Socket.IO connections", id="Socket.IO"),
    pytest.param(POLLING, "Socket.IO connections", id="Flask-SocketIO"),
    pytest.param(at(of(OFFICIAL, "StreamableHTTPASGIApp", session_manager=STATELESS)), "", id="MCP without sessions"),
    pytest.param(at(FASTMCP, methods=["POST", "DELETE"]), "", id="FastMCP without sessions"),
    pytest.param(at(FASTMCP, methods=["GET", "POST", "DELETE"]), "MCP sessions", id="FastMCP behind authentication"),
    pytest.param(flask.Flask("plain"), "", id="Flask"),
    pytest.param(below(applications.Starlette()), "", id="Starlette"),
    pytest.param(None, "", id="nothing"),
]


@pytest.mark.parametrize(("application", "kept"), KEPT)
def test_what_is_kept(application: object, kept: str) -> None:
    assert kept_in_worker(application) == kept


def test_a_server_of_fastmcp() -> None:
    fastmcp = pytest.importorskip("fastmcp")
    server = fastmcp.FastMCP("tools")
    assert kept_in_worker(server.http_app()) == "MCP sessions"
    assert kept_in_worker(server.http_app(stateless_http=True)) == ""


def test_a_server_of_the_official_package() -> None:
    server = pytest.importorskip("mcp.server.mcpserver").MCPServer("tools")
    assert kept_in_worker(server.streamable_http_app()) == "MCP sessions"
    assert kept_in_worker(server.streamable_http_app(stateless_http=True)) == ""

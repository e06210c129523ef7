"""The object that the users of a framework have is a target; tests/end_to_end/test_objects.py has the real ones."""

from __future__ import annotations

import sys
import types

import pytest

from multiserve.loading.objects import Objects


def application(environ, start_response): ...


def of(module: str, name: str, **members: object) -> type:
    """Make a class that stands where a framework has its own."""
    return type(name, (), {"__module__": module, **members})


Dash = of("dash.dash", "Dash", server=staticmethod(application))
FastMCP = of("fastmcp.server.server", "FastMCP", http_app=lambda self: ["http_app", self])
OfficialMCP = of("mcp.server.fastmcp.server", "FastMCP", streamable_http_app=lambda self: ["streamable_http_app", self])
MCPServer = of("mcp.server.mcpserver.server", "MCPServer", streamable_http_app=lambda self: ["streamable", self])


def test_dash_has_its_server() -> None:
    assert Objects().application_of(Dash()) is application


@pytest.mark.parametrize(
    ("kind", "made_by"),
    [
        pytest.param(FastMCP, "http_app", id="FastMCP"),
        pytest.param(OfficialMCP, "streamable_http_app", id="FastMCP of the official package"),
        pytest.param(MCPServer, "streamable", id="its second release"),
        pytest.param(type("Tools", (FastMCP,), {}), "http_app", id="a class of the user's own"),
    ],
)
def test_a_server_of_the_model_context_protocol_makes_its_application_once(kind: type, made_by: str) -> None:
    objects, first, other = Objects(), kind(), kind()
    made = objects.application_of(first)
    assert made == [made_by, first]
    assert objects.application_of(first) is made
    assert objects.application_of(other) == [made_by, other]


def test_an_interface_of_gradio_is_mounted_in_an_application_of_fastapi(monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = []

    def mount_gradio_app(app: object, blocks: object, path: str) -> object:
        mounted.append((app, blocks, path))
        return app

    fastapi = types.SimpleNamespace(FastAPI=lambda **options: ("FastAPI", options))
    monkeypatch.setitem(sys.modules, "fastapi", fastapi)
    monkeypatch.setitem(sys.modules, "gradio", types.SimpleNamespace(mount_gradio_app=mount_gradio_app))
    interface = type("Interface", (of("gradio.blocks", "Blocks"),), {})()
    made = Objects().application_of(interface)
    assert made == ("FastAPI", dict.fromkeys(("docs_url", "redoc_url", "openapi_url")))
    assert mounted == [(made, interface, "/")]


@pytest.mark.parametrize("found", [application, object(), Dash, "text", of("shop", "Dash")()])
def test_anything_else_stays_what_it_is(found: object) -> None:
    assert Objects().application_of(found) is found

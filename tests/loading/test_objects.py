"""The object that the users of a framework have is a target; tests/end_to_end/test_objects.py has the real ones."""

from __future__ import annotations

import sys
import types

import pytest

from multiserve.loading.modules import Failure
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


def test_a_notebook_of_marimo_is_served_by_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    class Builder:
        def with_app(self, path: str, root: str) -> Builder:
            self.made = path, root
            return self

        def build(self) -> object:
            return self.made

    monkeypatch.setitem(sys.modules, "marimo", types.SimpleNamespace(create_asgi_app=Builder))
    notebook = of("marimo._ast.app", "App", _filename="/books/sales.py")()
    assert Objects().application_of(notebook) == ("", "/books/sales.py")


@pytest.fixture
def nicegui(monkeypatch: pytest.MonkeyPatch) -> object:
    """Return the application of NiceGUI, which it has one of."""
    run_with = []
    ui = types.SimpleNamespace(run_with=lambda app, **options: run_with.append((app, options)))
    monkeypatch.setitem(sys.modules, "fastapi", types.SimpleNamespace(FastAPI=lambda **_: "FastAPI"))
    monkeypatch.setitem(sys.modules, "nicegui", types.SimpleNamespace(ui=ui))
    config = types.SimpleNamespace(has_run_config=False)
    return of("nicegui.app.app", "App", config=config, run_with=run_with)()


def test_nicegui_runs_with_an_application_of_fastapi(nicegui: object) -> None:
    objects = Objects()
    assert [objects.application_of(nicegui, "tool:app") for _ in range(2)] == ["FastAPI"] * 2
    assert nicegui.run_with == [("FastAPI", {"show_welcome_message": False})]


def test_a_second_application_of_nicegui_is_refused(nicegui: object) -> None:
    objects = Objects()
    objects.application_of(nicegui, "tool:app")
    with pytest.raises(Failure) as failed:
        objects.application_of(nicegui, "other:app")
    assert str(failed.value) == 'NiceGUI has one application in a process, which is mounted as "tool:app" already'
    assert failed.value.hint == ('Import the pages of "other:app" there, or serve them by a multiserve of their own.')


def test_nicegui_inside_another_application_is_left_there(nicegui: object) -> None:
    nicegui.config.has_run_config = True
    with pytest.raises(Failure) as failed:
        Objects().application_of(nicegui, "tool:app")
    assert str(failed.value) == "NiceGUI runs in another application already"
    assert failed.value.hint == "Mount the one that ui.run_with was called with."


@pytest.mark.parametrize("found", [application, object(), Dash, "text", of("shop", "Dash")()])
def test_anything_else_stays_what_it_is(found: object) -> None:
    assert Objects().application_of(found) is found

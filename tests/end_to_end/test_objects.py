"""Objects and scripts of Dash, Gradio, MCP, Streamlit, Shiny, NiceGUI, marimo and Panel, where they are installed."""

from __future__ import annotations

import json
import re

import pytest
from websockets.sync.client import connect

MODES = [
    pytest.param((), id="development"),
    pytest.param(("--production", "--workers", "1"), id="production"),
]
DASH = """
from dash import Dash, Input, Output, dcc, html
app = Dash(__name__)
logo = html.Img(src=app.get_asset_url("logo.png"))
app.layout = html.Div([logo, dcc.Input(id="name", value="x"), html.Div(id="said")])

@app.callback(Output("said", "children"), Input("name", "value"))
def say(name):
    return f"Hello, {name}!"
"""
GRADIO = """
import gradio
def hello(name):
    return f"Hello, {name}!"
demo = gradio.Interface(hello, "textbox", "textbox", api_name="hello")
"""
ADD = "\ndef add(a: int, b: int) -> int:\n    return a + b\n"
FASTMCP = f"from fastmcp import FastMCP\nmcp = FastMCP('tools')\n@mcp.tool{ADD}"
OFFICIAL = f"""
try:
    from mcp.server.mcpserver import MCPServer
except ImportError:
    from mcp.server.fastmcp import FastMCP as MCPServer
mcp = MCPServer("tools")
@mcp.tool(){ADD}"""
JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
VERSION = "2025-06-18"


@pytest.fixture(params=MODES)
def serve(request, run, write, hello):
    """Serve an object beside another application."""

    def serve(source, *mounts):
        write("front.py", hello("front"))
        write("things.py", source)
        write(
            "multiserve.toml",
            "\n".join(['[mounts]\n"/" = "front"', *(f'"{key}" = "things:{name}"' for key, name in mounts)]),
        )
        return run(*request.param, env={"GRADIO_ANALYTICS_ENABLED": "False"}).ready()

    return serve


def post(server, path, value, **headers):
    return server.browser().request("POST", path, json.dumps(value).encode(), {**JSON, **headers})


def test_dash_below_a_prefix(serve):
    pytest.importorskip("dash")
    server = serve(DASH, ("/sales", "app"))
    page = server.get("/sales/").text
    scripts = re.findall('<script src="([^"]*)"', page)
    assert scripts
    assert all(path.startswith("/sales/_dash-component-suites/") for path in scripts)
    assert server.get(scripts[0]).status == 200
    assert "sales\\u002fassets\\u002flogo.png" in server.get("/sales/_dash-layout").text
    asked = {
        "output": "said.children",
        "outputs": {"id": "said", "property": "children"},
        "inputs": [{"id": "name", "property": "value", "value": "you"}],
        "changedPropIds": ["name.value"],
    }
    answer = json.loads(post(server, "/sales/_dash-update-component", asked).text)
    assert answer["response"] == {"said": {"children": "Hello, you!"}}


def test_gradio_below_two_prefixes(serve):
    pytest.importorskip("gradio")
    server = serve(GRADIO, ("/demo", "demo"), ("/inner/demo", "demo"))
    for prefix in ("/demo", "/inner/demo"):
        page = server.get(f"{prefix}/").text
        assert f'"root":"{server.origin}{prefix}"' in page
        script = re.search('src="[.](/assets/[^"]*)"', page)[1]
        assert server.get(f"{prefix}{script}").status == 200
        event = json.loads(post(server, f"{prefix}/gradio_api/call/hello", {"data": ["you"]}).text)["event_id"]
        assert 'data: ["Hello, you!"]' in server.get(f"{prefix}/gradio_api/call/hello/{event}").text


@pytest.mark.parametrize(("package", "source"), [("fastmcp", FASTMCP), ("mcp", OFFICIAL)], ids=["fastmcp", "mcp"])
def test_a_server_of_the_model_context_protocol_below_two_prefixes(serve, package, source):
    pytest.importorskip(package)
    server = serve(source, ("/tools", "mcp"), ("/inner/tools", "mcp"))
    for path in ("/tools/mcp", "/inner/tools/mcp"):
        who = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        started = post(server, path, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": who})
        assert started.status == 200
        session = {"Mcp-Session-Id": started.headers["Mcp-Session-Id"], "MCP-Protocol-Version": VERSION}
        post(server, path, {"jsonrpc": "2.0", "method": "notifications/initialized"}, **session)
        call = {"name": "add", "arguments": {"a": 1, "b": 2}}
        answer = post(server, path, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}, **session)
        result = json.loads(re.search("^data: ({.*)$", answer.text, re.MULTILINE)[1])
        assert result["result"]["content"][0]["text"] == "3"


SCRIPT = """
import streamlit as st
name = st.text_input("Name", "you")
st.write(f"Hello, {name}!")
"""


@pytest.mark.parametrize("mode", MODES)
def test_a_script_of_streamlit_below_two_prefixes(run, write, hello, mode):
    pytest.importorskip("streamlit.starlette")
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    write("front.py", hello("front"))
    write("boards/sales.py", SCRIPT)
    mounts = '"/sales" = "boards/sales.py"\n"/inner/sales" = "boards/sales.py"\n'
    write("multiserve.toml", f'[mounts]\n"/" = "front"\n{mounts}')
    server = run(*mode).ready()
    for prefix in ("/sales", "/inner/sales"):
        script = re.search('src="[.](/static/js/[^"]*)"', server.get(f"{prefix}/").text)[1]
        assert server.get(f"{prefix}{script}").status == 200
        url = f"ws://{server.address}{prefix}/_stcore/stream"
        shown = []
        with connect(url, subprotocols=["streamlit"]) as websocket:
            start = BackMsg()
            start.rerun_script.query_string = ""
            websocket.send(start.SerializeToString())
            while not shown or shown[-1].WhichOneof("type") != "script_finished":
                shown.append(ForwardMsg.FromString(websocket.recv(30)))
        texts = [each.delta.new_element.markdown.body for each in shown if each.WhichOneof("type") == "delta"]
        assert "Hello, you!" in texts


SHINY = """
from shiny import App, render, ui
page = ui.page_fluid(ui.input_slider("n", "N", 0, 100, 20), ui.output_text("said"))
def server(input, output, session):
    @render.text
    def said():
        return f"twice is {2 * input.n()}"
app = App(page, server)
"""
EXPRESS = """
from shiny.express import input, render, ui
ui.input_slider("n", "N", 0, 100, 20)
@render.text
def said():
    return f"twice is {2 * input.n()}"
"""


@pytest.mark.parametrize("mode", MODES)
def test_applications_and_scripts_of_shiny_below_prefixes(run, write, hello, mode):
    pytest.importorskip("shiny")
    write("front.py", hello("front"))
    write("things.py", SHINY)
    write("boards/stock.py", EXPRESS)
    write("boards/sales.py", EXPRESS)
    mounts = {
        "/core": "things:app",
        "/stock": "boards/stock.py",
        "/in/stock": "boards/stock.py",
        "/s": "boards/sales.py",
    }
    write("multiserve.toml", "\n".join(['[mounts]\n"/" = "front"', *(f'"{k}" = "{v}"' for k, v in mounts.items())]))
    server = run(*mode).ready()
    for prefix in mounts:
        assert server.get(prefix).location.endswith(f"{prefix}/")  # the paths in its pages are relative
        script = re.search('src="(lib/shiny-[^"]*)"', server.get(f"{prefix}/").text)[1]
        assert server.get(f"{prefix}/{script}").status == 200
        shown = {"n:shiny.number": 21, ".clientdata_output_said_hidden": False}
        with connect(f"ws://{server.address}{prefix}/websocket/") as websocket:
            websocket.send(json.dumps({"method": "init", "data": shown}))
            while "twice is" not in (message := websocket.recv(30)):
                pass
        assert json.loads(message)["values"] == {"said": "twice is 42"}


NICEGUI = """
from nicegui import app, ui
@ui.page("/")
def home():
    ui.label("Hello from NiceGUI")
if __name__ in {"__main__", "__mp_main__"}:
    ui.run()
"""


def test_the_application_of_nicegui_below_two_prefixes(serve):
    pytest.importorskip("nicegui")
    server = serve(NICEGUI, ("/tool", "app"), ("/inner/tool", "app"))
    for prefix in ("/tool", "/inner/tool"):
        page = server.get(f"{prefix}/").text
        assert "Hello from NiceGUI" in page
        script = re.search(f'src="({prefix}/_nicegui/[^"]*)"', page)[1]
        assert server.get(script).status == 200
        url = f"ws://{server.address}{prefix}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
        with connect(url) as websocket:
            assert websocket.recv(30).startswith('0{"sid":')


def test_a_second_application_of_nicegui_is_refused(run, write):
    pytest.importorskip("nicegui")
    write("one.py", NICEGUI)
    write("two.py", "from nicegui import app, ui\n")
    write("three.py", "from nicegui import ui\nui.label('x')\n")
    write("multiserve.toml", '[mounts]\n"/" = "one:app"\n"/two" = "two:app"\n"/three" = "three"\n')
    server = run().ready()
    assert server.get("/two").status == 503
    assert (
        'mounts."/two": NiceGUI has one application in a process, which is mounted as "one:app" already\n'
        '    Import the pages of "two:app" there, or serve them by a multiserve of their own.'
    ) in server.log
    assert 'Write "from nicegui import app, ui": app is the application of NiceGUI.' in server.log


MARIMO = """
import marimo
app = marimo.App()
@app.cell
def _():
    import marimo as mo
    mo.md("Hello from marimo")
    return
if __name__ == "__main__":
    app.run()
"""


def test_a_notebook_of_marimo_below_two_prefixes(serve):
    pytest.importorskip("marimo")
    server = serve(MARIMO, ("/book", "app"), ("/inner/book", "app"))
    for prefix in ("/book", "/inner/book"):
        assert server.get(prefix).location.endswith(f"{prefix}/")
        script = re.search('src="[.](/assets/[^"]*)"', server.get(f"{prefix}/").text)[1]
        assert server.get(f"{prefix}{script}").status == 200
        with connect(f"ws://{server.address}{prefix}/ws?session_id=s_{len(prefix):06}") as websocket:
            while "Hello from marimo" not in websocket.recv(60):
                pass


PANEL = """
import panel as pn
pn.extension()
number = pn.widgets.IntSlider(name="n", value=3)
pn.Column("# Hello from Panel", number).servable()
"""


@pytest.mark.parametrize("mode", MODES)
def test_a_script_of_panel_below_two_prefixes(run, write, hello, mode):
    pytest.importorskip("bokeh_fastapi")
    write("front.py", hello("front"))
    write("boards/sales.py", PANEL)
    write("multiserve.toml", '[mounts]\n"/" = "front"\n"/sales" = "boards/sales.py"\n"/in/sales" = "boards/sales.py"\n')
    server = run(*mode).ready()
    for prefix in ("/sales", "/in/sales"):
        assert server.get(prefix).location == "./sales/"
        page = server.get(f"{prefix}/").text
        script = re.search('src="(static/js/bokeh[.]min[.]js[^"]*)"', page)[1]
        assert server.get(f"{prefix}/{script}").status == 200
        token = re.search('"token":"([^"]*)"', page)[1]
        with connect(f"ws://{server.address}{prefix}/ws", subprotocols=["bokeh", token]) as websocket:
            assert json.loads(websocket.recv(30))["msgtype"] == "ACK"

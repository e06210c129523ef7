"""Whole folders, and the whole files that they come to."""
# ruff: noqa: E501 (files as they are written)

from __future__ import annotations

import pytest

from multiserve.cli.init import to_draft
from multiserve.config.file import load_config
from multiserve.discovery.proposals import find_proposals
from multiserve.drafts import to_toml

HEADER = """# Written by "multiserve init". What each key means, and which more there are:
# multiserve.toml.example, and docs/file.md, of multiserve.

"""
FOOTER = """
# What you may change next:
# - a mount with options: "/api" = { app = "api:app", required = true }
# - a host instead of a prefix: "api.example.com" = "api:app"
# - the address, and how many processes there are in production (multiserve run --production):
#
# [server]
# port = 8000
#
# [gunicorn]
# workers = 4
"""
FLASK = "from flask import Flask\napp = Flask(__name__)\n"
FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
FACTORY = "from fastapi import FastAPI\ndef {}:\n    made = FastAPI()\n    return made\n"
DJANGO = "from django.core.wsgi import get_wsgi_application\n\napplication = get_wsgi_application()\n"
DJANGO_ASGI = "from django.core.asgi import get_asgi_application\n\napplication = get_asgi_application()\n"
DJANGO_COMMENT = (
    '# Static files in production: "manage.py collectstatic", and a mount of the STATIC_ROOT at the STATIC_URL.\n'
)

TOO_MANY = """\
# - Dash, stock.py:{0}
#     Below a prefix Dash has to be told it: make it in a function, and mount "stock:make_{1}(prefix)":
#     def make_{1}(prefix):
#         app = Dash(__name__, requests_pathname_prefix=f"{{prefix}}/", routes_pathname_prefix="/")
#         app.layout = ...
#         return app.server
"""
FOLDERS = [
    pytest.param({"app.py": FLASK}, '[mounts]\n# Flask, app.py:2\n"/" = "app:app"\n', id="Flask"),
    pytest.param(
        {
            "storefront.py": FLASK,
            "backoffice.py": "import flask\n\ndef create_app(stage='x'):\n    return flask.Flask('x')\n",
        },
        "[mounts]\n"
        '# Flask, storefront.py:2\n"/"           = "storefront:app"\n'
        '# Flask, backoffice.py:3\n"/backoffice" = "backoffice:create_app()"\n',
        id="a Flask factory",
    ),
    pytest.param(
        {
            "shop/__init__.py": "from flask import Flask\n\ndef create_app():\n    app = Flask(__name__)\n    return app\n",
            "wsgi.py": "from shop import create_app\n\napplication = create_app()\n",
        },
        '[mounts]\n# Flask, wsgi.py:3\n"/" = "wsgi:application"\n',
        id="a factory that a module calls",
    ),
    pytest.param(
        {
            "app.py": "from flask import Flask\n\ndef create_app(config):\n    return Flask(config)\n",
            "main.py": FASTAPI,
        },
        '[mounts]\n# FastAPI, main.py:2\n"/" = "main:app"\n\n# Not mounted:\n# - Flask, app.py:3: create_app\n'
        '#     It needs arguments: write "app:create_app(config)" with literals for config.\n',
        id="a factory that needs arguments",
    ),
    pytest.param(
        {
            "manage.py": "",
            "mysite/__init__.py": "",
            "mysite/wsgi.py": DJANGO,
            "mysite/asgi.py": DJANGO_ASGI,
        },
        f'[mounts]\n# Django, mysite/wsgi.py:3\n{DJANGO_COMMENT}"/" = "mysite.wsgi"\n',
        id="Django",
    ),
    pytest.param(
        {"web/manage.py": "", "web/mysite/__init__.py": "", "web/mysite/wsgi.py": DJANGO, "api/main.py": FASTAPI},
        'pythonpath = ["web"]\n\n[mounts]\n'
        f'# Django, web/mysite/wsgi.py:3\n{DJANGO_COMMENT}"/"    = "mysite.wsgi"\n'
        '# FastAPI, api/main.py:2\n"/api" = "api.main:app"\n',
        id="Django in a folder of its own",
    ),
    pytest.param(
        {"manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"},
        f'[mounts]\n# Django, manage.py:2\n{DJANGO_COMMENT}"/" = "django.core.wsgi:get_wsgi_application()"\n\n'
        '[env]\nDJANGO_SETTINGS_MODULE = "shop.settings"\n',
        id="Django with manage.py alone",
    ),
    pytest.param(
        {"one/wsgi.py": DJANGO, "two/wsgi.py": DJANGO},
        f'[mounts]\n# Django, one/wsgi.py:3\n{DJANGO_COMMENT}"/" = "one.wsgi"\n\n# Not mounted:\n# - Django, two/wsgi.py:3\n'
        "#     A process has one Django project: serve this one with a multiserve of its own.\n",
        id="two Django projects",
    ),
    pytest.param(
        {"src/shop/__init__.py": "", "src/shop/main.py": FASTAPI},
        'pythonpath = ["src"]\n\n[mounts]\n# FastAPI, src/shop/main.py:2\n"/" = "shop.main:app"\n',
        id="FastAPI in src",
    ),
    pytest.param(
        {"backend/main.py": "from models import Item\n" + FASTAPI, "backend/models.py": "Item = 1\n"},
        'pythonpath = ["backend"]\n\n[mounts]\n# FastAPI, backend/main.py:3\n"/" = "main:app"\n',
        id="FastAPI that imports what is beside it",
    ),
    pytest.param(
        {
            "main.py": "from fastapi import FastAPI\napp = FastAPI()\nadmin = FastAPI()\napp.mount('/admin', admin)\n",
            "run.py": "from main import app\nif __name__ == '__main__':\n    from fastapi import FastAPI\n    other = FastAPI()\n",
        },
        '[mounts]\n# FastAPI, main.py:2\n"/" = "main:app"\n',
        id="FastAPI that mounts another",
    ),
    pytest.param(
        {"web.py": "from starlette.applications import Starlette\nsite = Starlette()\n"},
        '[mounts]\n# Starlette, web.py:2\n"/" = "web:site"\n',
        id="Starlette",
    ),
    pytest.param(
        {"service.py": "import litestar\n\ndef make_app() -> litestar.Litestar:\n    return build()\n"},
        '[mounts]\n# Litestar, service.py:3\n"/" = "service:make_app()"\n',
        id="Litestar",
    ),
    pytest.param(
        {
            "myproject/__init__.py": "from pyramid.config import Configurator\n\n"
            "def main(global_config, **settings):\n"
            "    with Configurator(settings=settings) as config:\n        return config.make_wsgi_app()\n",
        },
        "[mounts]\n# Pyramid, myproject/__init__.py:3\n"
        "# The settings of its .ini file can be named arguments, or: multiserve import production.ini\n"
        '"/" = "myproject:main({})"\n',
        id="Pyramid",
    ),
    pytest.param(
        {"sales.py": "from dash import Dash\napp = Dash(__name__)\n"},
        '[mounts]\n# Dash, sales.py:2\n"/" = "sales:app"\n',
        id="Dash",
    ),
    pytest.param(
        {
            "site_main.py": FLASK,
            "sales.py": "from dash import Dash\n\ndef make(prefix):\n    app = Dash(__name__)\n    return app.server\n",
            "stock.py": "import dash\napp = dash.Dash(__name__)\n",
            "two.py": "import dash\none = dash.Dash(__name__)\nmake_other = lambda: dash.Dash(__name__)\n",
        },
        '[mounts]\n# Flask, site_main.py:2\n"/"      = "site_main:app"\n'
        '# Dash, sales.py:3\n"/sales" = "sales:make(prefix)"\n# Dash, stock.py:2\n"/stock" = "stock:app"\n\n'
        "# Not mounted:\n# - Dash, two.py:2\n"
        '#     Below a prefix Dash has to be told it: make it in a function, and mount "two:make_one(prefix)":\n'
        "#     def make_one(prefix):\n"
        '#         app = Dash(__name__, requests_pathname_prefix=f"{prefix}/", routes_pathname_prefix="/")\n'
        "#         app.layout = ...\n#         return app.server\n",
        id="Dash below a prefix",
    ),
    pytest.param(
        {"site_main.py": FLASK, "stock.py": "import dash\napp = dash.Dash(__name__)\nother = dash.Dash('other')\n"},
        '[mounts]\n# Flask, site_main.py:2\n"/" = "site_main:app"\n\n# Not mounted:\n'
        + "".join(TOO_MANY.format(line, name) for line, name in ((2, "app"), (3, "other"))),
        id="two of Dash in a module",
    ),
    pytest.param(
        {
            "app.py": FLASK,
            "board.py": "import streamlit as st\nst.title('x')\n",
            "late.py": "import streamlit as st\nst.title('y')\n",
            "demo.py": "import gradio as gr\nwith gr.Blocks() as demo:\n    gr.Markdown('x')\n",
        },
        '[mounts]\n# Flask, app.py:2\n"/"      = "app:app"\n# Streamlit, board.py\n"/board" = "board.py"\n'
        '# Gradio, demo.py:2\n"/demo"  = "demo:demo"\n\n# Not mounted:\n# - Streamlit, late.py\n'
        "#     A process can run one script of Streamlit. Make it a page of the other one, in a folder called\n#     pages.\n",
        id="Streamlit and Gradio",
    ),
    pytest.param(
        {
            "app.py": FLASK,
            "book.py": "import marimo\napp = marimo.App()\n",
            "core.py": "from shiny import App, ui\napp = App(ui.page_fluid(), None)\n",
            "express.py": "from shiny.express import ui\nui.h1('x')\n",
            "panels.py": "import panel as pn\npn.Row('x').servable()\n",
            "tool.py": "from nicegui import app, ui\nui.run()\n",
            "tool2.py": "from nicegui import ui\nui.run()\n",
        },
        '[mounts]\n# Flask, app.py:2\n"/"        = "app:app"\n# marimo, book.py:2\n"/book"    = "book:app"\n'
        '# Shiny, core.py:2\n"/core"    = "core:app"\n# Shiny Express, express.py\n"/express" = "express.py"\n'
        '# Panel, panels.py\n"/panels"  = "panels.py"\n# NiceGUI, tool.py:1\n"/tool"    = "tool:app"\n\n'
        "# Not mounted:\n# - NiceGUI, tool2.py\n"
        "#     NiceGUI has one application in a process: import these pages in the other file.\n",
        id="Shiny, marimo, Panel and NiceGUI",
    ),
    pytest.param(
        {"tool.py": "from nicegui import ui\nui.run()\n", "app.py": FLASK},
        '[mounts]\n# Flask, app.py:2\n"/" = "app:app"\n\n# Not mounted:\n# - NiceGUI, tool.py\n'
        '#     Write "from nicegui import app, ui" in it: app is the application of NiceGUI, and can be\n#     mounted.\n',
        id="NiceGUI without its application",
    ),
    pytest.param(
        {"main.py": "from fastapi import FastAPI\nfrom nicegui import ui\napp = FastAPI()\nui.run_with(app)\n"},
        '[mounts]\n# FastAPI, main.py:3\n"/" = "main:app"\n',
        id="NiceGUI in an application of FastAPI",
    ),
    pytest.param(
        {"app.py": FLASK, "tools.py": "from mcp.server.fastmcp import FastMCP\nmcp = FastMCP('tools')\n"},
        '[mounts]\n# Flask, app.py:2\n"/"      = "app:app"\n# MCP, tools.py:2\n# Clients connect to /mcp below it.\n'
        '"/tools" = "tools:mcp.streamable_http_app()"\n',
        id="MCP",
    ),
    pytest.param(
        {"main.py": FASTAPI, "static/style.css": "", "site/index.html": ""},
        '[mounts]\n# static files, site/\n"/"       = { static = "site" }\n'
        '# static files, static/\n"/static" = { static = "static" }\n'
        '# FastAPI, main.py:2\n"/api"    = "main:app"\n',
        id="static folders",
    ),
    pytest.param(
        {"app.py": FLASK, "static/style.css": ""},
        '[mounts]\n# Flask, app.py:2\n"/" = "app:app"\n',
        id="a static folder that Flask serves",
    ),
    pytest.param(
        {
            "api.py": FASTAPI,
            "frontend/vite.config.ts": "export default { server: { proxy: { '/api': 'http://localhost:8000' } } }",
            "frontend/dist/index.html": "",
        },
        "[mounts]\n# Vite, frontend/dist/\n"
        '"/"    = { static = "frontend/dist", fallback = "index.html", immutable = ["assets/*"] }\n'
        '# FastAPI, api.py:2\n"/api" = "api:app"\n\n# Not mounted:\n# - Vite, frontend/vite.config.ts\n'
        '#     While you work on it, mount its own server, in a file for development (pip install "multiserve[proxy]"):\n'
        '#     "/" = { proxy = "http://localhost:5173" }\n'
        "#     Its server.proxy is not needed then.\n",
        id="Vite",
    ),
    pytest.param(
        {
            "api.py": FASTAPI,
            "ui/vite.config.js": "export default { base: '/ui/', build: { outDir: 'out' } }",
            "ui/package.json": '{"proxy": "http://localhost:5000"}',
        },
        '[mounts]\n# FastAPI, api.py:2\n"/" = "api:app"\n\n# Not mounted:\n# - Vite, ui/out/\n'
        "#     Not built yet. Build it (npm run build), and write under [mounts]:\n"
        '#     "/ui" = { static = "ui/out", fallback = "index.html" }\n'
        "# - Vite, ui/vite.config.js\n"
        '#     While you work on it, mount its own server, in a file for development (pip install "multiserve[proxy]"):\n'
        '#     "/ui" = { proxy = "http://localhost:5173" }\n'
        '# - "proxy": "http://localhost:5000" in ui/package.json\n'
        "#     It is for development alone. Served by multiserve, the front end and http://localhost:5000 are\n"
        "#     on one origin: give the paths that it asks for a mount.\n",
        id="Vite that is not built, and a proxy",
    ),
    pytest.param(
        {
            "app.py": "def app(environ, start_response): ...\n",
            "chat.py": "async def application(scope, receive, send): ...\n",
        },
        '[mounts]\n# WSGI, app.py:1\n"/"     = "app:app"\n# ASGI, chat.py:1\n"/chat" = "chat:application"\n',
        id="plain applications",
    ),
    pytest.param(
        {
            "main.py": FLASK,
            "run_both.py": "from werkzeug.middleware.dispatcher import DispatcherMiddleware\nx = DispatcherMiddleware(1, {})\n",
            "Procfile": "web: gunicorn main:app\n",
        },
        '[mounts]\n# Flask, main.py:2\n"/" = "main:app"\n\n# Not mounted:\n# - run_both.py\n'
        '#     It composes applications, too: see what "multiserve import run_both.py" prints.\n# - Procfile\n'
        '#     It composes applications, too: see what "multiserve import Procfile" prints.\n',
        id="what another tool composes",
    ),
    pytest.param(
        {
            "app.py": FLASK,
            "tests/app.py": FLASK,
            "test_app.py": FLASK,
            ".hidden/app.py": FLASK,
            "node_modules/x/app.py": FLASK,
            "environment/pyvenv.cfg": "",
            "environment/lib/app.py": FLASK,
            "wrong.py": "def",
        },
        '[mounts]\n# Flask, app.py:2\n"/" = "app:app"\n',
        id="what is skipped",
    ),
]


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(("files", "text"), FOLDERS)
def test_what_a_folder_comes_to(tmp_path, files, text):
    write(tmp_path, files)
    written = to_toml(to_draft(find_proposals(tmp_path)))
    assert written == HEADER + text + FOOTER
    (tmp_path / "multiserve.toml").write_text(written)
    assert load_config(tmp_path / "multiserve.toml").mounts


@pytest.mark.parametrize(
    ("files", "certain"),
    [
        pytest.param({"app.py": FLASK}, {"/": True}, id="one"),
        pytest.param({"storefront.py": FLASK, "admin.py": FLASK}, {"/": True, "/admin": True}, id="names that tell"),
        pytest.param({"blue.py": FLASK, "red.py": FLASK}, {"/": False, "/red": False}, id="which one is the site"),
        pytest.param({"site.py": FLASK, "main.py": FASTAPI}, {"/": True, "/api": False}, id="no name"),
        pytest.param({"api.py": FACTORY.format("create_api()")}, {"/": True}, id="a factory"),
        pytest.param({"api.py": FACTORY.format("catalog()")}, {"/": False}, id="a factory of an unusual name"),
        pytest.param(
            {"api.py": FACTORY.format("catalog()"), "site.py": FLASK}, {"/": True, "/catalog": False}, id="with another"
        ),
        pytest.param(
            {"api.py": FACTORY.format("catalog(size=1) -> FastAPI")}, {"/": False}, id="one with an annotation"
        ),
        pytest.param({"api.py": FACTORY.format("catalog(size)")}, {}, id="one that needs arguments"),
        pytest.param(
            {"api.py": f"{FACTORY.format('catalog()')}\napp = catalog()\n"}, {"/": True}, id="one that is called"
        ),
        pytest.param(
            {"api.py": f"{FASTAPI}\ndef current() -> FastAPI:\n    return app\n"}, {"/": True}, id="not its own"
        ),
        pytest.param({"api.py": FACTORY.format("catalog()").replace("def", "@fixture\ndef")}, {}, id="a fixture"),
        pytest.param({"app.py": FASTAPI, "public/x": ""}, {"/": True, "/public": False}, id="a folder"),
    ],
)
def test_what_is_asked(tmp_path, files, certain):
    write(tmp_path, files)
    assert {each.key: each.is_certain for each in find_proposals(tmp_path).mounts} == certain


def test_two_modules_of_one_name(tmp_path):
    main = "import helpers\n" + FASTAPI
    write(tmp_path, {"one/main.py": main, "one/helpers.py": "", "two/main.py": main, "two/helpers.py": ""})
    found = find_proposals(tmp_path)
    assert [each.found.what for each in found.mounts] == ["main:app"]
    assert [(each.what, each.reason) for each in found.remarks] == [
        (
            "FastAPI, two/main.py:3",
            "Its module has the name of the one in one/main.py:3: a process has one of each name. Rename it.",
        )
    ]


def test_nothing_is_there(tmp_path):
    assert find_proposals(tmp_path).mounts == []

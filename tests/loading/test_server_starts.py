"""A server that starts while an application is loaded is a problem of its mount, and everything else may serve."""

from __future__ import annotations

import contextlib
import http.client
import importlib.util
import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from socketserver import BaseServer

import pytest
import uvicorn

from multiserve._types import Loaded
from multiserve.config.targets import parse_target
from multiserve.errors import LoadError
from multiserve.loading.applications import load
from multiserve.loading.server_starts import BLOCKING, refused_server_starts

WSGI = "def app(environ, start_response): ...\n"
ASGI = "async def app(scope, receive, send): ...\n"
FLASK = "from flask import Flask\napp = Flask(__name__)\n"
RUN_FROM_CLI = "import os\nos.environ['FLASK_RUN_FROM_CLI'] = 'true'\n"
WERKZEUG = f"from werkzeug.serving import make_server, run_simple\n{WSGI}"
UVICORN = f"import asyncio, uvicorn\n{ASGI}server = uvicorn.Server(uvicorn.Config(app))\n"
WAITRESS = f"import waitress\nfrom waitress import serve\n{WSGI}"
WSGIREF = (
    f"from wsgiref.simple_server import make_server\n{WSGI}server = make_server('127.0.0.1', 0, app)\n"
    "server.server_close()\n"
)
HYPERCORN = f"import asyncio\nfrom hypercorn.asyncio import serve\nfrom hypercorn.config import Config\n{ASGI}"
GUNICORN = (
    f"from gunicorn.app.base import BaseApplication\n{WSGI}class Server(BaseApplication):\n"
    "    def load_config(self): ...\n    def load(self): return app\n"
)
ASYNCIO = """
import asyncio
async def app(scope, receive, send): ...
async def main():
    async with await asyncio.start_server(app, "127.0.0.1", 0) as server:
        await server.serve_forever()
"""

# The library, a module whose line with "# here" starts a server, and what it calls.
CASES = [
    pytest.param("flask", f"{FLASK}app.run()  # here", "app.run()", id="Flask"),
    pytest.param("flask", f"{FLASK}app.run(debug=True, port=0)  # here", "app.run()", id="Flask, with a reloader"),
    pytest.param("flask", f"{FLASK}{RUN_FROM_CLI}app.run()  # here", "app.run()", id="Flask, by its command"),
    pytest.param("flask", f"{FLASK}def main():\n    app.run()\nmain()  # here", "main()", id="in a function"),
    pytest.param("flask", f"{FLASK}app.run(  # here\n    port=0,\n)", "app.run()", id="over several lines"),
    pytest.param("flask", f"{FLASK}[app][0].run()  # here", "Flask.run()", id="not by a name"),
    pytest.param("flask", f"{FLASK}try:\n    app.run()  # here\nexcept Exception: pass", "app.run()", id="caught"),
    pytest.param("werkzeug", f"{WERKZEUG}run_simple('', 0, app)  # here", "run_simple()", id="werkzeug"),
    pytest.param(
        "werkzeug",
        f"{WERKZEUG}server = make_server('127.0.0.1', 0, app)\nserver.server_close()\nserver.serve_forever()  # here",
        "server.serve_forever()",
        id="a server of werkzeug",
    ),
    pytest.param("uvicorn", f"{UVICORN}uvicorn.run(app, port=0)  # here", "uvicorn.run()", id="uvicorn"),
    pytest.param(
        "uvicorn", f"{UVICORN}uvicorn.run('x:app', port=0, reload=True)  # here", "uvicorn.run()", id="with a reloader"
    ),
    pytest.param(
        "uvicorn", f"{UVICORN}uvicorn.run('x:app', port=0, workers=2)  # here", "uvicorn.run()", id="with workers"
    ),
    pytest.param("uvicorn", f"{UVICORN}from uvicorn import run as go\ngo(app)  # here", "go()", id="by another name"),
    pytest.param("uvicorn", f"{UVICORN}server.run()  # here", "server.run()", id="a server of uvicorn"),
    pytest.param("uvicorn", f"{UVICORN}asyncio.run(server.serve())  # here", "asyncio.run()", id="uvicorn in a loop"),
    pytest.param("waitress", f"{WAITRESS}waitress.serve(app, port=0)  # here", "waitress.serve()", id="waitress"),
    pytest.param("waitress", f"{WAITRESS}serve(app, port=0)  # here", "serve()", id="waitress, by name"),
    pytest.param("wsgiref", f"{WSGIREF}server.serve_forever()  # here", "server.serve_forever()", id="wsgiref"),
    pytest.param("bottle", "import bottle\napp = bottle.Bottle()\napp.run(port=0)  # here", "app.run()", id="Bottle"),
    pytest.param("bottle", "import bottle\napp = bottle.app()\nbottle.run()  # here", "bottle.run()", id="bottle.run"),
    pytest.param("hypercorn", f"{HYPERCORN}asyncio.run(serve(app, Config()))  # here", "asyncio.run()", id="hypercorn"),
    pytest.param("paste", f"from paste.httpserver import serve\n{WSGI}serve(app)  # here", "serve()", id="Paste"),
    pytest.param("gunicorn", f"{GUNICORN}Server().run()  # here", "BaseApplication.run()", id="gunicorn"),
    pytest.param("asyncio", f"{ASYNCIO}asyncio.run(main())  # here", "asyncio.run()", id="a server of asyncio"),
]
NUMBERS = itertools.count()


@pytest.fixture
def write_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Write a module, and return its name."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "")

    def write(source: str) -> str:
        name = f"starting_{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
        return name

    return write


def load_guarded(text: str, folder: Path) -> Loaded:
    with refused_server_starts():
        return load(parse_target(text), prefix="", key="here", folder=folder)


def line_of_start(source: str) -> int:
    return next(number for number, line in enumerate(source.splitlines(), 1) if "# here" in line)


@pytest.mark.parametrize(("library", "source", "what"), CASES)
def test_a_server_that_an_import_starts(
    write_module: Callable[[str], str], tmp_path: Path, library: str, source: str, what: str
) -> None:
    pytest.importorskip(library)
    name = write_module(source)
    with pytest.raises(LoadError) as refused:
        load_guarded(f"{name}:app", tmp_path)
    (problem,) = refused.value.problems
    line = line_of_start(source)
    assert problem.key == "here"
    assert problem.message == f"{tmp_path}/{name}.py, line {line}, starts a server ({what}) while it is imported"
    assert problem.hint == 'Put it under if __name__ == "__main__":, which is skipped on import.'


def test_a_server_that_a_factory_starts(write_module: Callable[[str], str], tmp_path: Path) -> None:
    name = write_module("from flask import Flask\ndef create_app():\n    Flask(__name__).run()  # here")
    with pytest.raises(LoadError) as refused:
        load_guarded(f"{name}:create_app()", tmp_path)
    (problem,) = refused.value.problems
    what = "starts a server (Flask.run()) while the application is made"
    assert problem.message == f"{tmp_path}/{name}.py, line 3, {what}"
    assert problem.hint == "Leave that call out: multiserve serves the application."


SERVES_IN_A_THREAD = """
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

class Metrics(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_): ...

server = HTTPServer(("127.0.0.1", 0), Metrics)  # listens in the thread that imports
thread = threading.Thread(target=server.serve_forever)
thread.start()
def app(environ, start_response): ...
"""


def test_a_server_in_another_thread_serves(write_module: Callable[[str], str], tmp_path: Path) -> None:
    name = write_module(SERVES_IN_A_THREAD)
    load_guarded(f"{name}:app", tmp_path)
    module = sys.modules[name]
    try:
        with contextlib.closing(http.client.HTTPConnection(*module.server.server_address, timeout=30)) as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 204
    finally:
        module.server.shutdown()
        module.server.server_close()
        module.thread.join()


def test_everything_is_put_back_after_loading(write_module: Callable[[str], str], tmp_path: Path) -> None:
    main = sys.modules[uvicorn.run.__module__]
    before = dict(vars(BaseServer)), uvicorn.run, main.run
    name = write_module(f"from waitress import serve\n{WSGI}")
    load_guarded(f"{name}:app", tmp_path)
    assert (dict(vars(BaseServer)), uvicorn.run, main.run) == before


def test_a_function_that_a_module_has_taken_by_name_serves_after_loading(
    write_module: Callable[[str], str], tmp_path: Path
) -> None:
    pytest.importorskip("waitress")
    name = write_module(f"from waitress import serve\n{WSGI}")
    load_guarded(f"{name}:app", tmp_path)
    served = []

    class Server:
        effective_listen: tuple[()] = ()

        def __init__(self, application: object, **_: object) -> None:
            served.append(application)

        def run(self) -> None:
            served.append("has run")

    module = sys.modules[name]
    module.serve(module.app, _server=Server, _quiet=True)
    assert served == [module.app, "has run"]


LOOK = """
import importlib, sys
from multiserve.loading.server_starts import BLOCKING, _places
for name in sys.argv[1:]:
    try:
        places = list(_places(importlib.import_module(name)))
    except ImportError:  # it needs another package
        continue
    print(name, all(callable(vars(owner).get(function)) for owner, function in places), len(places))
"""


def is_there(name: str) -> bool:
    """Return whether a package is installed, without importing it: eventlet warns of every later fork."""
    return importlib.util.find_spec(name.partition(".")[0]) is not None


def test_the_installed_releases_have_these_functions() -> None:
    names = [name for name in BLOCKING if is_there(name)]
    command = [sys.executable, "-W", "ignore", "-c", LOOK, *names]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "flask.app True 1" in found
    assert set(found) <= {f"{name} True {len(BLOCKING[name])}" for name in names}

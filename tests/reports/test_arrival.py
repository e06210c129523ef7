"""What is said about where requests end in apps/inside, asked of real frameworks."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.frameworks import Facts
from multiserve.loading.mounts import LoadedMount
from multiserve.reports.arrival import arrival_as_json, arrival_as_text
from multiserve.routes.arrival import Arrival, follow
from multiserve.routes.explain import explain

pytest.importorskip("flask")
pytest.importorskip("starlette.applications")
FILE = Path(__file__).parents[1] / "apps" / "inside" / "multiserve.toml"
FOLDER = FILE.parent
FLASK, STARLETTE = f"Flask {version('flask')}", f"Starlette {version('starlette')}"

MISSING = 'there is no module "no_such_module"'
INSTALL = "Install the package that has it, or add the folder that has it to pythonpath."
TOLD = [
    pytest.param(
        "/admin/users/", "POST", {
            "SCRIPT_NAME": '"/admin"', "PATH_INFO": '"/users/"', "framework": FLASK,
            "route": "/admin/users/  (users)", "methods": "GET, POST",
            "view": "staff_inside:create_app.<locals>.users", "defined": "staff_inside.py:10",
        }, id="a view, over WSGI",
    ),
    pytest.param(
        "ws://localhost/api/talk/", "", {
            "root_path": '"/api"', "path": '"/api/talk/"', "framework": STARLETTE, "route": "/api/talk/  (talk)",
            "methods": "WEBSOCKET", "view": "api_inside:talk", "defined": "api_inside.py:11",
        }, id="a view, over ASGI",
    ),
    pytest.param(
        "/wrapped/users", "", {
            "SCRIPT_NAME": '"/wrapped"', "PATH_INFO": '"/users"', "through": "staff_inside:Middleware",
            "framework": FLASK, "route": "/wrapped/users/  (users)", "methods": "GET, POST",
            "view": "staff_inside:create_app.<locals>.users", "defined": "staff_inside.py:10",
            "answer": "308 to /wrapped/users/",
        }, id="a redirect of the application, behind middleware",
    ),
    pytest.param(
        "/api/items/5", "DELETE", {
            "root_path": '"/api"', "path": '"/api/items/5"', "framework": STARLETTE,
            "route": "/api/items/{number}  (item)", "methods": "GET, PUT", "view": "api_inside:item",
            "defined": "api_inside.py:7", "answer": "405: it takes GET or PUT, not DELETE",
        }, id="a method",
    ),
    pytest.param(
        "/admin/login", "", {
            "SCRIPT_NAME": '"/admin"', "PATH_INFO": '"/login"', "framework": FLASK,
            "answer": "404: there is nothing of this name inside",
        }, id="nothing there",
    ),
    pytest.param(
        "http://other.example/admin", "", {
            "SCRIPT_NAME": '"/admin"', "PATH_INFO": '""', "framework": FLASK,
            "answer": "400: the application does not take this host",
        }, id="a host",
    ),
    pytest.param(
        "/bare", "", {
            "SCRIPT_NAME": '"/bare"', "PATH_INFO": '""', "through": "bare_inside:wrap",
            "answer": "multiserve cannot see inside this application",
        }, id="no framework",
    ),
    pytest.param(
        "/u/me", "", {
            "{user}": '"me"', "SCRIPT_NAME": '"/u/me"', "PATH_INFO": '""', "root_path": '"/u/me"', "path": '"/u/me"',
            "answer": "the factory makes an application for each tenant, so nothing inside can be known;",
            "": "if it returns None, the runner-up answers",
        }, id="tenants",
    ),
    pytest.param(
        "/wrapped/x", "", {
            "through": "staff_inside:Middleware", "framework": FLASK,
            "SCRIPT_NAME": '"/wrapped"', "PATH_INFO": '"/x"',
            "answer": "404: there is nothing of this name inside, unless middleware answers first",
        }, id="nothing there, behind middleware",
    ),
    pytest.param("/old/x", "", {"answer": "307 to /new/x"}, id="a redirect"),
    pytest.param(
        "/files/style.css", "", {"answer": "200 with text/css; charset=utf-8", "file": "files/style.css"}, id="a file"
    ),
    pytest.param("/files/x.css", "", {"answer": "404: there is nothing of this name inside"}, id="no file"),
    pytest.param("ws://localhost/files/", "", {"answer": "no WebSocket is accepted here"}, id="no WebSocket"),
]  # fmt: skip


@pytest.fixture
def tell(clean_process):
    """Explain a URL, with what is inside, in a style."""
    config = load_config(FILE)

    def tell(style, url, method=""):
        result = explain(config, url, method)
        arrival = follow(compose(config), result)
        return style(result, arrival, *([config.folder] if style is arrival_as_text else []))

    return tell


@pytest.mark.parametrize(("url", "method", "told"), TOLD)
def test_it_is_told_where_a_request_ends(tell, url, method, told):
    first, because, *rows, runner_up = tell(arrival_as_text, url, method).splitlines()
    assert [line.split(" ")[0] for line in (first, because, runner_up)] == ["mount", "because", "runner-up"]
    column = first.index(first.split()[1])
    assert {line[:column].rstrip(): line[column:] for line in rows} == told


def test_a_whole_explanation_reads_like_this(tell):
    assert tell(arrival_as_text, "/gone/x") == (
        "mount      /gone  (no_such_module:app)\n"
        'because    "/gone" is the longest prefix that matches\n'
        "answer     503: the mount cannot be loaded\n"
        f"           {MISSING}\n"
        f"           {INSTALL}\n"
        "runner-up  /  (site_inside:app)"
    )


@pytest.mark.parametrize(
    ("facts", "outcome", "text"),
    [
        pytest.param(
            Facts(application=None, framework="Django", version="6"), "unknown",
            "what Django makes of it cannot be told", id="an answer that is not certain",
        ),
        pytest.param(None, "view", "a view, but which one cannot be told", id="a view that is not known"),
        pytest.param(None, "method not allowed", "405: it takes another method, not GET", id="methods not known"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_told(write_config, facts, outcome, text):
    config = load_config(write_config('[mounts]\n"/" = "a:b"'))
    loaded = LoadedMount(mount=config.mounts[0], application=object(), origin=object(), interface="wsgi")
    arrival = Arrival(loaded=loaded, outcome=outcome, facts=facts, status=405)
    told = arrival_as_text(explain(config, "/"), arrival, config.folder)
    assert told.splitlines()[-2:] == [f"answer       {text}", "runner-up    none: 404"]


def test_where_a_request_ends_are_values_for_json(tell):
    result = tell(arrival_as_json, "/admin/users", "GET")
    assert result.pop("mount")["mount"] == "/admin"
    assert result.pop("runner_up")["mount"] == "/"
    assert json.loads(json.dumps(result)) == {
        "url": "/admin/users",
        "method": "GET",
        "reason": '"/admin" is the longest prefix that matches',
        "values": {},
        "script_name": "/admin",
        "path_info": "/users",
        "root_path": None,
        "path": None,
        "location": None,
        "upstream": None,
        "inside": {
            "outcome": "redirect",
            "ok": True,
            "problems": [],
            "framework": "Flask",
            "version": version("flask"),
            "through": [],
            "status": 308,
            "location": "/admin/users/",
            "methods": [],
            "file": None,
            "content_type": None,
            "route": {
                "url": "/admin/users/",
                "methods": ["GET", "POST"],
                "name": "users",
                "view": "staff_inside:create_app.<locals>.users",
                "file": str(FOLDER / "staff_inside.py"),
                "line": 10,
            },
        },
    }


def test_the_reason_is_told_where_routes_cannot_be_imported():
    config = load_config(FILE)
    loaded = LoadedMount(
        mount=next(mount for mount in config.mounts if str(mount.key) == "/bare"),
        application=object(),
        origin=object(),
        interface="wsgi",
    )
    facts = Facts(application=None, framework="Django", version="5.2", routes_error="E (urls.py, line 1)")
    told = arrival_as_text(explain(config, "/bare/x"), Arrival(loaded=loaded, outcome="unknown", facts=facts), FOLDER)
    assert "its URL configuration cannot be imported: E (urls.py, line 1)" in told

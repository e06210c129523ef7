"""Where requests to the composition in apps/inside end, asked of real frameworks."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.routes.arrival import follow
from multiserve.routes.explain import explain

pytest.importorskip("flask")
pytest.importorskip("starlette.applications")
FILE = Path(__file__).parents[1] / "apps" / "inside" / "multiserve.toml"
FOLDER = FILE.parent


@pytest.fixture
def arrive(clean_process):
    """Ask where a request ends, in this composition or in one with a text of its own."""

    def arrive(url, method="", file=FILE):
        config = load_config(file)
        return follow(compose(config), explain(config, url, method))

    return arrive


VIEWS = [
    pytest.param("/", "", "/", "home", id="the root"),
    pytest.param("/admin/users/", "post", "/admin/users/", "users", id="a method in small letters"),
    pytest.param("/wrapped/users/", "", "/wrapped/users/", "users", id="middleware around"),
    pytest.param("/api/items/5", "HEAD", "/api/items/{number}", "item", id="ASGI"),
    pytest.param("/api/items/caf%C3%A9%20x", "", "/api/items/{number}", "item", id="percent-escapes"),
    pytest.param("ws://localhost/api/talk/", "", "/api/talk/", "talk", id="a WebSocket"),
    pytest.param("/api/talk/", "WEBSOCKET", "/api/talk/", "talk", id="a WebSocket by its method"),
    pytest.param("wss://localhost/api/talk/", "WEBSOCKET", "/api/talk/", "talk", id="a WebSocket by both"),
    pytest.param("http://inner.example.com/api/inner", "", "inner.example.com/api/inner", "inner", id="a host inside"),
    pytest.param(
        "http://api.example.com:81/items/5", "", "api.example.com:81/items/{number}", "item", id="the host of a mount"
    ),
    pytest.param(
        "http://x.example.com/caf%C3%A9/u/me",
        "",
        "*.example.com/café/u/me",
        "me",
        id="a wildcard and a prefix in UTF-8",
    ),
]


@pytest.mark.parametrize(("url", "method", "outer", "name"), VIEWS)
def test_a_request_comes_to_a_view(arrive, url, method, outer, name):
    arrival = arrive(url, method)
    assert (arrival.outcome, arrival.status, arrival.url, arrival.route.name) == ("view", 0, outer, name)


REFUSED = [
    pytest.param("/admin/users", "", "redirect", 308, "/admin/users/", (), id="a slash is missing"),
    pytest.param(
        "https://staff.example.com/admin/users", "", "redirect", 308, "/admin/users/", (), id="a slash, with a host"
    ),
    pytest.param("/admin/users?a=1&b", "", "redirect", 308, "/admin/users/?a=1&b", (), id="a slash, with a query"),
    pytest.param("/api/items/5/", "", "redirect", 307, "/api/items/5", (), id="a slash is too many"),
    pytest.param("/old/x", "", "redirect", 307, "/new/x", (), id="a mount that redirects"),
    pytest.param(
        "http://x.example.com/caf%C3%A9", "", "redirect", 308, "./caf%C3%A9/", (), id="a mount that adds a slash"
    ),
    pytest.param(
        "http://x.example.com/caf%C3%A9", "POST", "not found", 404, "", (),
        id="a mount that adds a slash to reading alone",
    ),
    pytest.param("/admin/users/", "PUT", "method not allowed", 405, "", ("GET", "POST"), id="a method, WSGI"),
    pytest.param("/api/items/5", "DELETE", "method not allowed", 405, "", ("GET", "PUT"), id="a method, ASGI"),
    pytest.param("/admin/login", "", "not found", 404, "", (), id="nothing there, WSGI"),
    pytest.param("/api/talk/", "", "not found", 404, "", (), id="nothing there but a WebSocket"),
    pytest.param("http://other.example/admin/users/", "", "host refused", 400, "", (), id="a host that is not taken"),
    pytest.param("/bare/x", "", "unknown", 0, "", (), id="no framework"),
    pytest.param("/u/me", "", "tenants", 0, "", (), id="tenants, whose factory is not called"),
    pytest.param("/gone/x", "", "failed", 503, "", (), id="a mount that cannot be loaded"),
    pytest.param("/", "WEBSOCKET", "websocket refused", 0, "", (), id="a WebSocket to WSGI"),
    pytest.param("ws://localhost/files/", "", "websocket refused", 0, "", (), id="a WebSocket to a folder"),
    pytest.param("ws://localhost/old", "", "websocket refused", 0, "", (), id="a WebSocket to a redirect"),
    pytest.param("/files", "", "redirect", 308, "./files/", (), id="a folder without its slash"),
    pytest.param("/files/docs?a=1", "", "redirect", 308, "./docs/?a=1", (), id="a folder in a folder"),
    pytest.param("/files/x.css", "", "not found", 404, "", (), id="no file"),
    pytest.param("/files/", "PUT", "method not allowed", 405, "", ("GET", "HEAD"), id="files can only be read"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "method", "outcome", "status", "location", "methods"), REFUSED)
def test_a_request_ends_before_any_view(arrive, url, method, outcome, status, location, methods):
    arrival = arrive(url, method)
    assert (arrival.outcome, arrival.status, arrival.location) == (outcome, status, location)
    assert arrival.methods == methods


SERVED = [case for case in REFUSED if case.values[3] and not case.values[0].startswith("/api")]


@pytest.mark.parametrize(("url", "method", "outcome", "status", "location", "methods"), SERVED)
@pytest.mark.usefixtures("clean_process")
def test_the_server_answers_what_is_told(url, method, outcome, status, location, methods):
    test = pytest.importorskip("werkzeug.test")
    client = test.Client(compose(load_config(FILE), interface="wsgi").application)
    parts = urlsplit(url)
    origin = f"{parts.scheme or 'http'}://{parts.netloc or 'staff.example.com'}"
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    response = client.open(target, base_url=origin, method=method or "GET")
    assert (response.status_code, response.headers.get("Location", "").removeprefix(origin)) == (status, location)


FILES = [
    pytest.param("/files/style.css", "", "style.css", "text/css; charset=utf-8", id="a file"),
    pytest.param("/files/style.css", "HEAD", "style.css", "text/css; charset=utf-8", id="HEAD"),
    pytest.param("/files/docs/", "", "docs/index.html", "text/html; charset=utf-8", id="the index of a folder"),
    pytest.param("/files/page", "", "index.html", "text/html; charset=utf-8", id="the fallback for a page"),
]


@pytest.mark.parametrize(("url", "method", "file", "content_type"), FILES)
def test_a_request_comes_to_a_file(arrive, url, method, file, content_type):
    arrival = arrive(url, method)
    assert (arrival.outcome, arrival.status, arrival.content_type) == ("file", 200, content_type)
    assert arrival.file == str(FOLDER / "files" / file)


ONE_FILE = """
[mounts]
"/robots.txt" = { file = "robots.txt" }
"/" = "bare_inside:app"
[gunicorn]
"""


@pytest.mark.parametrize(
    ("url", "method", "outcome", "status", "file"),
    [
        pytest.param("/robots.txt", "", "file", 200, "robots.txt", id="the file"),
        pytest.param("/robots.txt/x", "", "not found", 404, "", id="below it"),
        pytest.param("/robots.txt", "POST", "method not allowed", 405, "", id="it can only be read"),
    ],
)
def test_a_file_at_one_url_is_told(arrive, write_config, url, method, outcome, status, file):
    path = write_config(ONE_FILE)
    path.with_name("robots.txt").touch()
    arrival = arrive(url, method, path)
    assert (arrival.outcome, arrival.status) == (outcome, status)
    assert arrival.file == (str(path.with_name(file)) if file else "")


@pytest.mark.parametrize(
    ("worker", "outcome"), [("", "websocket refused"), ('worker_class = "gthread"', "unknown")], ids=["ours", "another"]
)
def test_a_web_socket_to_wsgi_is_refused_by_our_worker(arrive, write_config, worker, outcome):
    path = write_config(ONE_FILE + worker)
    path.with_name("robots.txt").touch()
    path.with_name("bare_inside.py").write_text("def app(environ, start_response): ...")
    assert arrive("ws://localhost/", "", path).outcome == outcome


THROUGH = [
    pytest.param("/", (), id="none"),
    pytest.param("/bare/", ("bare_inside:wrap",), id="of the mount"),
    pytest.param("/wrapped/", ("staff_inside:Middleware",), id="of the application"),
]


@pytest.mark.parametrize(("url", "through"), THROUGH)
def test_the_middleware_in_front_is_told(arrive, url, through):
    assert arrive(url).through == through


SOCK = '[mounts]\n"/" = "sock_inside:app"\n[gunicorn]\nworker_class = "gthread"'


@pytest.mark.usefixtures("clean_process")
def test_a_websocket_to_wsgi_applications_alone_is_theirs(arrive, tmp_path, write_config):
    """Such as Flask-Sock has them, under a worker that gives it the connection."""
    (tmp_path / "sock_inside.py").write_text(
        "from flask import Flask\napp = Flask(__name__)\n"
        "app.add_url_rule('/talk', 'talk', lambda: '', websocket=True)\n"
    )
    arrival = arrive("ws://localhost/talk", file=write_config(SOCK))
    assert (arrival.outcome, arrival.route.name) == ("view", "talk")


@pytest.mark.usefixtures("clean_process")
def test_a_host_that_no_question_names_is_one_that_the_application_takes(arrive, tmp_path, write_config):
    (tmp_path / "shy_inside.py").write_text(
        "from flask import Flask\napp = Flask(__name__)\napp.config['TRUSTED_HOSTS'] = ['.example.com']\n"
        "app.add_url_rule('/x/', 'x', lambda: '')\n"
    )
    file = write_config('[mounts]\n"/" = "shy_inside:app"')
    assert (arrive("/x", file=file).status, arrive("/x", file=file).location) == (308, "/x/")
    assert arrive("http://localhost/x", file=file).status == 400


@pytest.mark.parametrize(
    ("url", "outcome", "status", "location"),
    [
        pytest.param("/reports/", "list", 200, "", id="the list"),
        pytest.param("/reports", "redirect", 308, "./reports/", id="without a slash"),
        pytest.param("/reports/nope", "not found", 404, "", id="below"),
    ],
)
def test_the_list_of_a_fleet_is_told(arrive, write_config, url, outcome, status, location):
    path = write_config('[mounts]\n"/reports" = { fleet = "reports" }')
    path.with_name("reports").mkdir()
    arrival = arrive(url, file=path)
    assert (arrival.outcome, arrival.status, arrival.location) == (outcome, status, location)


@pytest.mark.parametrize("method", ["GET", "POST", "WEBSOCKET"])
def test_a_proxied_mount_hands_everything_on(arrive, write_config, method):
    pytest.importorskip("aiohttp")
    path = write_config('[mounts]\n"/app" = { proxy = "http://127.0.0.1:9" }')
    arrival = arrive("/app/x", method, file=path)
    assert (arrival.outcome, arrival.status) == ("proxied", 0)

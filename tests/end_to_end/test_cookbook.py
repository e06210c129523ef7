"""The recipes of docs/cookbook/ and the tutorial, served as they say."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

PRODUCTION = ("--production", "--workers", "1")
MODES = [pytest.param((), id="development"), pytest.param(PRODUCTION, id="production")]
COOKBOOK = Path(__file__).parents[2] / "docs" / "cookbook"
LINES = re.search(
    r"^```\n(\$ uvicorn .*?)^```", (COOKBOOK / "other-servers.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)[1]
SERVERS = [line.removeprefix("$ ") for line in LINES.splitlines()]
JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


@pytest.fixture
def prepare(read_document, tmp_path):
    """Write the files of a recipe, and run its commands but for those of multiserve."""
    return lambda name, until="": read_document(f"docs/{name}.md").prepare(tmp_path, until)


@pytest.fixture
def port():
    """Give a port that is free."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def post(server, path, value, **headers):
    return server.browser().request("POST", path, json.dumps(value).encode(), {**JSON, **headers})


def assert_styled(server, page, styles):
    """Assert that a page of Django's admin links its styles, and that they come."""
    response = server.get(page)
    assert response.status == 200
    assert styles in re.findall('href="([^"]*[.]css)"', response.text)
    found = server.get(styles)
    assert (found.status, found.headers.get_content_type()) == (200, "text/css")
    return found


def test_django_at_the_root(prepare, run):
    prepare("cookbook/django", "At the root")
    server = run().ready()
    assert_styled(server, "/admin/login/", "/static/admin/css/base.css")
    assert server.get("/site/").text == "The website"


def test_django_below_a_prefix(prepare, run):
    prepare("cookbook/django", "Below a prefix")
    server = run().ready()
    assert_styled(server, "/backoffice/admin/login/", "/backoffice/static/admin/css/base.css")
    assert server.get("/").text == "The website"


def test_django_in_production(prepare, run):
    prepare("cookbook/django")
    key = "a-long-random-text-that-nobody-knows-or-guesses-0123456789"
    server = run(*PRODUCTION, "-c", "production.toml", env={"SECRET_KEY": key}).ready()
    styles = assert_styled(server, "/backoffice/admin/login/", "/backoffice/static/admin/css/base.css")
    assert styles.headers["Cache-Control"] == "public, max-age=3600"


def test_two_django_projects(prepare, run, tmp_path):
    prepare("cookbook/django")
    (tmp_path / "other").mkdir()
    command = [sys.executable, "-m", "django", "startproject", "blog", "other"]
    subprocess.run(command, cwd=tmp_path, check=True)
    with (tmp_path / "other" / "blog" / "urls.py").open("a", encoding="utf-8") as urls:
        urls.write('urlpatterns = [path("office/", admin.site.urls)]\n')
    server = run(*PRODUCTION, "-c", "two.toml").ready()
    assert server.get("/backoffice/admin/").location == "/backoffice/admin/login/?next=/backoffice/admin/"
    assert server.get("/backoffice/office/").status == 404
    assert server.get("/blog/office/").location == "/blog/office/login/?next=/blog/office/"
    assert server.get("/blog/admin/").status == 404


@pytest.mark.parametrize("mode", MODES)
def test_fastapi_beside_django(prepare, run, mode):
    prepare("cookbook/fastapi-beside-django")
    server = run(*mode).ready()
    assert json.loads(server.get("/api/users").text) == {"count": 0}
    assert "'/api/openapi.json'" in server.get("/api/docs").text
    assert server.get("/admin/login/").status == 200


@pytest.mark.parametrize("mode", MODES)
def test_dash_below_a_prefix(prepare, run, mode):
    prepare("cookbook/dash", "Below a prefix")
    server = run(*mode).ready()
    assert 'src="/sales/"' in server.get("/").text
    scripts = re.findall('<script src="(/sales/[^"]*)"', server.get("/sales/").text)
    assert scripts
    assert server.get(scripts[0]).status == 200
    asked = {
        "output": "greeting.children",
        "outputs": {"id": "greeting", "property": "children"},
        "inputs": [{"id": "name", "property": "value", "value": "Ann"}],
        "changedPropIds": ["name.value"],
    }
    answer = json.loads(post(server, "/sales/_dash-update-component", asked).text)
    assert answer["response"] == {"greeting": {"children": "Hello, Ann!"}}


@pytest.mark.parametrize("mode", MODES)
def test_many_dashboards(prepare, run, mode):
    prepare("cookbook/dash")
    server = run(*mode).ready()
    page = server.get("/reports/", Accept="text/html").text
    for name in ("orders", "stock"):
        assert f'<a href="./{name}/">{name}</a>' in page
        scripts = re.findall(f'<script src="(/reports/{name}/[^"]*)"', server.get(f"/reports/{name}/").text)
        assert scripts
        assert server.get(scripts[0]).status == 200
        assert name.capitalize() in server.get(f"/reports/{name}/_dash-layout").text


@pytest.mark.parametrize("mode", MODES)
def test_streamlit(prepare, run, mode):
    pytest.importorskip("streamlit.starlette")
    prepare("cookbook/streamlit")
    server = run(*mode).ready()
    script = re.search('src="[.](/static/js/[^"]*)"', server.get("/sales/").text)[1]
    assert server.get(f"/sales{script}").status == 200
    assert server.get("/sales/_stcore/health").text == "ok"
    assert "/sales/" in server.get("/").text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("package", "prefix", "text"),
    [
        ("shiny", "/stock", "Boxes"),
        ("marimo", "/book", "marimo"),
        ("nicegui", "/tool", "Hello from NiceGUI"),
        ("bokeh_fastapi", "/sales", "static/js/bokeh.min.js"),
    ],
    ids=["Shiny", "marimo", "NiceGUI", "Panel"],
)
def test_data_apps(read_document, run, tmp_path, mode, package, prefix, text):
    pytest.importorskip(package)  # each is large: they are tried one at a time
    for name, content in read_document("docs/cookbook/data-apps.md").steps():
        if not name.startswith("$"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(content, "utf-8")
    server = run(*mode, "--only", prefix)
    server.until(lambda: re.search(r"http://(127\.0\.0\.1:[1-9]\d*)/", server.log), "the announcement")
    server.address = re.search(r"http://(127\.0\.0\.1:[1-9]\d*)/", server.log)[1]
    server.until(lambda: text in server.get(f"{prefix}/").text, "the page")


@pytest.mark.parametrize("mode", MODES)
def test_gradio(prepare, run, mode):
    prepare("cookbook/gradio")
    server = run(*mode).ready()
    assert f'"root":"{server.origin}/demo"' in server.get("/demo/").text
    event = json.loads(post(server, "/demo/gradio_api/call/greet", {"data": ["Ann"]}).text)["event_id"]
    assert 'data: ["Hello, Ann!"]' in server.get(f"/demo/gradio_api/call/greet/{event}").text


@pytest.mark.parametrize("mode", MODES)
def test_mcp(prepare, run, mode):
    pytest.importorskip("mcp")
    prepare("cookbook/mcp")
    server = run(*mode).ready()
    who = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    started = post(server, "/tools/mcp", {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": who})
    session = {"Mcp-Session-Id": started.headers["Mcp-Session-Id"], "MCP-Protocol-Version": "2025-06-18"}
    post(server, "/tools/mcp", {"jsonrpc": "2.0", "method": "notifications/initialized"}, **session)
    call = {"name": "stock", "arguments": {"item": "pencil"}}
    answer = post(server, "/tools/mcp", {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}, **session)
    result = json.loads(re.search("^data: ({.*)$", answer.text, re.MULTILINE)[1])
    assert result["result"]["content"][0]["text"] == "3"


@pytest.mark.parametrize("mode", MODES)
def test_a_single_page_application(prepare, run, mode):
    prepare("cookbook/vite")
    server = run(*mode).ready()
    page = server.get("/customers/17", Accept="text/html")
    assert (page.status, page.text) == (200, server.get("/").text)
    script = re.search('src="([^"]*)"', page.text)[1]
    found = server.get(script)
    assert (found.status, "immutable" in found.headers["Cache-Control"]) == (200, True)
    assert server.get("/assets/gone.js", Accept="*/*").status == 404
    assert json.loads(server.get("/api/hello").text) == {"message": "Hello from the API"}
    assert server.get("/api/gone", Accept="text/html").status == 404


def test_the_development_of_a_single_page_application(prepare, run, write):
    """With another server in the place of Vite, which test_vite.py has."""
    pytest.importorskip("aiohttp")
    prepare("cookbook/vite")
    vite_toml = write("vite.toml", '[mounts]\n"/" = { static = "dist", fallback = "index.html" }\n')
    vite = run("-c", "vite.toml", "--no-reload").ready()
    recipe = (vite_toml.parent / "development.toml").read_text("utf-8")
    write("development.toml", recipe.replace("http://localhost:5173", vite.origin))
    server = run("-c", "development.toml", "--no-reload").ready()
    assert server.get("/customers/17", Accept="text/html").text == vite.get("/").text
    assert json.loads(server.get("/api/hello").text) == {"message": "Hello from the API"}


@pytest.mark.parametrize("mode", MODES)
def test_tenants(prepare, run, port, mode):
    prepare("cookbook/tenants")
    server = wait_for_port(run(*mode, "--port", str(port), port=False), port)
    answers = {name: server.get("/", Host=f"{name}.localhost:8000") for name in ("ann", "bob", "eve")}
    assert answers["ann"].text == "Welcome to Ann's pencils"
    assert answers["bob"].text == "Welcome to Bob's books"
    assert answers["eve"].status == 404


@pytest.mark.parametrize("mode", MODES)
def test_sign_in(prepare, run, mode):
    prepare("cookbook/sign-in")
    server = run(*mode, env={"STAFF_PASSWORD": "correct"}).ready()
    assert server.get("/").text == "Welcome"
    refused = server.get("/statistics/")
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, 'Basic realm="Statistics"')

    def sign_in(text):
        return server.get("/statistics/", Authorization=f"Basic {text}")

    assert sign_in(base64.b64encode(b"ann:correct").decode()).text == "Numbers for ann"
    assert sign_in(base64.b64encode(b"ann:only-for-development").decode()).status == 401
    assert sign_in("not base64").status == 401


def wait_for_port(server, port):
    server.address = f"127.0.0.1:{port}"
    server.until(lambda: server.connect().close() is None, f"port {port}")
    return server


def test_a_container(prepare, start, tmp_path, port):
    prepare("cookbook/container")
    name, *arguments = json.loads(re.search(r"^CMD (.*)$", (tmp_path / "Dockerfile").read_text(), re.MULTILINE)[1])
    assert name == "multiserve"
    server = start(*arguments, cwd=tmp_path, env={"PORT": str(port), "WEB_CONCURRENCY": "1"})
    wait_for_port(server, port)
    assert server.get("/", **{"X-Forwarded-Proto": "https"}).text == "Hello over https"
    server.signal("SIGTERM")
    assert server.wait() == 0


def test_tls(prepare, start, tmp_path, port):
    prepare("cookbook/tls")
    path = tmp_path / "multiserve.toml"
    path.write_text(path.read_text("utf-8").replace("8443", str(port)), "utf-8")
    (tmp_path / "tls").mkdir()
    command = re.search(r"^\$ (openssl .*)$", (COOKBOOK / "tls.md").read_text("utf-8"), re.MULTILINE)[1]
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")

    def make_certificate():
        subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)

    def get():
        context = ssl.create_default_context(cafile=tmp_path / "tls" / "cert.pem")
        with contextlib.closing(http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)) as client:
            client.request("GET", "/")
            return client.getresponse().read()

    make_certificate()
    server = wait_for_port(start("run", *PRODUCTION, cwd=tmp_path), port)
    assert get() == b"Hello over https"
    make_certificate()
    with pytest.raises(ssl.SSLCertVerificationError):
        get()
    server.signal("SIGHUP")
    assert server.until(get, "the renewed certificate") == b"Hello over https"


def test_a_service(prepare, start, tmp_path):
    prepare("cookbook/service")
    runtime = tmp_path / "r"
    runtime.mkdir()
    server = start("run", *PRODUCTION, cwd=tmp_path, env={"RUNTIME_DIRECTORY": str(runtime)})
    server.until((runtime / "multiserve.sock").exists, "the socket")
    head = "Host: inner\r\nX-Forwarded-Host: example.com\r\nX-Forwarded-Proto: https\r\nConnection: close"
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(runtime / "multiserve.sock"))
        client.sendall(f"GET / HTTP/1.1\r\n{head}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.endswith(b"Hello from example.com over https")


@pytest.mark.parametrize("line", SERVERS, ids=lambda line: line.split()[0])
def test_another_server(prepare, start, tmp_path, port, line):
    prepare("cookbook/other-servers")
    name, *arguments = line.replace("8000", str(port)).split()
    program = Path(sys.executable).with_name(name)
    if not program.exists():
        pytest.skip(f"{name} is not installed")
    server = start(*arguments, cwd=tmp_path, command=(str(program),))
    wait_for_port(server, port)
    assert server.until(lambda: server.get("/"), "an answer").text == "Hello"
    assert server.get("/admin/").text == "Hello"


def test_the_tutorial_on_the_command_line(prepare, run, read_document):
    prepare("tutorial", "Three applications")
    targets = ("website:app", "/api=api:create_api()", "/backoffice=office.wsgi")
    shown = read_document("docs/tutorial.md").text
    assert "$ multiserve run website:app '/api=api:create_api()' /backoffice=office.wsgi\n" in shown
    server = run(*targets).ready()
    table = re.search("^multiserve: 3 mounts from .*\n(?:  .*\n){3}", shown, re.MULTILINE)[0]
    assert table.replace("127.0.0.1:8000", server.address) in server.log
    assert_styled(server, "/backoffice/admin/login/", "/backoffice/static/admin/css/base.css")
    answer = json.loads(server.get("/api/stock/pencil").text)
    assert answer == {"item": "pencil", "count": 3, "url": f"{server.origin}/api/stock/pencil"}
    assert "<h1>The shop</h1>" in server.get("/").text


def test_the_tutorial_in_production(prepare, run, start, tmp_path):
    prepare("tutorial")
    server = run("--production").ready()
    assert json.loads(server.get("/api/stock/pencil").text)["count"] == 3

    def reload_with(text):
        path = tmp_path / "api.py"
        path.write_text(path.read_text("utf-8").replace('"pencil": 3', text), "utf-8")
        reloading = start("reload", cwd=tmp_path)
        return reloading.wait(), reloading.log

    assert reload_with('"pencil": 4')[0] == 0
    assert json.loads(server.get("/api/stock/pencil").text)["count"] == 4
    (tmp_path / "api.py").write_text("1 / 0\n", "utf-8")
    code, log = reload_with("")
    assert (code, "ZeroDivisionError" in log + server.log) == (3, True)
    assert json.loads(server.get("/api/stock/pencil").text)["count"] == 4

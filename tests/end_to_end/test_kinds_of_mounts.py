"""Tenants, static folders, redirects, slashes and middleware, on real frameworks under the servers of multiserve."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

pytestmark = pytest.mark.xdist_group("kinds")

KINDS = Path(__file__).parent / "kinds"
SERVERS = {
    "gthread": ("--production",),
    "asgi worker": ("--production",),
    "development, WSGI": ("--no-reload",),
    "development, ASGI": ("--no-reload",),
}
API = '[mounts]\n"/api/{name}" = { app = "shops:create_api", max_instances = 1 }\n'


@pytest.fixture(scope="module")
def servers(start_for_module, tmp_path_factory):
    """Start all servers at the same time; tenants that speak ASGI make a set ASGI."""
    started = {}
    for name, arguments in SERVERS.items():
        folder = tmp_path_factory.mktemp("kinds") / "site"
        shutil.copytree(KINDS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "web" / "big.bin").write_bytes(bytes(range(256)) * 8192)  # 2 MiB
        (folder / "web" / "out").symlink_to(folder)
        file = folder / "multiserve.toml"
        if name in ASGI:
            file.write_text(file.read_text("utf-8").replace("[mounts]\n", API), "utf-8")
        started[name] = start_for_module("run", "--port", "0", *arguments, cwd=folder)
    return {name: server.ready() for name, server in started.items()}


ASGI = ("asgi worker", "development, ASGI")


@pytest.fixture(params=SERVERS)
def server(request, servers):
    return servers[request.param]


@pytest.fixture(params=ASGI)
def asgi_server(request, servers):
    return servers[request.param]


@pytest.fixture(params=["gthread", "asgi worker"])
def production(request, servers):
    return servers[request.param]


@pytest.mark.parametrize(
    ("path", "host", "status", "text"),
    [
        pytest.param("/shops/ann/", "", 200, "ann is open, /shops/ann/items/1", id="a tenant of a path"),
        pytest.param("/shops/ann/items/2", "", 200, "item 2 of ann", id="its other page"),
        pytest.param("/shops/caf%C3%A9/", "", 200, "café is open, /shops/café/items/1", id="text beyond ASCII"),
        pytest.param("/", "bob.shops.test", 200, "bob is open, /items/1", id="a tenant of a host"),
        pytest.param("/", "BOB.shops.test:8000", 200, "bob is open, /items/1", id="the same host in capitals"),
        pytest.param("/", "nobody.shops.test", 200, "home for ", id="no such tenant, the next best mount"),
        pytest.param("/", "evilshops.test", 200, "home for ", id="no tenant"),
        pytest.param("/", "a.b.shops.test", 200, "home for ", id="two labels"),
        pytest.param("/static/app.0a1b2c3d.js", "", 200, "let a = 1;\n", id="a file"),
        pytest.param("/docs/", "", 200, "<h1>The front</h1>\n", id="an index file"),
        pytest.param("/docs/docs/", "", 200, "<h1>Docs</h1>\n", id="an index file below"),
        pytest.param("/static/.env", "", 404, "Not Found", id="a dot file"),
        pytest.param("/static/out/front.py", "", 404, "Not Found", id="a link that leads out"),
        pytest.param("/static/../front.py", "", 404, "Not Found", id="two dots"),
        pytest.param("/static/%2e%2e%2ffront.py", "", 404, "Not Found", id="two dots in disguise"),
        pytest.param("/static/a%00b", "", 404, "Not Found", id="NUL"),
        pytest.param("/shops/broken/", "", 500, "Internal Server Error", id="a broken tenant"),
    ],
)
def test_every_mount_answers(server, path, host, status, text):
    response = server.get(path, **({"Host": host} if host else {}))
    assert (response.status, response.text[: len(text)]) == (status, text)


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        pytest.param("/old/ann/items/1?a=b%20c", 308, "/shops/ann/items/1?a=b%20c", id="rest and query"),
        pytest.param("/old", 308, "/shops", id="the bare prefix"),
        pytest.param("/away//evil.test", 302, "https://example.com/there//evil.test", id="another host"),
        pytest.param("/slash?a=b", 308, "./slash/?a=b", id="the slash of an application"),
        pytest.param("/static", 308, "./static/", id="the slash of a folder"),
        pytest.param("/fleet?a=b", 308, "./fleet/?a=b", id="the slash of a fleet"),
        pytest.param("/docs/docs?a=b", 308, "./docs/?a=b", id="the slash of a folder below"),
    ],
)
def test_a_redirect_leads_there(server, path, status, location):
    response = server.get(path)
    assert (response.status, response.location) == (status, location)


def test_a_fleet_lists_its_applications_and_each_answers(server):
    assert server.get("/fleet/").text == "Applications in fleet\n\n    one\n"
    assert '<li><a href="./one/">one</a></li>' in server.get("/fleet/", Accept="text/html").text
    assert server.get("/fleet/one/x").text == "one of /fleet/one"
    assert server.get("/fleet/two").status == 404


def test_middleware_wraps_its_mount_alone_outermost_first(server):
    assert server.get("/").headers.get_all("X-Stamp") == ["inner", "outer"]
    assert server.get("/slash/").headers.get_all("X-Stamp") is None


def test_a_folder_serves_what_browsers_ask_for(server):
    whole = server.get("/static/big.bin")
    assert whole.body == bytes(range(256)) * 8192
    assert whole.headers["Cache-Control"] == "public, max-age=60"
    part = server.get("/static/big.bin", Range="bytes=1000-70999")
    assert (part.status, part.body) == (206, whole.body[1000:71000])
    again = server.get("/static/big.bin", **{"If-None-Match": whole.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    hashed = server.get("/static/app.0a1b2c3d.js")
    assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert hashed.headers["Content-Type"] == "text/javascript; charset=utf-8"
    head = server.browser().request("HEAD", "/static/big.bin")
    assert (head.body, head.headers["Content-Length"]) == (b"", str(len(whole.body)))
    assert server.browser().request("POST", "/static/big.bin").status == 405


def test_the_fallback_answers_navigations_and_nothing_else(server):
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    assert server.get("/docs/some/page", **html).text == "<h1>The front</h1>\n"
    assert server.get("/docs/some/page", Accept="application/json").status == 404
    assert server.get("/docs/app.ffffffff.js", **html).status == 404
    assert server.get("/static/some/page", **html).status == 404


def test_two_slow_tenants_are_made_side_by_side(server):
    with ThreadPoolExecutor(2) as pool:
        texts = list(pool.map(lambda name: server.get("/", Host=f"{name}.shops.test").text, ("left", "right")))
    assert texts == ["left is open, /items/1", "right is open, /items/1"]


def test_a_slow_tenant_holds_up_no_other_one(server):
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(server.get, "/", Host="slow.shops.test")
        assert server.get("/", Host="fast.shops.test").text == "fast is open, /items/1"
        assert slow.result().text == "slow is open, /items/1"


def test_evictions_under_load_lose_no_request(production):
    names = [f"load{number}" for number in range(6)]
    wrong: list[str] = []

    def ask(name: str) -> None:
        for _ in range(25):
            text = production.get(f"/shops/{name}/").text
            if text != f"{name} is open, /shops/{name}/items/1":
                wrong.append(text)

    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    production.until_logged("closed load", times=4)  # at most two of the six are left


def test_a_broken_tenant_is_logged_once(production):
    assert [production.get("/shops/broken/").status for _ in range(3)] == [500, 500, 500]
    assert production.log.count("Traceback") == 1
    assert "this shop is broken" in production.log


def test_a_tenant_that_speaks_asgi_has_its_lifespan_and_its_websockets(asgi_server):
    first = json.loads(asgi_server.get("/api/ann/").text)
    assert first == {"greeting": "hello from ann", "url": f"{asgi_server.origin}/api/ann/"}
    with connect(f"ws://{asgi_server.address}/api/ann/echo") as websocket:
        websocket.send("one")
        assert websocket.recv() == "hello from ann: one"
        assert json.loads(asgi_server.get("/api/bob/").text)["greeting"] == "hello from bob"
        websocket.send("two")
        assert websocket.recv() == "hello from ann: two"
        assert "stopped ann" not in asgi_server.log  # it is in use, though only one is kept
    asgi_server.until_logged("stopped bob")
    with pytest.raises(InvalidStatus):
        connect(f"ws://{asgi_server.address}/shops/ann/")


@pytest.mark.parametrize("name", ["asgi worker"])
def test_the_end_of_the_server_shuts_every_tenant_down(servers, name):
    server = servers[name]
    assert server.get("/api/last/").status == 200
    server.signal("SIGTERM")
    assert server.wait() == 0
    assert "stopped last" in server.log


def test_check_and_routes_show_every_kind(start, tmp_path):
    folder = tmp_path / "site"
    shutil.copytree(KINDS, folder)
    check = start("check", cwd=folder, command=(sys.executable, "-m", "multiserve"))
    assert check.wait() == 0
    rows = [line.split() for line in check.log.splitlines() if line.startswith("ok ")]
    assert [row[:2] + row[-1:] for row in rows] == [
        ["ok", "/", "WSGI"],
        ["ok", "/slash", "WSGI"],
        ["ok", "/shops/{name}", "tenants"],
        ["ok", "{name}.shops.test", "tenants"],
        ["ok", "/static", "static"],
        ["ok", "/docs", "static"],
        ["ok", "/fleet", "fleet"],
        ["ok", "/old", "redirect"],
        ["ok", "/away", "redirect"],
        ["ok", "/fleet/one", "WSGI"],
    ]

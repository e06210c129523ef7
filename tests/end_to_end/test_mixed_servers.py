"""One composition of FastAPI, Flask, Django and bare applications, and one table, under every server."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import socket
import sys
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

pytestmark = pytest.mark.xdist_group("mixed")

MIXED = Path(__file__).parent / "mixed"
LISTENING = re.compile(r"http://(127\.0\.0\.1:[1-9]\d*)")
SERVERS = ["production", "uvicorn worker", "uvicorn", "hypercorn", "granian", "development"]


def command_of(name: str, folder: Path) -> tuple[str, ...]:
    if name == "development":
        return ("multiserve", "run", "--no-reload", "--port", "0")
    if name in ("production", "uvicorn worker"):
        return ("multiserve", "run", "--production", "--port", "0")
    if name == "uvicorn":
        return ("uvicorn", "multiserve.asgi:application", "--port", "0")
    if name == "hypercorn":
        return ("hypercorn", "multiserve.asgi:application", "--bind", "127.0.0.1:0")
    with socket.create_server(("127.0.0.1", 0)) as free:  # granian does not say which port it has taken
        port = str(free.getsockname()[1])
    return ("granian", "--interface", "asgi", "--port", port, "multiserve.asgi:application")


@pytest.fixture(scope="module")
def servers(start_for_module, tmp_path_factory):
    """Start all servers at the same time."""
    started = {}
    for name in SERVERS:
        folder = tmp_path_factory.mktemp("mixed") / "site"
        shutil.copytree(MIXED, folder, ignore=shutil.ignore_patterns("__pycache__"))
        file = folder / "multiserve.toml"
        worker = '\nworker_class = "uvicorn_worker.UvicornWorker"' if name == "uvicorn worker" else ""
        file.write_text(f"{file.read_text('utf-8')}\n[gunicorn]\nworkers = 1{worker}\n", "utf-8")
        started[name] = start_for_module(
            *command_of(name, folder),
            cwd=folder,
            command=(sys.executable, "-m"),
            env={"MULTISERVE_CONFIG": str(file)},
        )
    for server in started.values():
        found = server.until(lambda server=server: LISTENING.search(server.log), "an address in the log")
        server.address = found[1]
    for server in started.values():
        server.until(lambda server=server: server.get("/"), "an answer")
    return started


@pytest.fixture(params=SERVERS)
def name(request):
    return request.param


@pytest.fixture
def server(servers, name):
    return servers[name]


def head(target, *headers, method="GET", version="HTTP/1.1"):
    host = () if any(line.lower().startswith("host:") for line in headers) else ("Host: shop.test",)
    lines = (f"{method} {target} {version}", *host, *headers, "Connection: close", "", "")
    return "\r\n".join(lines).encode("latin-1")


URLS = [
    pytest.param(
        "/api/items/3",
        {
            "state": "hello",
            "url_for": "http://shop.test/api/items/4",
            "url": "http://shop.test/api/items/3",
            "base_url": "http://shop.test/api/",
            "root_path": "/api",
            "path": "/api/items/3",
        },
        id="FastAPI",
    ),
    pytest.param(
        "/shop/items/3",
        {
            "url_for": "/shop/items/4",
            "external": "http://shop.test/shop/items/4",
            "script_root": "/shop",
            "path": "/items/3",
        },
        id="Flask",
    ),
    pytest.param(
        "/staff/team/items/3",
        {
            "url_for": "/staff/team/items/4",
            "external": "http://shop.test/staff/team/items/4",
            "path_info": "/items/3",
        },
        id="Django",
    ),
]


@pytest.mark.parametrize(("path", "expected"), URLS)
def test_generated_urls_carry_the_prefix(server, path, expected):
    response = server.ask(head(path))
    assert (response.status, json.loads(response.body)) == (200, expected)


def test_fastapi_knows_its_prefix_in_openapi_json(server):
    document = json.loads(server.ask(head("/api/openapi.json")).body)
    assert document["servers"] == [{"url": "/api"}]
    assert "/items/{number}" in document["paths"]
    assert "url: '/api/openapi.json'" in server.ask(head("/api/docs")).text


def seen(mount, script_name, path_info, query=""):
    return {"multiserve.mount": mount, "SCRIPT_NAME": script_name, "PATH_INFO": path_info, "QUERY_STRING": query}


def scope(root_path, path, raw_path, query=b""):
    return {"root_path": root_path, "path": path, "raw_path": raw_path, "query_string": query, "state": {}}


LIVE = "Host: live.example.com"

ECHOED = [
    pytest.param(head("/"), seen("/", "", "/"), id="root"),
    pytest.param(head("/apis/x?a=%2F&b"), seen("/", "", "/apis/x", "a=%2F&b"), id="longer segment, query as it is"),
    pytest.param(head("/x/%ff"), seen("/", "", "/x/\xff"), id="byte that is not UTF-8"),
    pytest.param(head("/x%2Fy/%252F"), seen("/", "", "/x/y/%2F"), id="escaped slash, decoded once"),
    pytest.param(head("/caf%C3%A9/x"), seen("/café", "/caf\xc3\xa9", "/x"), id="non-ASCII prefix"),
    pytest.param(head("/caf%C3%A9/%ff"), seen("/café", "/caf\xc3\xa9", "/\xff"), id="non-ASCII prefix, then no UTF-8"),
    pytest.param(head("//plain"), seen("/", "", "//plain"), id="two slashes in front"),
    pytest.param(head("/x", "X-A: 1", "X-A: 2"), {"HTTP_X_A": "1,2"}, id="a header twice"),
    pytest.param(head("/x", "Cookie: a=1", "Cookie: b=2"), {"HTTP_COOKIE": "a=1; b=2"}, id="two Cookie lines"),
    pytest.param(head("/x", "X-A: 1", "X_A: 2"), {"HTTP_X_A": "1"}, id="header with an underscore"),
    pytest.param(head("/x", "SCRIPT_NAME: /api", "PATH_INFO: /y"), seen("/", "", "/x"), id="SCRIPT_NAME header"),
    pytest.param(head("/x", "X-A: \xe9"), {"HTTP_X_A": "\xe9"}, id="header beyond ASCII"),
    pytest.param(head("/x", version="HTTP/1.0"), {"SERVER_PROTOCOL": "HTTP/1.0"}, id="HTTP/1.0"),
    pytest.param(head("/x"), {"wsgi.input_terminated": True, "wsgi.url_scheme": "http"}, id="wsgi keys"),
    pytest.param(head("/plain"), scope("/plain", "/plain", b"/plain"), id="ASGI mount without the slash"),
    pytest.param(head("/plain/x%2Fy?q"), scope("/plain", "/plain/x/y", b"/plain/x%2Fy", b"q"), id="ASGI: %2F"),
    pytest.param(head("/plain/caf%C3%A9"), scope("/plain", "/plain/café", b"/plain/caf%C3%A9"), id="ASGI: UTF-8"),
    pytest.param(head("/x", LIVE), scope("", "/x", b"/x"), id="host"),
    pytest.param(head("/x", "Host: LIVE.example.com.:80"), scope("", "/x", b"/x"), id="host in other letters"),
    pytest.param(head("/plain/x", LIVE), scope("", "/plain/x", b"/plain/x"), id="host before prefix"),
    pytest.param(head("http://shop.test/x?a"), seen("/", "", "/x", "a"), id="absolute-form"),
    pytest.param(
        head("http://shop.test/plain/x%2Fy?a"), scope("/plain", "/plain/x/y", b"/plain/x%2Fy", b"a"),
        id="absolute-form, ASGI",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "expected"), ECHOED)
def test_applications_are_told_what_the_client_sent(server, request_, expected):
    response = server.ask(request_)
    assert response.status == 200
    answer = ast.literal_eval(response.text)
    assert {key: answer.get(key) for key in expected} == expected


def test_the_host_of_an_absolute_form_counts_more_than_the_header(server, name):
    answer = ast.literal_eval(server.ask(head("http://live.example.com/x")).text)
    if name in ("uvicorn", "uvicorn worker", "granian"):  # they throw it away
        assert answer["multiserve.mount"] == "/"
    else:
        assert answer["path"] == "/x"


def test_a_host_has_mounts_of_its_own_and_shares_the_application(server):
    answer = json.loads(server.ask(head("/api/items/1", LIVE)).body)
    assert (answer["state"], answer["url_for"]) == ("hello", "http://live.example.com/api/items/2")


def test_what_no_mount_takes_and_what_is_broken(server):
    assert server.ask(head("/broken/x")).status == 503
    assert server.ask(head("/api/nothing")).status == 404
    assert server.ask(head("/shop/nothing")).status == 404


@pytest.mark.parametrize("path", ["/x", "/plain/x", "/shop/items/3", "/api/docs"])
def test_head_has_no_body(server, path):
    response = server.ask(head(path, method="HEAD"))
    assert (response.status, response.body) == (200, b"")
    assert server.raw(head(path, method="HEAD")).endswith(b"\r\n\r\n")


BODY = bytes(range(256)) * 8000  # 2 MB


def chunked(body, size=70_001):
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


UPLOADS = [
    pytest.param((f"Content-Length: {len(BODY)}",), BODY, id="Content-Length"),
    pytest.param(("Transfer-Encoding: chunked",), chunked(BODY), id="chunked"),
]


@pytest.mark.parametrize(("headers", "body"), UPLOADS)
def test_uploads_arrive_whole(server, headers, body):
    expected = {"size": len(BODY), "sha256": hashlib.sha256(BODY).hexdigest()}
    assert ast.literal_eval(server.ask(head("/upload", *headers, method="POST") + body).text) == expected
    assert json.loads(server.ask(head("/staff/team/upload", *headers, method="POST") + body).body) == {
        "size": len(BODY)
    }


def test_a_form_with_a_file_in_chunks(server):
    boundary = "x" * 20
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    )
    body = parts.encode() + BODY + f"\r\n--{boundary}--\r\n".encode()
    headers = (f"Content-Type: multipart/form-data; boundary={boundary}", "Transfer-Encoding: chunked")
    response = server.ask(head("/shop/form", *headers, method="POST") + chunked(body))
    assert json.loads(response.body) == {"name": "Ada", "file": "a.bin", "size": len(BODY)}


@pytest.mark.parametrize("prefix", ["/api", ""], ids=["ASGI", "WSGI"])
def test_a_response_streams(server, prefix):
    with server.connect() as connection:
        connection.sendall(head(f"{prefix}/stream"))
        data = b""
        while b"first\n" not in data:
            data += connection.recv(65536)
        assert b"second" not in data
        assert server.browser().request("POST", f"{prefix}/go").status == 200
        while b"second\n" not in data:
            part = connection.recv(65536)
            assert part, "the server has closed the connection"
            data += part


def test_a_stream_over_http_1_0_has_no_chunks(server, name):
    assert server.browser().request("POST", "/go").status == 200  # it need not wait
    head_, _, body = server.raw(head("/stream", version="HTTP/1.0")).partition(b"\r\n\r\n")
    if name.startswith("uvicorn"):  # it does not look at the version of the request
        assert b"transfer-encoding: chunked" in head_
    else:
        assert body == b"first\nsecond\n"


@pytest.mark.parametrize(
    ("path", "root_path"),
    [
        pytest.param("/api/ws/ada", "/api", id="below a prefix"),
        pytest.param("live.example.com/api/ws/ada", "/api", id="on a host"),
    ],
)
def test_a_websocket_below_a_prefix(server, path, root_path):
    uri = f"ws://{path}" if path[0] != "/" else f"ws://{server.address}{path}"
    with connect(uri, sock=server.connect(), proxy=None) as websocket:
        assert json.loads(websocket.recv(5)) == ["ada", "hello", root_path, "/api/ws/ada"]
        for message in ("one", "zwei ✓", "x" * 100_000):
            websocket.send(message)
            assert websocket.recv(5) == message


def test_an_application_closes_a_websocket_with_its_own_code(server):
    with connect(f"ws://{server.address}/plain/x", proxy=None) as websocket:
        assert websocket.recv(5) == "/plain"
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(5)
    assert closed.value.rcvd.code == 3000


REFUSED = [
    pytest.param("/shop/x", 404, id="a WSGI mount"),
    pytest.param("/x", 404, id="a WSGI mount at the root"),
    pytest.param("/broken/x", 503, id="a broken mount"),
    pytest.param("/api/nothing", 403, id="an application that does not know the path"),
]


@pytest.mark.parametrize(("path", "status"), REFUSED)
def test_a_websocket_that_nobody_takes_is_refused_before_it_is_accepted(server, path, status):
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://{server.address}{path}", proxy=None):
        pass
    expected = {status} if status != 403 else {403, 404}  # some tell by a status that nothing is there
    assert refused.value.response.status_code in expected


def test_every_lifespan_ran_once_and_no_server_complains(servers):
    for name, server in servers.items():
        assert server.log.count("api starts") == 1, name
        assert all("broken.py" in each for each in server.log.split("Traceback")[1:]), name

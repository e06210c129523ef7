"""Proxied mounts under the servers of multiserve, with servers of raw bytes behind them."""

from __future__ import annotations

import hashlib
import queue
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

pytest.importorskip("aiohttp")

pytestmark = pytest.mark.xdist_group("proxied")

MODES = {"development": ("--no-reload",), "production": ("--production", "--workers", "1")}
FILE = """\
[mounts]
"/" = "hello:application"
"/app" = { proxy = "http://127.0.0.1:@raw@" }
"/strip" = { proxy = "http://127.0.0.1:@raw@", strip = true }
"/live" = { proxy = "unix:live.sock", strip = true }
"/to/{port}" = { proxy = "http://127.0.0.1:{port}" }
"/slow" = { proxy = "http://127.0.0.1:@raw@", timeout = 1, max_concurrency = 1 }
"/gone" = { proxy = "http://127.0.0.1:@gone@" }
"""
LIVE = """\
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    assert scope["type"] == "websocket"
    await receive()
    if scope["path"] == "/refused":
        start = {"status": 418, "headers": [(b"x-why", b"tea")]}
        await send({"type": "websocket.http.response.start", **start})
        await send({"type": "websocket.http.response.body", "body": b"no coffee"})
        return
    await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "bye":
            await send({"type": "websocket.close", "code": 4001, "reason": "so long"})
            return
        await send({"type": "websocket.send", "text": f"{scope['path']}: {message['text']}"})
"""
MEGABYTE = 2**20
BLOCK = bytes(range(256)) * 256  # 64 KiB
BLOCKS = 1536  # 96 MiB


class Behind:
    """What answers behind the mounts."""

    def __init__(self) -> None:
        self.events: queue.Queue[bytes] = queue.Queue()
        self.left = threading.Event()
        self.server = None

    def answer(self, connection, head, data):
        path = head.split()[1].partition(b"?")[0]
        if path.endswith(b"/upload"):
            return self.digest(connection, head, data)
        if path.endswith(b"/download"):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(BLOCK) * BLOCKS))
            for _ in range(BLOCKS):
                connection.sendall(BLOCK)
            return data
        if path.endswith(b"/events"):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            while event := self.events.get(timeout=10):
                connection.sendall(event)
            return None
        if path.endswith(b"/silent"):
            if not connection.recv(1):
                self.left.set()
            return None
        if path.endswith(b"/half"):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
            return None
        body, rest = self.server.read_body(connection, head, data)
        told = head + b"\n\n" + body
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(told), told))
        return rest

    def digest(self, connection, head, data):
        length = int(re.search(rb"(?im)^content-length: (\d+)", head)[1])
        found, count = hashlib.sha256(data), len(data)
        while count < length:
            part = connection.recv(MEGABYTE)
            found.update(part)
            count += len(part)
        told = f"{count} {found.hexdigest()}".encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(told), told))
        return b""


@pytest.fixture(scope="module")
def behind(serve_raw):
    found = Behind()
    found.server = serve_raw(found.answer)
    return found


@pytest.fixture(scope="module")
def servers(start_for_module, tmp_path_factory, behind, serve_raw):
    """Start multiserve in both modes, with a server of WebSockets behind it."""
    gone = serve_raw(b"")
    gone.close()
    started = {}
    for name, arguments in MODES.items():
        folder = tmp_path_factory.mktemp("site")
        text = FILE.replace("@raw@", str(behind.server.port)).replace("@gone@", str(gone.port))
        (folder / "multiserve.toml").write_text(text, "utf-8")
        (folder / "hello.py").write_text(
            "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'hello']\n",
            "utf-8",
        )
        (folder / "live.py").write_text(LIVE, "utf-8")
        bind = "[mounts]\n'/' = 'live:app'\n[gunicorn]\nbind = 'unix:live.sock'\nworkers = 1\n"
        (folder / "behind.toml").write_text(bind, "utf-8")
        live = start_for_module("run", "--production", "-c", "behind.toml", cwd=folder)
        live.until((folder / "live.sock").exists, "the socket")
        started[name] = start_for_module("run", "--port", "0", *arguments, cwd=folder)
    return {name: server.ready() for name, server in started.items()}


@pytest.fixture(params=MODES)
def server(request, servers):
    return servers[request.param]


@pytest.fixture
def production(servers):
    return servers["production"]


AFTER = b"GET /app/after HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n"
NEXT = "GET /app/after"


def post(*fields: bytes, body: bytes = b"") -> bytes:
    lines = (b"POST /app/x HTTP/1.1", b"Host: shop.test", *fields)
    return b"\r\n".join((*lines, b"", body))


SMUGGLED = b"GET /app/evil HTTP/1.1\r\nHost: shop.test\r\n\r\n"


@pytest.mark.parametrize(
    ("request_", "statuses", "seen"),
    [
        pytest.param(post(b"Content-Length: 5", body=b"hello"), [200, 200], ["POST /app/x", NEXT], id="a length"),
        pytest.param(
            post(b"Transfer-Encoding: chunked", body=b"5;ext=1\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"),
            [200, 200],
            ["POST /app/x", NEXT],
            id="chunk extensions and trailers",
        ),
        pytest.param(
            post(b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
            [400],
            [],
            id="both",
        ),
        pytest.param(
            post(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=b"0\r\n\r\n" + SMUGGLED),
            [400],
            [],
            id="both, turned",
        ),
        pytest.param(post(b"Content-Length: 5", b"Content-Length: 0", body=b"hello"), [400], [], id="two lengths"),
        pytest.param(post(b"Content-Length: 5, 0", body=b"hello"), [400], [], id="two lengths in a line"),
        pytest.param(post(b"Content-Length: +5", body=b"hello"), [400], [], id="a sign"),
        pytest.param(post(b"Content-Length: 0x5", body=b"hello"), [400], [], id="a hexadecimal length"),
        pytest.param(post(b"Content-Length : 5", body=b"hello"), [400], [], id="a space before the colon"),
        pytest.param(post(b"Content Length: 5", body=SMUGGLED), [400], [], id="a space in a name"),
        pytest.param(post(b"X-A: 1", b" Content-Length: 5", body=b"hello"), [400], [], id="a folded line"),
        pytest.param(post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), [501], [], id="an unknown coding"),
        pytest.param(post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"), [400], [], id="two codings"),
        pytest.param(post(b"Transfer-Encoding:\x0bchunked", body=b"0\r\n\r\n"), [400], [], id="a vertical tab"),
        pytest.param(post(b"X-A: 1\nContent-Length: 5", body=b"hello"), [400], [], id="a bare LF"),
        pytest.param(post(b"X-A: 1\rContent-Length: 5", body=b"hello"), [400], [], id="a bare CR"),
        pytest.param(post(b"Host: evil.test", b"Content-Length: 0"), [400], [], id="two hosts"),
        pytest.param(post(b"Content_Length: 44", body=b""), [200, 200], ["POST /app/x", NEXT], id="an underscore"),
        pytest.param(
            post(b"Connection: content-length, transfer-encoding, host", b"Content-Length: 5", body=b"hello"),
            [200, 200],
            ["POST /app/x", NEXT],
            id="Connection names the framing",
        ),
        pytest.param(
            b"GET http://evil.test/app/x HTTP/1.1\r\nHost: shop.test\r\n\r\n",
            [200, 200],
            ["GET /app/x", NEXT],
            id="absolute form",
        ),
        pytest.param(
            b"GET http://127.0.0.1:1/app/x HTTP/1.1\r\nHost: a\r\n\r\n",
            [200, 200],
            ["GET /app/x", NEXT],
            id="another port",
        ),
        pytest.param(
            b"GET /app/%2f/%2e%2e/a//b/../c/./%61?x=%0d%0a HTTP/1.1\r\nHost: shop.test\r\n\r\n",
            [200, 200],
            ["GET /app/%2f/%2e%2e/a//b/../c/./%61?x=%0d%0a", NEXT],
            id="escapes and dots",
        ),
        pytest.param(b"GET //evil.test/app HTTP/1.1\r\nHost: shop.test\r\n\r\n", [200, 200], [NEXT], id="two slashes"),
        pytest.param(
            b"GET /app//evil.test/ HTTP/1.1\r\nHost: shop.test\r\n\r\n",
            [200, 200],
            ["GET /app//evil.test/", NEXT],
            id="more slashes",
        ),
        pytest.param(
            b"GET /app/x HTTP/1.1\r\nHost: shop.test\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
            b"Connection: Upgrade, HTTP2-Settings\r\n\r\n",
            [200, 200],
            ["GET /app/x", NEXT],
            id="another protocol",
        ),
        pytest.param(
            b"GET /app/x HTTP/1.1\r\nHost: a.test:80@evil.test\r\n\r\n", [400, 200], [NEXT], id="a host that is none"
        ),
    ],
)
def test_nothing_is_understood_in_two_ways(server, behind, read_responses, request_, statuses, seen):
    before = len(behind.server.heads)
    answers = read_responses(server.raw(request_ + AFTER), request_.partition(b" ")[0])
    assert answers == statuses
    heads = behind.server.heads[before:]
    assert [head.partition(b" HTTP/1.1\r\n")[0].decode() for head in heads] == seen
    for head in heads:
        names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:]]
        assert names.count(b"host") == 1
        assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1
        assert not {b"connection", b"upgrade", b"http2-settings", b"content_length", b"expect"}.intersection(names)


@pytest.fixture
def read_responses():
    """Read the statuses of all responses on a connection."""

    def read(data, _method):
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) [A-Z]", data) if status != b"100"]

    return read


def test_what_a_client_says_of_itself_is_not_handed_on(server):
    told = server.get(
        "/strip/x?a=b",
        **{
            "Host": "shop.test:8000",
            "X-Forwarded-For": "9.9.9.9",
            "X-Forwarded-Prefix": "/evil",
            "Forwarded": "for=9.9.9.9",
            "X-Secret": "1",
            "Connection": "close, x-secret",
            "X-A": "1",
        },
    )
    assert told.text.partition("\n\n")[0].split("\r\n") == [
        "GET /x?a=b HTTP/1.1",
        "Host: shop.test:8000",
        "accept-encoding: identity",
        "x-a: 1",
        "Via: 1.1 multiserve",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: shop.test:8000",
        "X-Forwarded-Port: 8000",
        "X-Forwarded-Prefix: /strip",
    ]


def test_who_expects_100_gets_it_from_multiserve(server):
    with server.connect() as connection:
        connection.sendall(post(b"Content-Length: 5", b"Expect: 100-continue", b"Connection: close"))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"hello")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\n\nhello")
    assert b"xpect" not in answer


def test_a_broken_off_response_is_broken_for_the_client(server):
    answer = server.raw(b"GET /app/half HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"half" in answer
    assert not answer.endswith(b"0\r\n\r\n")


def test_an_event_is_there_at_once(server, behind):
    with server.connect() as connection:
        connection.sendall(b"GET /app/events HTTP/1.1\r\nHost: a\r\n\r\n")
        data = b""
        for number in range(3):
            event = b"data: %d\n\n" % number
            behind.events.put(event)
            while event not in data:
                data += connection.recv(65536)
        behind.events.put(b"")
        while not data.endswith(b"0\r\n\r\n"):
            data += connection.recv(65536)


def test_a_client_that_leaves_is_told_to_the_server(server, behind):
    behind.left.clear()
    before = len(behind.server.heads)
    with server.connect() as connection:
        connection.sendall(b"GET /app/silent HTTP/1.1\r\nHost: a\r\n\r\n")
        server.until(lambda: len(behind.server.heads) > before, "the request")
    assert behind.left.wait(10)


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        pytest.param("/gone/x", 502, "Bad Gateway: the server behind /gone did not answer.\n", id="no server"),
        pytest.param(
            "/slow/silent", 504, "Gateway Timeout: the server behind /slow did not answer in time.\n", id="silence"
        ),
        pytest.param("/to/80%40evil.test/x", 200, "hello", id="a value that is no port"),
    ],
)
def test_who_does_not_answer_is_named(server, path, status, text):
    answer = server.get(path)
    assert (answer.status, answer.text[: len(text)]) == (status, text)


def test_in_development_the_server_is_named_and_the_page_waits(servers):
    page = servers["development"].get("/gone/", Accept="text/html").text
    assert re.search(r"http://127\.0\.0\.1:\d+ takes no connections: Connection refused\.", page)
    assert "This page loads again when it answers." in page
    assert "127.0.0.1" not in servers["production"].get("/gone/", Accept="text/html").text


def test_no_more_requests_than_allowed_are_handed_on(server):
    with ThreadPoolExecutor(3) as pool:
        statuses = sorted(pool.map(lambda _: server.get("/slow/silent").status, range(3)))
    assert statuses == [503, 503, 504]


def test_placeholders_lead_to_the_server_that_they_name(server, behind):
    told = server.get(f"/to/{behind.server.port}/x").text
    assert told.startswith(f"GET /to/{behind.server.port}/x HTTP/1.1\r\n")


def test_a_server_that_asks_itself_notices(server):
    port = server.address.rpartition(":")[2]
    answer = server.get(f"/to/{port}/x")
    assert (answer.status, answer.text) == (508, "Loop Detected: /to/{port} hands requests on to itself.\n")


def test_a_server_does_not_serve_a_proxy_to_its_own_port(run, write, port):
    write("multiserve.toml", f'[mounts]\n"/app" = {{ proxy = "http://localhost:{port}" }}\n')
    server = run("--no-reload", "--port", str(port), port=False)
    assert server.wait() == 3
    assert f"http://localhost:{port} is where this server listens itself: it would ask itself without end" in server.log


@pytest.fixture
def port():
    """Give a port that is free."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_websockets(server):
    origin = server.origin.replace("http", "ws")
    with connect(f"{origin}/live/room", subprotocols=["chat"]) as socket:
        assert socket.subprotocol == "chat"
        socket.send("hi")
        assert socket.recv() == "/room: hi"
        socket.send("bye")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv()
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "so long")
    with pytest.raises(InvalidStatus) as refused, connect(f"{origin}/live/refused"):
        pass
    response = refused.value.response
    assert (response.status_code, response.headers["X-Why"], bytes(response.body)) == (418, "tea", b"no coffee")
    with pytest.raises(InvalidStatus) as refused, connect(f"{origin}/gone/x"):
        pass
    assert refused.value.response.status_code == 502


def peak_of(server):
    """Return the highest memory of any process of a server, in bytes."""
    texts = [Path(f"/proc/{pid}/status").read_text("utf-8") for pid in server.members()]
    return max(int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) for text in texts) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the memory of a process")
def test_large_bodies_need_no_memory(production):
    before = peak_of(production)
    lazy = [production.connect() for _ in range(3)]  # they ask, but take nothing
    for connection in lazy:
        connection.sendall(b"GET /app/download HTTP/1.1\r\nHost: a\r\n\r\n")
    size = len(BLOCK) * BLOCKS
    with production.connect() as connection:
        connection.sendall(
            b"PUT /app/upload HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % size
        )
        for _ in range(BLOCKS):
            connection.sendall(BLOCK)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    digest = hashlib.sha256()
    for _ in range(BLOCKS):
        digest.update(BLOCK)
    assert answer.endswith(f"{size} {digest.hexdigest()}".encode())
    with production.connect() as connection:
        connection.sendall(b"GET /app/download HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        body = data.partition(b"\r\n\r\n")[2]
        found, count = hashlib.sha256(body), len(body)
        while part := connection.recv(MEGABYTE):
            found.update(part)
            count += len(part)
    assert (count, found.hexdigest()) == (size, digest.hexdigest())
    assert peak_of(production) - before < 24 * MEGABYTE
    for connection in lazy:
        connection.close()


def test_a_server_that_restarts_costs_nothing_but_502(production, serve_raw):
    """A thousand requests, while the server behind the mount goes and comes back."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    servers = [serve_raw(answer)]
    port = servers[0].port
    over = threading.Event()

    def ask(_):
        return production.get(f"/to/{port}/x").status

    def restart():
        while not over.wait(0.1):
            servers[-1].close()
            servers.append(serve_raw(answer, port=port))

    restarting = threading.Thread(target=restart)
    restarting.start()
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(ask, range(1000)))
    over.set()
    restarting.join(10)
    assert set(statuses) <= {200, 502, 504}
    assert statuses.count(200) > 500
    assert len(servers) > 3


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_required_server_that_is_not_there_refuses_the_start(run, write, serve_raw, mode):
    gone = serve_raw(b"")
    gone.close()
    write("multiserve.toml", f'[mounts]\n"/app" = {{ proxy = "http://127.0.0.1:{gone.port}", required = true }}\n')
    server = run(*mode)
    assert server.wait() == 3
    assert f"/app: http://127.0.0.1:{gone.port} takes no connections: Connection refused" in server.log

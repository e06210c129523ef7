"""Broken, slow and hostile clients: each gets its answer, and the others get theirs."""

from __future__ import annotations

import contextlib
import http.client
import re
import shutil
import socket
import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.sync.client import connect

APP = """\
import os, time

GO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "go")

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/read":
        body = environ["wsgi.input"].read()
    elif path == "/big":
        body = b"x" * 10_000_000
    elif path == "/slow":
        time.sleep(1.2)
        body = b"slow"
    elif path == "/held":
        while not os.path.exists(GO):
            time.sleep(0.01)
        body = b"held"
    elif path == "/drip":
        body = None
    else:
        body = f"hello by {os.getpid()}".encode()
    start_response("200 OK", [("Content-Length", "4" if body is None else str(len(body)))])
    return drip() if body is None else [body]

def drip():
    for _ in range(4):
        yield b"x"
        time.sleep(0.4)
"""
ECHO = """\
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": event["text"]})
        return
    body = b""
    while (event := await receive())["type"] == "http.request":
        body += event["body"]
        if not event["more_body"]:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})
            return
"""
FAULTS = """\
import asyncio

def wsgi(environ, start_response):
    fault = environ["PATH_INFO"].strip("/")
    if fault == "late":
        start_response("200 OK", [("Content-Length", "10")])
        return late()
    raise {"exit": SystemExit(3), "interrupt": KeyboardInterrupt(), "stop": StopIteration()}.get(fault, OSError(fault))

def late():
    yield b"12345"
    raise OSError("late")

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    fault = scope["path"].rpartition("/")[2]
    if fault == "late":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
        await send({"type": "http.response.body", "body": b"12345", "more_body": True})
    raise {"exit": SystemExit(3), "cancel": asyncio.CancelledError()}.get(fault, OSError(fault))
"""
MOUNTS = """\
"/" = "site_app:app"
"/bounded" = { app = "site_app:app", max_concurrency = 2 }
"/faults" = "faults:wsgi"
"/echo" = "echo:app"
"/async" = "faults:asgi"
"""
PATIENCE = 1  # second: the client_timeout of the servers
ENOUGH = 10.0  # seconds for a good request; if each slow client held a thread until it is given up, it would be 30
MANY = 24  # clients at a time: far more than threads
CONNECTIONS = 300
SETTINGS = f"""\
[server]
client_timeout = {PATIENCE}
[gunicorn]
workers = 1
keepalive = 5
worker_connections = {CONNECTIONS}
"""


@pytest.fixture(scope="module")
def server(start_for_module, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    for name, source in (("site_app", APP), ("echo", ECHO), ("faults", FAULTS)):
        (folder / f"{name}.py").write_text(source)
    (folder / "multiserve.toml").write_text(f"[mounts]\n{MOUNTS}{SETTINGS}")
    server = start_for_module("run", "--production", "--port", "0", cwd=folder).ready()
    server.worker = server.get("/").text
    server.go = folder / "go"
    yield server
    assert server.get("/").text == server.worker, "a worker died"
    assert server.log.count("Booting worker") == 1


@pytest.fixture(scope="module")
def connect_many():
    """Open connections that send some bytes; they are closed after the last test."""
    with contextlib.ExitStack() as opened:

        def connect_many(server, data, count=MANY, receive_buffer=0):
            host, _, port = server.address.partition(":")
            clients = [opened.enter_context(socket.socket()) for _ in range(count)]
            for client in clients:
                if receive_buffer:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
                client.settimeout(10)
                client.connect((host, int(port)))
                client.sendall(data)
            return clients

        yield connect_many


@pytest.fixture
def flood(server, connect_many):
    """Open many connections, and close them again."""
    opened = []
    yield lambda *args, **options: opened.extend(connect_many(server, *args, **options))
    for client in opened:
        client.close()


def received(client):
    """What comes until the server closes; a reset is a close."""
    data = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(1 << 20):
            data += part
    return bytes(data)


def statuses(client):
    """The status of each response until the server closes."""
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) [A-Z]", received(client))]


def head(line, *headers):
    return "\r\n".join((line, "Host: x", *headers, "", "")).encode()


GET = head("GET / HTTP/1.1", "Connection: close")
CHUNKED = head("POST /read HTTP/1.1", "Transfer-Encoding: chunked")
POST = "POST /read HTTP/1.1"
LENGTH_4 = "Content-Length: 4"
TE = "Transfer-Encoding: chunked"

# What a client sends before it waits, and the status of each answer until the server closes; the same for both.
CASES = [
    pytest.param(b"", [], id="nothing"),
    pytest.param(b"\x00\xff\x01garbage\r\n\r\n", [400], id="garbage"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", [400], id="TLS"),
    pytest.param(b"GET /\r\n\r\n", [400], id="HTTP/0.9"),
    pytest.param(head("GET / HTTP/9.9"), [400], id="HTTP/9.9"),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400], id="HTTP/2"),
    pytest.param(b"\r\n" * 50, [], id="empty lines"),
    # Parts of requests.
    pytest.param(b"GE", [408], id="half a line"),
    pytest.param(b"GET / HTTP/1.1\r\nHos", [408], id="half a head"),
    pytest.param(head(POST, "Content-Length: 10") + b"123", [408], id="half a body"),
    pytest.param(CHUNKED + b"5\r\nab", [408], id="half a chunk"),
    pytest.param(CHUNKED + b"2\r\nab\r\n", [408], id="no last chunk"),
    pytest.param(head(POST, "Content-Length: 3", "Expect: 100-continue"), [100, 408], id="never continues"),
    pytest.param(head("POST / HTTP/1.1", "Content-Length: 9") + b"123", [200], id="half a body that nobody reads"),
    # Too much of something.
    pytest.param(head("GET / HTTP/1.1", *(f"X-{i}: 1" for i in range(500))), [431], id="many headers"),
    pytest.param(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200, [431], id="many headers without an end"),
    pytest.param(head("GET / HTTP/1.1", "X: " + "y" * 20_000), [431], id="a huge header"),
    pytest.param(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200_000, [431], id="headers without end"),
    pytest.param(head(f"GET /{'y' * 20_000} HTTP/1.1"), [414], id="a huge line"),
    pytest.param(b"GET /" + b"y" * 1_000_000, [414], id="a line without end"),
    pytest.param(head(POST, "Content-Length: " + "9" * 25) + b"abc", [400], id="a huge body that never comes"),
    pytest.param(
        head(POST, "Connection: close", "Content-Length: 5000000") + b"x" * 5_000_000, [200], id="a huge body"
    ),
    # What two servers in a row may understand differently: RFC 9112, sections 2.2, 5.1, 5.2, 6.1, 6.3 and 7.1.
    pytest.param(head(POST, LENGTH_4, TE) + b"0\r\n\r\n", [400], id="length and chunked"),
    pytest.param(head(POST, LENGTH_4, LENGTH_4) + b"abcd", [400], id="the same length twice"),
    pytest.param(head(POST, LENGTH_4, "Content-Length: 5") + b"abcd", [400], id="two lengths"),
    pytest.param(head(POST, "Content-Length: 4, 4") + b"abcd", [400], id="a list of lengths"),
    pytest.param(head(POST, "Content-Length: +4") + b"abcd", [400], id="a length with a sign"),
    pytest.param(head(POST, "Content-Length: 0x4") + b"abcd", [400], id="a length in hexadecimal"),
    pytest.param(head(POST, "Content-Length: 1_0") + b"abcd", [400], id="a length with an underscore"),
    pytest.param(head(POST, "Content-Length:"), [400], id="an empty length"),
    pytest.param(head(POST, "Transfer-Encoding: xchunked") + b"0\r\n\r\n", [501], id="an unknown coding"),
    pytest.param(head(POST, "Transfer-Encoding: chunked, identity") + b"0\r\n\r\n", [400], id="chunked and identity"),
    pytest.param(head(POST, "Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n", [400], id="chunked behind a tab"),
    pytest.param(head(POST, TE, TE) + b"0\r\n\r\n", [400], id="chunked twice"),
    pytest.param(head("POST /read HTTP/1.0", TE) + b"0\r\n\r\n", [400], id="chunked in HTTP/1.0"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", [400], id="a folded header"),
    pytest.param(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", [400], id="a space before the colon"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n", [400], id="a bare LF"),
    pytest.param(b"GET / HTTP/1.1\nHost: x\n\n", [400], id="nothing but bare LF"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n", [400], id="a bare CR"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", [400], id="a zero in a header"),
    pytest.param(head("GET / HTTP/1.1", "Host: y"), [400], id="two hosts"),
    pytest.param(CHUNKED + b"ffffffffffffffffff\r\nabc", [400], id="a chunk larger than any number"),
    pytest.param(CHUNKED + b"-1\r\nabc\r\n0\r\n\r\n", [400], id="a chunk of negative size"),
    pytest.param(CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n", [400], id="a chunk size with a prefix"),
    pytest.param(CHUNKED + b"3\r\nabcX\r\n0\r\n\r\n", [400], id="a chunk longer than its size"),
    pytest.param(CHUNKED + b"3;\r\r\nabc\r\n0\r\n\r\n", [400], id="a CR in a chunk extension"),
    pytest.param(head(POST, "Content-Length: 3") + b"abcGARBAGE\r\n\r\n", [200, 400], id="garbage behind a body"),
    pytest.param(head("GET / HTTP/1.1") + GET, [200, 200], id="two requests at once"),
    pytest.param(
        head("POST / HTTP/1.1", f"Content-Length: {len(GET)}") + GET + GET, [200, 200], id="a request as a body"
    ),
]


SLOW = {
    "many: silent": (b"", []),
    "many: half a head": (b"GET / HTTP/1.1\r\nHos", [408]),
    "many: half a body": (head(POST, "Content-Length: 10") + b"123", [408]),
    "many: half a chunk": (CHUNKED + b"5\r\nab", [408]),
    "many: half a body that nobody reads": (head("POST / HTTP/1.1", "Content-Length: 9") + b"123", [200]),
}
UNREAD = head("GET /big HTTP/1.1")


def seconds_for_good(server, path="/"):
    begin = time.monotonic()
    assert server.get(path).status == 200
    return time.monotonic() - begin


def leave_it_at(client, data):
    with contextlib.suppress(ConnectionError):  # it was refused before it had sent everything
        client.sendall(data)
    return statuses(client)


def drip(client, data, pause=0.3):
    """Send one byte after the other, and give what comes back; to wait is what is tested here."""
    with contextlib.suppress(ConnectionError):
        for byte in data:
            client.sendall(bytes([byte]))
            time.sleep(pause)
    return client


def slow_upload(client):
    client.sendall(head(POST, "Content-Length: 5", "Connection: close"))
    return statuses(drip(client, b"12345"))


def slow_download(client):
    client.sendall(head("GET /big HTTP/1.1", "Connection: close"))
    data = b""
    while len(data) < 300_000:
        data += client.recv(60_000)
        time.sleep(0.3)
    while part := client.recv(1 << 20):
        data += part
    return [200] if len(data) > 10_000_000 else data


def two_requests(client):
    client.sendall(head("GET / HTTP/1.1"))
    assert client.recv(65536).startswith(b"HTTP/1.1 200")
    time.sleep(1.4 * PATIENCE)
    client.sendall(GET)
    return statuses(client)


def ask(path):
    def act(client):
        client.sendall(head(f"GET {path} HTTP/1.1", "Connection: close"))
        return statuses(client)

    return act


PATIENT = {
    "a request that waits for its application": (ask("/slow"), [200]),
    "a response that comes slowly": (ask("/drip"), [200]),
    "an upload that comes slowly": (slow_upload, [200]),
    "a download that is read slowly": (slow_download, [200]),
    "a connection that is kept alive": (two_requests, [200]),
    "a head that comes too slowly": (lambda client: statuses(drip(client, b"GET / H")), [408]),
}


@pytest.fixture(scope="module")
def ordeal(server, connect_many):
    """Do all of it at once, and give what each client got, and the longest time that a good request took meanwhile."""
    opened = {name: connect_many(server, data) for name, (data, _) in SLOW.items()}
    readers = connect_many(server, UNREAD, count=12, receive_buffer=4096)
    clients = iter(connect_many(server, b"", count=len(CASES) + len(PATIENT)))
    with ThreadPoolExecutor(len(CASES) + len(PATIENT)) as pool:
        found = {case.id: pool.submit(leave_it_at, next(clients), case.values[0]) for case in CASES}
        found |= {name: pool.submit(act, next(clients)) for name, (act, _) in PATIENT.items()}
        waited = []
        while not all(future.done() for future in found.values()):
            waited.append(seconds_for_good(server))
    got = {name: future.result() for name, future in found.items()}
    got |= {name: [statuses(client) for client in clients] for name, clients in opened.items()}
    got["readers"] = [len(received(reader)) for reader in readers]
    return got, max(waited)


@pytest.mark.parametrize(("data", "expected"), CASES)
def test_whatever_a_client_sends_it_is_refused_or_given_up_in_time(ordeal, data, expected, request):
    assert ordeal[0][request.node.callspec.id] == expected


@pytest.mark.parametrize("name", SLOW)
def test_of_many_slow_clients_each_is_given_up(ordeal, name):
    assert ordeal[0][name] == [SLOW[name][1]] * MANY


def test_many_clients_that_do_not_read_are_given_up(ordeal):
    assert len(ordeal[0]["readers"]) == 12
    assert all(0 < length < 10_000_000 for length in ordeal[0]["readers"])


@pytest.mark.parametrize("name", PATIENT)
def test_who_goes_on_or_waits_for_the_application_is_not_given_up(ordeal, name):
    assert ordeal[0][name] == PATIENT[name][1]


def test_nobody_else_waits_for_all_these(ordeal):
    assert ordeal[1] < ENOUGH


def test_a_flood_of_idle_connections_makes_room_for_others(server, flood):
    flood(b"", count=CONNECTIONS + 60)
    assert seconds_for_good(server) < ENOUGH


def test_a_flood_of_half_requests_is_over_in_time(server, flood):
    flood(b"GET / HTTP/1.1\r\nHos", count=CONNECTIONS + 10)
    begin = time.monotonic()
    server.until(lambda: server.get("/").status == 200, "an answer")
    assert time.monotonic() - begin < 3 * PATIENCE + ENOUGH


RAISING = [
    *(f"/faults/{name}" for name in ("oserror", "exit", "interrupt", "stop")),
    *(f"/async/{name}" for name in ("oserror", "exit", "cancel")),
]


def test_a_mount_that_raises_gets_500_for_that_request_alone(server):
    kept = http.client.HTTPConnection(server.address, timeout=10)
    with contextlib.closing(kept):
        for path in RAISING:
            assert (path, server.get(path).status) == (path, 500)
            kept.request("GET", "/")  # it would connect anew if it had been closed
            sock = kept.sock
            assert kept.getresponse().read().decode() == server.worker
            assert kept.sock is sock


def test_a_mount_that_raises_in_the_middle_of_its_response_is_cut_off(server):
    for path in ("/faults/late", "/async/late"):
        data = server.raw(head(f"GET {path} HTTP/1.1"))
        assert data.startswith(b"HTTP/1.1 200 OK\r\n")
        assert data.endswith(b"\r\n\r\n12345")


def test_beyond_max_concurrency_a_mount_answers_503_and_the_others_as_ever(server):
    with ThreadPoolExecutor(6) as pool:
        begin = time.monotonic()
        slow = [pool.submit(server.get, "/bounded/slow") for _ in range(6)]
        responses = [future.result() for future in slow]
        refused = [response for response in responses if response.status == 503]
        assert sorted(response.status for response in responses) == [200, 200, 503, 503, 503, 503]
        assert time.monotonic() - begin < 4
    assert {response.headers["Retry-After"] for response in refused} == {"1"}
    assert {response.text for response in refused} == {"Service Unavailable: the application at /bounded is busy.\n"}
    assert seconds_for_good(server, "/bounded/") < ENOUGH


def test_a_mount_with_all_its_threads_busy_does_not_starve_the_others(server):
    with ThreadPoolExecutor(8) as pool:
        held = [pool.submit(server.get, "/held") for _ in range(8)]
        server.until(lambda: sum(future.running() for future in held) == 8, "eight requests")
        try:
            assert max(seconds_for_good(server, "/bounded/") for _ in range(20)) < ENOUGH
            assert not any(future.done() for future in held)
        finally:
            server.go.touch()
        assert [future.result().text for future in held] == ["held"] * 8


def test_a_silent_websocket_is_not_given_up(server):
    with connect(f"ws://{server.address}/echo", proxy=None) as client:
        with pytest.raises(TimeoutError):
            client.recv(1.3 * PATIENCE)
        client.send("still there")
        assert client.recv(10) == "still there"


@pytest.fixture(scope="module")
def secure_server(start_for_module, tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    make = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x -keyout k.pem -out c.pem"
    )
    subprocess.run(make.split(), cwd=folder, check=True, capture_output=True)
    for name, source in (("site_app", APP), ("echo", ECHO), ("faults", FAULTS)):
        (folder / f"{name}.py").write_text(source)
    settings = 'certfile = "c.pem"\nkeyfile = "k.pem"\n'
    (folder / "multiserve.toml").write_text(f"[mounts]\n{MOUNTS}{SETTINGS}{settings}")
    server = start_for_module("run", "--production", "--port", "0", cwd=folder)
    server.address = server.until(lambda: re.search(r"https://(127\.0\.0\.1:[1-9]\d*)/", server.log), "the address")[1]
    server.until(lambda: "hello" in secure_answer(server), "an answer")
    return server


def secure(server, **options):
    """Connect with TLS, whatever the certificate says."""
    context = ssl._create_unverified_context()  # noqa: SLF001 (there is no other short way)
    return context.wrap_socket(server.connect(), **options)


def secure_answer(server):
    with secure(server) as client:
        client.sendall(GET)
        return received(client).decode()


def test_a_request_behind_a_body_in_one_record_is_answered(secure_server):
    with secure(secure_server) as client:
        client.sendall(head(POST, "Content-Length: 12000"))
        client.sendall(b"x" * 12_000 + GET)  # a record holds up to 16384 bytes
        assert statuses(client) == [200, 200]


def test_the_end_of_a_response_is_told_in_tls_too(secure_server):
    with secure(secure_server, suppress_ragged_eofs=False) as client:
        client.sendall(GET)
        assert b"hello by" in b"".join(iter(lambda: client.recv(65536), b""))


def test_slow_clients_hold_nobody_up_with_tls_either(secure_server, connect_many):
    before = secure_answer(secure_server).splitlines()[-1]
    connect_many(secure_server, b"")
    connect_many(secure_server, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")  # half a handshake
    with contextlib.ExitStack() as opened:
        clients = {data: [opened.enter_context(secure(secure_server)) for _ in range(8)] for data in SECURE}
        for data, of_one_kind in clients.items():
            for client in of_one_kind:
                client.sendall(data)
        begin = time.monotonic()
        while time.monotonic() - begin < PATIENCE:
            asked = time.monotonic()
            assert "hello" in secure_answer(secure_server)
            assert time.monotonic() - asked < ENOUGH
        for data, expected in SECURE.items():
            assert [statuses(client) for client in clients[data]] == [expected] * 8
    with secure(secure_server) as client:
        client.sendall(head("GET /big HTTP/1.1", "Connection: close"))
        assert len(received(client)) > 10_000_000
    assert secure_answer(secure_server).splitlines()[-1] == before


SECURE = {
    b"GET / HTTP/1.1\r\nHos": [408],
    head(POST, "Content-Length: 10") + b"123": [408],
    head("GET / HTTP/1.1") + GET: [200, 200],
    b"garbage\r\n\r\n": [400],
}

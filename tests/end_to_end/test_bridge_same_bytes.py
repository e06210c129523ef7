"""A WSGI application gives the same bytes under gunicorn's gthread worker and behind the bridge, in constant memory."""

from __future__ import annotations

import concurrent.futures
import http.client
import os
import random
import re
import shutil
import socket
import struct
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("bridge")

MIXED = Path(__file__).parent / "mixed"
MEGABYTE = 2**20
FILE = """\
[mounts]
"/" = "wsgi_ways"
"/one" = {{ app = "wsgi_ways", threads = 1 }}
[gunicorn]
workers = 1
{more}
accesslog = "-"
"""


@pytest.fixture(scope="module")
def servers(start_for_module, tmp_path_factory):
    """The application under gunicorn's gthread, and under our own worker, behind the bridge."""
    started = []
    for more in ('worker_class = "gthread"', ""):
        folder = tmp_path_factory.mktemp("ways")
        shutil.copy(MIXED / "wsgi_ways.py", folder)
        (folder / "multiserve.toml").write_text(FILE.format(more=more))
        started.append(start_for_module("run", "--production", "--port", "0", cwd=folder))
    return [server.ready() for server in started]


@pytest.fixture
def bridged(servers):
    return servers[1]


def worker_of(server):
    (worker,) = server.members() - {server.pid}
    return worker


def head(target, *headers, method="GET", version="HTTP/1.1"):
    return "\r\n".join(
        (f"{method} {target} {version}", "Host: shop.test", *headers, "Connection: close", "", "")
    ).encode("latin-1")


def ask(server, request, read_response):
    """Give the status, the headers that are the application's, and the body, or how it broke off."""
    data = server.raw(request)
    try:
        response = read_response(data, request.partition(b" ")[0].decode())
    except http.client.IncompleteRead as error:
        return "broken off", error.partial
    ours = {"date", "server", "connection", "transfer-encoding"}
    kept = sorted((name.lower(), value.strip()) for name, value in response.headers.items() if name.lower() not in ours)
    # The page of an error is the server's.
    return (500,) if response.status == 500 else (response.status, kept, response.body)


CHUNKED = "Transfer-Encoding: chunked"
PIECES = b"2\r\nab\r\n4\r\nc\nde\r\n1\r\nf\r\n6\r\ng\nhi\nj\r\n0\r\n\r\n"
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + b"f" * 300_000 + b"\r\n--x--\r\n"
)
MULTIPART = "Content-Type: multipart/form-data; boundary=x"

SAME = [
    *(
        pytest.param(head(f"/{way}"), id=way)
        for way in (
            "stream", "write", "after", "breaks", "raises", "file", "real_file", "no_content", "not_modified", "empty",
            "nothing", "length", "too_long", "too_short", "headers", "splits", "twice", "closing",
            "closing_failed",
        )
    ),
    *(
        pytest.param(head(f"/{way}", method="HEAD"), id=f"HEAD {way}")
        for way in ("stream", "write", "length", "empty", "no_content", "file")
    ),
    *(
        pytest.param(head(f"/{way}", version="HTTP/1.0"), id=f"HTTP/1.0 {way}")
        for way in ("stream", "write", "length", "path", "breaks")
    ),
    pytest.param(head("/lines", CHUNKED, method="POST") + PIECES, id="lines over chunks"),
    pytest.param(head("/lines", "Content-Length: 13", method="POST") + b"abc\ndefg\nhi\nj", id="lines"),
    pytest.param(head("/whole", CHUNKED, method="POST") + PIECES, id="to the end, chunked"),
    pytest.param(head("/whole", "Content-Length: 4", method="POST") + b"abcdef", id="to the end and no further"),
    pytest.param(head("/whole", "Content-Length: 0", method="POST"), id="an empty body"),
    pytest.param(head("/whole"), id="no body"),
    pytest.param(
        head("/unread", "Content-Length: 300000", method="POST") + b"x" * 300_000, id="a body that is not read"
    ),
    pytest.param(
        head("/form", MULTIPART, f"Content-Length: {len(FORM)}", method="POST") + FORM, id="a form with a file"
    ),
    pytest.param(
        head("/form", MULTIPART, CHUNKED, method="POST") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(FORM), FORM),
        id="a chunked form",
    ),
    pytest.param(
        head("/whole", "Content-Length: 2", "Expect: 100-continue", method="POST") + b"ab", id="Expect: 100-continue"
    ),
    pytest.param(head("/path/caf%C3%A9/%ff%2F%252F?q=%ff&r"), id="escapes"),
    pytest.param(head("/one/path//x/../y"), id="slashes and dots below a prefix"),
    pytest.param(head("/path", "X-A: 1", "X-A: caf\xe9", "X_Under_Score: 1"), id="headers"),
    pytest.param(head("/path", "Content-Type: a/b", "Content-Length: 1", method="PUT") + b"x", id="content headers"),
    pytest.param(head("/path", CHUNKED, method="PATCH") + b"0\r\n\r\n", id="chunked and empty"),
]  # fmt: skip


@pytest.mark.parametrize("request_", SAME)
def test_the_bridge_gives_the_same_bytes(servers, read_response, request_):
    plain, bridged = (ask(server, request_, read_response) for server in servers)
    assert bridged == plain


TEXT = ("content-type", "text/plain")

# Where the two differ, and why that may stay.
DIFFERENT = [
    pytest.param(
        head("/before"),
        (503, [TEXT, TEXT, ("x-first", "1"), ("x-second", "2")], b"sorry"),
        (503, [TEXT, ("x-second", "2")], b"sorry"),
        id="gunicorn keeps the headers that exc_info replaces",
    ),
    pytest.param(head("/text"), ("broken off", b""), (500,), id="gunicorn sends the headers of what is not bytes"),
]


@pytest.mark.parametrize(("request_", "plain", "bridged"), DIFFERENT)
def test_where_the_bridge_differs(servers, read_response, request_, plain, bridged):
    assert [ask(server, request_, read_response) for server in servers] == [plain, bridged]


def test_an_application_that_starts_no_response_is_an_error(bridged):
    assert bridged.get("/unstarted").status == 500  # gunicorn sends "HTTP/1.1 None"


def test_two_cookie_lines_are_one_header_that_can_be_read(servers):
    texts = [server.ask(head("/path", "Cookie: a=1", "Cookie: b=2")).text for server in servers]
    assert "'HTTP_COOKIE': 'a=1,b=2'" in texts[0]  # gunicorn's way, which loses the second cookie
    assert "'HTTP_COOKIE': 'a=1; b=2'" in texts[1]


@pytest.mark.parametrize("way", ["closing", "closing_failed"])
def test_every_response_is_closed_once(servers, way):
    name = f"'{way.replace('_', ' ')}'"
    for server in servers:
        before = server.get("/was_closed").text.count(name)
        server.raw(head(f"/{way}"))
        count = server.until(lambda: server.get("/was_closed").text.count(name) - before, "close()")  # noqa: B023
        assert count == 1


def test_an_exit_in_a_request_ends_no_worker(bridged):
    worker = worker_of(bridged)
    assert bridged.get("/leaves").status == 500
    assert worker_of(bridged) == worker
    bridged.until_logged("RuntimeError: the application raised SystemExit(3)")


def test_four_requests_run_at_once(servers):
    for server in servers:
        with concurrent.futures.ThreadPoolExecutor(4) as clients:
            answers = list(clients.map(lambda _, server=server: server.get("/together").text, range(4)))
        assert answers == ["together"] * 4


def reset(connection):
    """Close a connection as a client that is killed does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("leave", [socket.socket.close, reset], ids=["closes", "resets"])
@pytest.mark.parametrize("way", ["endless", "slow_endless"])
def test_a_client_that_leaves_an_endless_response_frees_the_thread(bridged, way, leave):
    name = f"'{way.replace('_', ' ')}'"
    before = bridged.get("/was_closed").text.count(name)
    connection = bridged.connect()
    connection.sendall(head(f"/one/{way}"))
    assert connection.recv(100_000)
    leave(connection)
    assert bridged.get("/one/path").status == 200  # the mount has one thread
    bridged.until(lambda: bridged.get("/was_closed").text.count(name) == before + 1, "close()")


def test_clients_that_leave_before_their_turn_cost_nothing(bridged):
    first = bridged.connect()
    first.sendall(head("/one/slow_endless"))
    assert first.recv(1000)
    waiting = [bridged.connect() for _ in range(20)]
    for connection in waiting:
        connection.sendall(head("/one/slow_endless"))
    for connection in waiting:
        connection.close()
    first.close()
    assert bridged.get("/one/path").status == 200


def memory_of(pid, name):
    return int(re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def grow(server, act):
    """By how many megabytes the worker's memory peaks above what it was."""
    worker = worker_of(server)
    Path(f"/proc/{worker}/clear_refs").write_text("5")  # sets the peak back
    before = memory_of(worker, "VmRSS")
    act()
    return memory_of(worker, "VmHWM") - before


def upload(server, size, block=b"x" * MEGABYTE):
    with server.connect() as connection:
        connection.sendall(head("/upload", f"Content-Length: {size}", method="POST"))
        for _ in range(size // len(block)):
            connection.sendall(block)
        data = b"".join(iter(lambda: connection.recv(65536), b""))
    assert data.endswith(b"%x\r\n%d\r\n0\r\n\r\n" % (len(str(size)), size))


def download(server, size, pause=lambda: None):
    buffer, total = bytearray(MEGABYTE), 0
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        host, _, port = server.address.partition(":")
        connection.connect((host, int(port)))
        connection.sendall(head(f"/download?{size}", version="HTTP/1.0"))
        while count := connection.recv_into(buffer):
            total += count
            pause()
    assert size < total < size + 1000


needs_proc = pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="no /proc/PID/clear_refs")


@needs_proc
@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda server: upload(server, 200 * MEGABYTE), id="upload of 200 MB"),
        pytest.param(lambda server: download(server, 200 * MEGABYTE), id="download of 200 MB"),
        pytest.param(
            lambda server: download(server, 20 * MEGABYTE, lambda: server.get("/path")), id="a client that reads slowly"
        ),
    ],
)
def test_memory_stays_flat(bridged, act):
    bridged.get("/path")
    assert grow(bridged, lambda: act(bridged)) < 8  # megabytes


def test_many_clients_that_break_off_leave_nothing_behind(bridged):
    worker = worker_of(bridged)
    random.seed(1)
    requests = [head("/stream"), head("/download?10000000"), head("/endless"), head("/path"), head("/write"),
                head("/upload", "Content-Length: 1000000", method="POST") + b"x" * 300_000,
                head("/lines", CHUNKED, method="POST") + PIECES]  # fmt: skip

    def abuse(number):
        with bridged.connect() as connection:
            request = random.choice(requests)
            connection.sendall(request)
            if number % 3 and b"upload" not in request:
                connection.recv(random.choice([1, 100, 100_000]))
            if number % 2:
                reset(connection)

    descriptors = len(list(Path(f"/proc/{worker}/fd").iterdir())) if Path("/proc").is_dir() else 0
    with concurrent.futures.ThreadPoolExecutor(16) as clients:
        list(clients.map(abuse, range(1500)))
    assert bridged.get("/path").status == 200
    assert worker_of(bridged) == worker
    # The pool of the mount, that of the other one, and the main thread.
    bridged.until(lambda: int(bridged.get("/threads").text) <= 6, "the end of the threads that waited for clients")
    if descriptors:
        bridged.until(lambda: len(list(Path(f"/proc/{worker}/fd").iterdir())) <= descriptors + 1, "closed connections")
    for fault in ("InvalidStateError", "never retrieved", "was destroyed", "Unhandled"):
        assert fault not in bridged.log

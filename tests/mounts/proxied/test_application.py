from __future__ import annotations

import asyncio
import logging

import pytest

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("scope_options", "options", "base", "line"),
    [
        pytest.param({}, {}, "", b"GET /app/x HTTP/1.1", id="the prefix stays"),
        pytest.param({"path": "/app"}, {}, "", b"GET /app HTTP/1.1", id="the bare prefix"),
        pytest.param({"raw_path": b"/app/%2F%e9/../%61"}, {}, "", b"GET /app/%2F%e9/../%61 HTTP/1.1", id="escapes"),
        pytest.param({"raw_path": b"/app//evil.test/x"}, {}, "", b"GET /app//evil.test/x HTTP/1.1", id="slashes"),
        pytest.param({"raw_path": b"/app/\xe9 #"}, {}, "", b"GET /app/%E9%20%23 HTTP/1.1", id="what cannot be sent"),
        pytest.param(
            {"raw_path": b"/app/x?a=1"}, {}, "", b"GET /app/x HTTP/1.1", id="a server that leaves the query on"
        ),
        pytest.param({"raw_path": None, "path": "/app/é"}, {}, "", b"GET /app/%C3%A9 HTTP/1.1", id="no raw path"),
        pytest.param({"query_string": b"a=%2f&b=+c?/"}, {}, "", b"GET /app/x?a=%2f&b=+c?/ HTTP/1.1", id="a query"),
        pytest.param({}, {"strip": True}, "", b"GET /x HTTP/1.1", id="without the prefix"),
        pytest.param({"path": "/app"}, {"strip": True}, "", b"GET / HTTP/1.1", id="the bare prefix without it"),
        pytest.param({"raw_path": b"/%61pp/%2f"}, {"strip": True}, "", b"GET /%2f HTTP/1.1", id="an escaped prefix"),
        pytest.param({"raw_path": b"/app//e.test"}, {"strip": True}, "", b"GET //e.test HTTP/1.1", id="two slashes"),
        pytest.param({}, {"strip": True}, "/base", b"GET /base/x HTTP/1.1", id="a path in its place"),
        pytest.param({"method": "PROPFIND"}, {}, "", b"PROPFIND /app/x HTTP/1.1", id="another method"),
    ],
)
def test_the_target_is_sent_as_it_came(serve_raw, proxy, scope, ask, scope_options, options, base, line):
    server = serve_raw(OK)
    client = ask(proxy(f"http://127.0.0.1:{server.port}{base}", **options), scope(**scope_options))
    assert (client.status, server.heads[0].partition(b"\r\n")[0]) == (200, line)


def test_the_host_is_the_clients_or_that_of_the_target(serve_raw, proxy, scope, ask):
    server = serve_raw(OK)
    target = f"http://127.0.0.1:{server.port}"
    ask(proxy(target), scope())
    ask(proxy(target, keeps_host=False), scope())
    nameless = scope()
    nameless["headers"] = []  # as HTTP/1.0 allows
    ask(proxy(target), nameless)
    hosts = [line for head in server.heads for line in head.split(b"\r\n") if line.startswith(b"Host:")]
    address = f"Host: 127.0.0.1:{server.port}".encode()
    assert hosts == [b"Host: shop.test", address, address]


def test_a_socket_will_do(serve_raw, proxy, scope, ask, tmp_path):
    server = serve_raw(OK, str(tmp_path / "a.sock"))
    assert ask(proxy(f"unix:{tmp_path}/a.sock"), scope()).body == b"ok"
    assert server.heads[0].startswith(b"GET /app/x HTTP/1.1\r\nHost: shop.test\r\n")


@pytest.mark.parametrize("path", ["/app/../secret", "/app/a/./b", "/app/.."])
def test_a_path_that_could_leave_that_of_the_target_is_not_handed_on(serve_raw, proxy, scope, ask, path):
    server = serve_raw(OK)
    client = ask(proxy(f"http://127.0.0.1:{server.port}/base", strip=True), scope(path=path))
    assert (client.status, client.body, server.heads) == (400, b"Bad Request: the path has dot segments.\n", [])


@pytest.mark.parametrize(
    ("given", "status", "text"),
    [
        pytest.param(
            {"headers": [(b"via", b", ".join([b"1.1 multiserve"] * 8))]},
            508,
            b"Loop Detected: /app hands requests on to itself.\n",
            id="a loop",
        ),
        pytest.param(
            {"headers": [(b"host", b"other.test")]},
            400,
            b"Bad Request: the Host header is not a host.\n",
            id="two hosts",
        ),
        pytest.param(
            {"method": "OPTIONS", "path": "*"}, 404, b"Not Found: no mount answers this URL.\n", id="the * of OPTIONS"
        ),
    ],
)
def test_what_is_not_handed_on(serve_raw, proxy, scope, ask, given, status, text):
    server = serve_raw(OK)
    client = ask(proxy(f"http://127.0.0.1:{server.port}"), scope(**given))
    assert (client.status, client.body, server.heads) == (status, text, [])


def test_a_server_that_is_gone_is_logged_once_and_once_more_when_it_is_back(serve_raw, proxy, scope, ask, caplog):
    caplog.set_level(logging.INFO, "multiserve")
    answers = iter((b"", b"", OK, OK))

    def answer(connection, _head, _data):
        connection.sendall(next(answers))

    server = serve_raw(answer)
    mount = proxy(f"http://127.0.0.1:{server.port}")
    assert [ask(mount, scope()).status for _ in range(4)] == [502, 502, 200, 200]
    assert caplog.messages == [
        f"/app: http://127.0.0.1:{server.port} closed the connection without an answer.",
        f"/app: http://127.0.0.1:{server.port} answers again.",
    ]


def live(run, mount):
    """Run the lifespan of a mount, and return what it answers."""
    said = []

    async def whole():
        events = asyncio.Queue()
        events.put_nowait({"type": "lifespan.startup"})
        events.put_nowait({"type": "lifespan.shutdown"})

        async def send(message):
            said.append(message)

        await mount({"type": "lifespan"}, events.get, send)

    run(whole)
    return said


def test_a_required_server_has_to_answer_at_the_start(serve_raw, proxy, run, monkeypatch):
    server = serve_raw(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
    mount = proxy(f"http://127.0.0.1:{server.port}", is_required=True)
    assert [each["type"] for each in live(run, mount)] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert server.heads[0].startswith(b"HEAD /app/ HTTP/1.1\r\n")
    server.close()
    monkeypatch.setattr("multiserve.mounts.proxied.application._START", 0.3)
    assert live(run, mount) == [
        {
            "type": "lifespan.startup.failed",
            "message": f"http://127.0.0.1:{server.port} takes no connections: Connection refused",
        }
    ]


def test_any_other_server_may_come_later(serve_raw, proxy, run):
    server = serve_raw(OK)
    server.close()
    said = live(run, proxy(f"http://127.0.0.1:{server.port}"))
    assert [each["type"] for each in said] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

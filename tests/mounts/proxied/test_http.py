"""Requests and responses on their way, against a server of raw bytes."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading

import pytest

from multiserve.mounts.proxied.failures import BrokenOffError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = (b"transfer-encoding", b"chunked")


def reset(connection: socket.socket) -> None:
    """Close a connection so that the other side gets an error."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.fixture
def serve(serve_raw, proxy):
    """Start a server, and make the mount in front of it."""

    def start(answer, **options):
        server = serve_raw(answer)
        return server, proxy(f"http://127.0.0.1:{server.port}", **options)

    return start


@pytest.mark.parametrize(
    ("headers", "parts", "framing", "body"),
    [
        pytest.param([], (b"",), [b"Content-Length: 0"], b"", id="no body"),
        pytest.param([(b"content-length", b"0")], (b"",), [b"Content-Length: 0"], b"", id="an empty body"),
        pytest.param(
            [(b"content-length", b"5")], (b"he", b"", b"llo"), [b"Content-Length: 5"], b"hello", id="a length"
        ),
        pytest.param(
            [CHUNKED],
            (b"he", b"llo"),
            [b"Transfer-Encoding: chunked"],
            b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            id="chunks",
        ),
        pytest.param([CHUNKED], (b"",), [b"Transfer-Encoding: chunked"], b"0\r\n\r\n", id="no chunks"),
        pytest.param(
            [CHUNKED, (b"content-length", b"5")],
            (b"hello",),
            [b"Transfer-Encoding: chunked"],
            b"5\r\nhello\r\n0\r\n\r\n",
            id="both",
        ),
    ],
)
def test_a_body_is_framed_once(serve, scope, ask, headers, parts, framing, body):
    server, proxy = serve(OK)
    client = ask(proxy, scope(method="POST", headers=headers), *parts)
    assert (client.status, client.body, client.is_whole) == (200, b"ok", True)
    lines = server.heads[0].split(b"\r\n")
    assert [each for each in lines if each.lower().startswith((b"content-length", b"transfer-encoding"))] == framing
    assert server.bodies == [body]


def test_a_body_over_http_2_needs_no_length(serve, scope, ask):
    server, proxy = serve(OK)
    ask(proxy, scope(method="POST", http_version="2"), b"hel", b"lo")
    ask(proxy, scope(http_version="2"))
    assert server.bodies == [b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", b""]


@pytest.mark.parametrize(
    ("method", "response", "status", "length", "body"),
    [
        pytest.param("GET", OK, 200, b"2", b"ok", id="a length"),
        pytest.param(
            "GET",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            200,
            None,
            b"ok",
            id="chunks",
        ),
        pytest.param(
            "GET",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nX-T: 1\r\n\r\n",
            200,
            None,
            b"ok",
            id="extensions and trailers",
        ),
        pytest.param("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", 200, b"99", b"", id="HEAD"),
        pytest.param("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204, None, b"", id="204"),
        pytest.param("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", 304, b"99", b"", id="304"),
        pytest.param("GET", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK, 200, b"2", b"ok", id="103"),
        pytest.param("GET", b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"2", b"ok", id="100 that nobody asked for"),
        pytest.param(
            "GET",
            b"HTTP/1.1 302 Found\r\nLocation: http://other.test/\r\nContent-Length: 0\r\n\r\n",
            302,
            b"0",
            b"",
            id="a redirect",
        ),
        pytest.param(
            "GET",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
            200,
            b"3",
            b"abc",
            id="an encoding",
        ),
        pytest.param("GET", b"HTTP/1.1 599 Own\r\nContent-Length: 0\r\n\r\n", 599, b"0", b"", id="an unknown status"),
    ],
)
def test_a_response_comes_back_as_it_is(serve, scope, ask, method, response, status, length, body):
    _, proxy = serve(response)
    client = ask(proxy, scope(method=method))
    assert (client.status, client.headers.get(b"content-length"), client.body) == (status, length, body)
    assert client.is_whole


def test_a_response_without_a_length_ends_with_its_connection(serve, scope, ask):
    def answer(connection, _head, _data):
        connection.sendall(b"HTTP/1.0 200 OK\r\nX-A: \xe9\r\n\r\nall of it")

    _, proxy = serve(answer)
    client = ask(proxy, scope())
    assert (client.body, client.headers[b"x-a"], client.is_whole) == (b"all of it", b"\xe9", True)


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", socket.socket.close, id="a length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", socket.socket.close, id="chunks"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", socket.socket.close, id="half a chunk"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nhalf", reset, id="no length, and reset"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            lambda it: it.sendall(b"zz\r\n"),
            id="no chunk",
        ),
    ],
)
def test_a_response_that_is_broken_off_does_not_look_whole(monkeypatch, serve, scope, client, run, begin, end):
    monkeypatch.setattr("multiserve.mounts.proxied.client.LOOK", 0.1)
    sent = threading.Event()

    def answer(connection, _head, _data):
        connection.sendall(begin)
        sent.wait(10)
        end(connection)

    class Taking(client):
        async def send(self, message):
            await super().send(message)
            if message.get("body"):
                sent.set()

    _, proxy = serve(answer)
    asking = Taking()

    async def whole():
        with pytest.raises(BrokenOffError):
            await proxy(scope(), asking.receive, asking.send)
        await proxy.close()

    run(whole)
    assert (asking.status, asking.body, asking.is_whole) == (200, b"half", False)


@pytest.mark.parametrize(
    ("response", "status", "reason"),
    [
        pytest.param(b"", 502, "closed the connection without an answer.", id="nothing"),
        pytest.param(b"HTTP/1.1 2", 502, "closed the connection without an answer.", id="half a line"),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
            502,
            "has answered 101, which was not asked for.",
            id="101",
        ),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", 502, "sent an invalid response: ", id="another protocol"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
            502,
            "sent an invalid response: ",
            id="two lengths",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
            502,
            "sent an invalid response: ",
            id="length and chunks",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nX A: b\r\n\r\n", 502, "sent an invalid response: ", id="no header"),
    ],
)
def test_what_is_no_response_is_502(serve, scope, ask, response, status, reason):
    def answer(connection, _head, _data):
        connection.sendall(response)

    server, proxy = serve(answer, details=True)
    client = ask(proxy, scope())
    assert client.status == status
    assert f"http://127.0.0.1:{server.port} {reason}" in client.body.decode()


def test_a_folded_header_is_no_two_headers(serve, scope, ask):
    _, proxy = serve(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n Set-Cookie: evil\r\nContent-Length: 2\r\n\r\nok")
    client = ask(proxy, scope())
    assert b"set-cookie" not in client.headers
    assert b"\n" not in b"".join(client.headers.values())


def test_who_takes_too_long_is_504(serve, scope, ask):
    over = threading.Event()
    server, proxy = serve(lambda *_: over.wait(10) and None, timeout=0.2, details=True)
    client = ask(proxy, scope())
    over.set()
    assert client.status == 504
    assert f"http://127.0.0.1:{server.port} has not answered within 0 seconds." in client.body.decode()


def test_the_time_counts_from_the_last_part_that_the_server_was_given(serve, scope, client, run):
    """A slow client is none of the server's business."""
    server, proxy = serve(OK, timeout=2)

    class Slow(client):
        async def receive(self):
            await asyncio.sleep(0.8)  # longer than the limit for all of them together
            return await super().receive()

    slow = Slow((b"a", b"b", b"c"))

    async def whole():
        await proxy(scope(method="POST", headers=[(b"content-length", b"3")]), slow.receive, slow.send)
        await proxy.close()

    run(whole)
    assert (slow.status, server.bodies) == (200, [b"abc"])


def test_a_client_that_leaves_ends_the_request_to_the_server(serve, scope, client, run):
    left = threading.Event()
    came = threading.Event()

    def answer(connection, _head, _data):
        came.set()
        if not connection.recv(1):
            left.set()

    _, proxy = serve(answer)
    leaving = client()

    async def whole():
        call = asyncio.create_task(proxy(scope(), leaving.receive, leaving.send))
        await asyncio.to_thread(came.wait, 10)
        leaving.gone.set()
        await call
        assert await asyncio.to_thread(left.wait, 10)
        await proxy.close()

    run(whole)
    assert leaving.sent == []


def test_a_body_that_the_client_breaks_off_does_not_look_whole(serve, scope, ask):
    ended = threading.Event()
    got = []

    def answer(connection, _head, data):
        while part := connection.recv(65536):
            data += part
        got.append(data)
        ended.set()

    _, proxy = serve(answer)
    client = ask(proxy, scope(method="POST", headers=[CHUNKED]), b"half", leaves=True)
    assert ended.wait(10)
    assert (got, client.sent) == ([b"4\r\nhalf\r\n"], [])


def test_a_server_may_answer_before_it_has_the_body(serve, scope, client, run):
    def answer(connection, _head, _data):
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        return b""  # and it goes on to read what it takes for the next request

    server, proxy = serve(answer)

    class Endless(client):
        async def receive(self):
            await asyncio.sleep(0)
            return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    asking, then = Endless(), client()

    async def whole():
        await proxy(scope(method="PUT", headers=[CHUNKED]), asking.receive, asking.send)
        await proxy(scope("/app/next"), then.receive, then.send)
        await proxy.close()

    run(whole)
    assert (asking.status, asking.body, asking.is_whole) == (413, b"big", True)
    assert then.status == 413
    assert server.heads[-1].startswith(b"GET /app/next HTTP/1.1\r\n")  # over another connection
    assert len(server.connections) == 2


def test_what_comes_behind_a_response_is_no_answer_to_the_next_request(serve, scope, client, run):
    def answer(connection, head, _data):
        behind = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" if b"/first" in head else b""
        connection.sendall(OK + behind)
        return b""

    _, proxy = serve(answer)
    first, second = client(), client()

    async def whole():
        await proxy(scope("/app/first"), first.receive, first.send)
        await proxy(scope("/app/second"), second.receive, second.send)
        await proxy.close()

    run(whole)
    assert (first.body, second.body) == (b"ok", b"ok")


@pytest.mark.parametrize(
    ("method", "headers", "parts", "status", "times"),
    [
        pytest.param("GET", [], (b"",), 200, 2, id="GET"),
        pytest.param("HEAD", [], (b"",), 200, 2, id="HEAD"),
        pytest.param("OPTIONS", [], (b"",), 200, 2, id="OPTIONS"),
        pytest.param("POST", [], (b"",), 502, 1, id="POST"),
        pytest.param("PUT", [(b"content-length", b"1")], (b"x",), 502, 1, id="PUT"),
        pytest.param("DELETE", [], (b"",), 502, 1, id="DELETE"),
        pytest.param("GET", [(b"content-length", b"1")], (b"x",), 502, 1, id="GET with a body"),
    ],
)
def test_a_connection_that_was_idle_and_dies_is_replaced_where_nothing_can_have_happened(
    serve, scope, client, run, method, headers, parts, status, times
):
    tried = []

    def answer(connection, head, data):
        if b"/first" in head:
            connection.sendall(OK)
            return b""
        tried.append(head)
        if len(tried) == 1:
            return None  # it was idle for too long
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return b""

    _, proxy = serve(answer)
    first, second = client(), client(parts)

    async def whole():
        await proxy(scope("/app/first"), first.receive, first.send)
        await proxy(scope("/app/second", method=method, headers=headers), second.receive, second.send)
        await proxy.close()

    run(whole)
    assert (second.status, len(tried)) == (status, times)


def test_a_new_connection_that_dies_is_not_replaced(serve, scope, ask):
    server, proxy = serve(lambda *_: None)
    assert ask(proxy, scope()).status == 502
    assert len(server.heads) == 1


def test_long_headers_go_both_ways(serve, scope, ask):
    value = b"v" * 20_000
    server, proxy = serve(b"HTTP/1.1 200 OK\r\nX-Long: %b\r\nContent-Length: 0\r\n\r\n" % value)
    client = ask(proxy, scope(headers=[(b"x-long", value)]))
    assert client.headers[b"x-long"] == value
    assert b"x-long: " + value in server.heads[0]

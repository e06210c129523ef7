from __future__ import annotations

import ssl

import aiohttp
import pytest

from multiserve.mounts.proxied.client import Client, describe
from multiserve.upstreams import Upstream

OK = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nok"


def test_nothing_is_added_and_nothing_remembered(serve_raw, run):
    server = serve_raw(OK)
    upstream = Upstream(host="127.0.0.1", port=str(server.port))

    async def whole():
        client = Client()
        for _ in range(2):
            async with client.request(upstream, "GET", ("/a", ""), [("Host", "x"), ("X-A", "1")]) as response:
                await response.read()
        await client.close()

    run(whole)
    assert server.heads == [b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: 1"] * 2
    assert len(server.connections) == 1


def test_each_event_loop_has_its_own_connections(serve_raw, run):
    server = serve_raw(OK)
    upstream = Upstream(host="127.0.0.1", port=str(server.port))
    client = Client()

    async def once():
        async with client.request(upstream, "GET", ("/a", ""), [("Host", "x")]) as response:
            await response.read()
        await client.close()

    run(once)
    run(once)
    assert len(server.heads) == 2


def test_aiohttp_has_what_is_switched_off():
    """It would repeat PUT and DELETE, which may have had their effect, and without their bodies."""
    assert "_retry_connection" in aiohttp.ClientSession.ATTRS


@pytest.mark.parametrize(
    ("error", "reason", "is_late"),
    [
        pytest.param(TimeoutError(), "took no connection within 5 seconds", True, id="a timeout"),
        pytest.param(aiohttp.ServerDisconnectedError(), "closed the connection without an answer", False, id="an end"),
        pytest.param(ConnectionResetError(104, "x"), "closed the connection without an answer", False, id="a reset"),
        pytest.param(
            FileNotFoundError(2, "x"), "takes no connections: No such file or directory", False, id="a socket"
        ),
        pytest.param(OSError("one\nand two"), "takes no connections: one and two", False, id="several addresses"),
        pytest.param(ssl.SSLError(1, "wrong version"), "takes no connections: wrong version", False, id="TLS"),
        pytest.param(aiohttp.InvalidURL("x"), "has sent what is no response: x", False, id="anything else"),
    ],
)
def test_the_reason_is_told(error, reason, is_late):
    found = describe(error)
    assert (str(found), found.is_late) == (reason, is_late)


def test_a_refused_connection_is_told(run, serve_raw):
    server = serve_raw(OK)
    server.close()

    async def whole():
        client = Client()
        try:
            async with client.request(Upstream(host="127.0.0.1", port=str(server.port)), "GET", ("/", ""), []):
                pass
        finally:
            await client.close()

    with pytest.raises(Exception, match="takes no connections: Connection refused"):
        run(whole)

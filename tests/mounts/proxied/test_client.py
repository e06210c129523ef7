from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import ssl
import subprocess

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
        pytest.param(aiohttp.InvalidURL("x"), "sent an invalid response: x", False, id="anything else"),
    ],
)
def test_the_reason_is_told(error, reason, is_late):
    found = describe(error)
    assert (str(found), found.is_late) == (reason, is_late)


@pytest.fixture
def serve_tls(tmp_path):
    """Serve over TLS with a certificate for localhost that signs itself, in the event loop of the test."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost"
    names = ("-addext", "subjectAltName=DNS:localhost", "-keyout", "k.pem", "-out", "c.pem")
    subprocess.run([*make.split(), *names], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")

    async def answer(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
        writer.close()

    return lambda: asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_certificate_has_to_be_trusted(monkeypatch, serve_tls, proxy, scope, client, run, tmp_path, is_trusted):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "c.pem") if is_trusted else os.devnull)
    asking = client()

    async def whole():
        async with await serve_tls() as server:
            mount = proxy(f"https://localhost:{server.sockets[0].getsockname()[1]}", details=True)
            await mount(scope(), asking.receive, asking.send)
            await mount.close()

    run(whole)
    if is_trusted:
        assert (asking.status, asking.body) == (200, b"ok")
    else:
        assert asking.status == 502
        assert b" has a certificate that is not trusted: " in asking.body


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

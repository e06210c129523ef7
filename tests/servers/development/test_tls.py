"""TLS of the development server, between a context of ours and clients of every kind."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time

import pytest

from multiserve.servers.development import tls
from multiserve.servers.development.own_authority import Authority

AUTHORITY = Authority.make()
HTTP = "A client spoke HTTP to a port that serves HTTPS: open https://localhost:1/ instead."
UNTRUSTED = "A client does not trust the certificate of https://localhost:1/."
OLD = "A client could not agree on HTTPS with https://localhost:1/: unsupported protocol."


@pytest.fixture
def told():
    return []


@pytest.fixture
def context(tmp_path, told):
    path = tmp_path / "server.pem"
    path.write_bytes(AUTHORITY.issue(["localhost"], 1))
    return tls.server_context(path, "https://localhost:1", told.append)


@pytest.fixture(params=["threads", "asyncio"])
def port(request, context):
    """Serve each connection: read, and answer with what came."""
    serve = _threads if request.param == "threads" else _asyncio
    with serve(context) as port:
        yield port


@contextlib.contextmanager
def _threads(context):
    def answer(connection):
        with connection, contextlib.suppress(OSError):
            connection.do_handshake()
            connection.sendall(connection.recv(100))
            tls.end_gently(connection)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    plain = socket.create_server(("127.0.0.1", 0))
    listener = context.wrap_socket(plain, server_side=True)
    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@contextlib.contextmanager
def _asyncio(context):
    async def answer(reader, writer):
        with contextlib.suppress(OSError):
            writer.write(await reader.read(100))
            await writer.drain()
        writer.close()

    async def serve():
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        found.update(port=server.sockets[0].getsockname()[1], loop=asyncio.get_running_loop())
        ready.set()
        async with server:
            await stopping.wait()

    found, ready, stopping = {}, threading.Event(), asyncio.Event()
    serving = threading.Thread(target=lambda: asyncio.run(serve()))
    serving.start()
    assert ready.wait(20)
    try:
        yield found["port"]
    finally:
        found["loop"].call_soon_threadsafe(stopping.set)
        serving.join()


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def rest_of(connection):
    """Read until the server closes, which it does only after it has told what was wrong."""
    with contextlib.suppress(ConnectionError):
        while connection.recv(100):
            pass


def heard(told):
    """Wait for a message of the server, which may come after the client has left."""
    end = time.monotonic() + 20
    while not told and time.monotonic() < end:
        threading.Event().wait(0.02)
    return told


def trusting():
    return ssl.create_default_context(cadata=AUTHORITY.public_pem().decode())


def test_a_client_is_served_while_another_one_is_silent(port, told):
    with connect(port), trusting().wrap_socket(connect(port), server_hostname="localhost") as client:
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
        assert client.recv(100) == b""  # with the end that TLS has: a bare end of the connection would be an error
        assert client.selected_alpn_protocol() is None
    assert told == []


def test_the_protocol_is_http_1(port):
    context = trusting()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with context.wrap_socket(connect(port), server_hostname="localhost") as client:
        assert client.selected_alpn_protocol() == "http/1.1"


def test_http_is_told_in_words(port, told):
    with connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        rest_of(client)
    assert told == [HTTP]


def test_a_client_that_does_not_trust_is_told_in_words_and_once_for_many(port, told):
    for _ in range(3):
        with connect(port) as client, pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(client, server_hostname="localhost")
    assert heard(told) == [UNTRUSTED]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_any_other_failure_is_told_by_its_reason(port, told):
    context = trusting()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.raises(ssl.SSLError), connect(port) as client:
        context.wrap_socket(client, server_hostname="localhost")
    assert heard(told) == [OLD]


def test_a_client_that_leaves_is_not_told(port, told):
    connect(port).close()
    with trusting().wrap_socket(connect(port), server_hostname="localhost") as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
    assert told == []

"""Sockets of clients: how long the threaded worker waits for them, and what it does not bound."""

from __future__ import annotations

import select
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest

from multiserve.servers.asgi.unsent import unsent
from multiserve.servers.production.client_sockets import ClientReader, ClientSocket, TLSClientSocket

PATIENCE = 0.2
LENGTH = 3_000_000


@pytest.fixture
def pair():
    """A socket of the server, and its client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        server = ClientSocket(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        server.patience = PATIENCE
        with server, client:
            client.settimeout(5)
            yield server, client


def read_slowly(client, length, pause=0.0):
    """Read in the background; give what waits for it, and then gives the bytes."""
    received = bytearray()

    def read():
        while len(received) < length and (part := client.recv(100_000)):
            received.extend(part)
            time.sleep(pause)

    thread = threading.Thread(target=read)
    thread.start()

    def result():
        thread.join()
        return bytes(received)

    return result


@pytest.mark.parametrize("pause", [0.0, PATIENCE / 4], ids=["at once", "slowly"])
def test_everything_is_sent_to_a_client_that_reads(pair, pause):
    server, client = pair
    data = bytes(range(256)) * (LENGTH // 256)
    received = read_slowly(client, len(data), pause)
    server.sendall(memoryview(data).cast("B"))
    assert received() == data
    assert (server.has_sent, server.is_lost) == (True, False)


def test_a_client_that_does_not_read_is_given_up(pair):
    server, _ = pair
    begin = time.monotonic()
    with pytest.raises(TimeoutError, match="the client kept the server waiting"):
        server.sendall(bytes(20_000_000))
    assert time.monotonic() - begin < 5
    assert server.is_lost
    assert unsent(server) > 0


def test_without_a_timeout_nothing_is_waited_for(pair):
    server, _ = pair
    server.setblocking(False)
    with pytest.raises(BlockingIOError):
        server.sendall(bytes(20_000_000))


def test_a_file_is_sent_to_a_client_that_reads_slowly(pair, tmp_path):
    server, client = pair
    data = bytes(range(256)) * (LENGTH // 256)
    (tmp_path / "file").write_bytes(data)
    received = read_slowly(client, len(data) - 100, PATIENCE / 4)
    with (tmp_path / "file").open("rb") as file:
        assert server.sendfile(file, 100, len(data) - 100) == len(data) - 100
    assert received() == data[100:]
    assert (server.gettimeout(), server.has_sent, server.is_lost) == (None, True, False)


def test_a_file_is_not_sent_to_a_client_that_does_not_read(pair, tmp_path):
    server, _ = pair
    (tmp_path / "file").write_bytes(bytes(20_000_000))
    with (tmp_path / "file").open("rb") as file, pytest.raises(TimeoutError):
        server.sendfile(file)
    assert server.is_lost


def test_what_has_been_read_already_comes_first(pair):
    server, client = pair
    reader = ClientReader(server, b"abc")
    client.sendall(b"def")
    assert reader.read(2) == b"ab"
    assert reader.read(4) == b"cdef"


def test_a_client_that_sends_in_time_is_waited_for(pair):
    server, client = pair
    timer = threading.Timer(PATIENCE / 2, client.sendall, (b"late",))
    timer.start()
    assert ClientReader(server, b"").chunk() == b"late"
    timer.join()


@pytest.mark.parametrize("own", [None, PATIENCE / 4], ids=["its own patience", "gunicorn's timeout"])
def test_a_client_that_sends_nothing_is_given_up(pair, own):
    server, _ = pair
    server.settimeout(own)
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        ClientReader(server, b"").chunk()
    assert (own or PATIENCE) <= time.monotonic() - begin < 5
    assert server.is_lost


def test_an_application_that_takes_the_socket_over_may_wait_longer(pair):
    server, client = pair
    timer = threading.Timer(2 * PATIENCE, client.sendall, (b"late",))
    timer.start()
    assert server.recv(10) == b"late"
    timer.join()


def test_a_client_that_has_left_is_to_blame(pair):
    server, client = pair
    client.close()
    assert ClientReader(server, b"").chunk() == b""
    with pytest.raises(OSError):  # noqa: PT011 (a reset or a broken pipe)
        [server.send(b"x" * 1000) for _ in range(100)]
    assert server.is_lost


def test_to_wait_for_what_is_there_takes_no_time(pair):
    server, client = pair
    client.sendall(b"x")
    select.select([server], [], [], 5)
    server.wait(select.POLLIN)
    server.wait(select.POLLOUT)


@pytest.fixture
def tls_pair(pair, tmp_path):
    """The same with TLS."""
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl to make a certificate with")
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x -keyout k -out c"
    subprocess.run(make.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c", tmp_path / "k")
    context.sslsocket_class = TLSClientSocket
    trusting = ssl._create_unverified_context()  # noqa: SLF001 (there is no other short way)
    server = context.wrap_socket(pair[0], server_side=True, do_handshake_on_connect=False)
    server.patience = PATIENCE
    client = trusting.wrap_socket(pair[1], do_handshake_on_connect=False, suppress_ragged_eofs=False)
    with server, client:
        server.settimeout(5)
        greeting = threading.Thread(target=client.do_handshake)
        greeting.start()
        server.do_handshake()
        greeting.join()
        yield server, client


def test_the_end_is_told_in_tls_too_without_waiting_for_an_answer(tls_pair):
    server, client = tls_pair
    server.sendall(b"the end")
    server.finish_sending()
    client.settimeout(5)
    assert client.recv(10) == b"the end"
    assert client.recv(10) == b""  # an end without close_notify would be an ssl.SSLEOFError
    client.close()
    server.settimeout(5)
    assert b"".join(iter(lambda: server.recv(100), b"")) is not None  # what comes is no longer of interest


def test_the_end_cannot_be_told_to_a_client_that_has_left(tls_pair):
    server, client = tls_pair
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
    client.close()
    select.select([server], [], [], 5)
    with pytest.raises(OSError):  # noqa: PT011 (a reset, or not connected)
        server.finish_sending()

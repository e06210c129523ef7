import contextlib
import os
import signal
import socket
import threading
import urllib.request

import pytest

from multiserve.servers.management.address import bind_manage_address
from multiserve.servers.management.exchange import Response
from multiserve.servers.management.listener import Listener

REQUEST = b"GET /mask HTTP/1.1\r\nHost: localhost\r\n\r\n"


def mask(_request):
    return Response(body=str(signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ())))


@pytest.fixture
def listener():
    made = Listener(bind_manage_address("127.0.0.1:0"), {"/mask": mask, "POST /send": send}, "127.0.0.1")
    made.start()
    yield made
    made.close()


def connect(listener):
    return socket.create_connection(listener.socket.getsockname(), timeout=30)


def read(connection):
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_signals_are_left_to_the_main_thread(listener):
    port = listener.socket.getsockname()[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/mask", timeout=30) as answer:
        assert answer.read() == b"True"


def test_a_slow_client_is_in_nobodys_way(listener):
    with connect(listener) as slow, connect(listener) as other:
        slow.sendall(REQUEST[:10])
        other.sendall(REQUEST)
        assert read(other).endswith(b"True")
        slow.sendall(REQUEST[10:])
        assert read(slow).endswith(b"True")


def test_a_long_head_gets_nothing(listener):
    with connect(listener) as client, contextlib.suppress(ConnectionError):  # a listener that hangs is a timeout
        client.sendall(b"GET /mask HTTP/1.1\r\nX: " + b"x" * 40000)
        assert read(client) == b""


def send(request):
    return Response(body=request.form["a"])


@pytest.mark.parametrize("parts", [[b"a=12345"], [b"a=1", b"2345"], [b"a=12345", b"more"]], ids=len)
def test_a_form_is_read_to_its_end(listener, parts):
    head = b"POST /send HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    with connect(listener) as client:
        client.sendall(head + b"content-length: 7\r\n\r\n")
        for part in parts:
            client.sendall(part)
        assert read(client).endswith(b"\r\n\r\n12345")


def test_a_long_form_gets_nothing(listener):
    with connect(listener) as client, contextlib.suppress(ConnectionError):  # a listener that hangs is a timeout
        client.sendall(b"POST /send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\na=1")
        assert read(client) == b""


def test_connections_are_bounded(listener):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(listener)) for _ in range(17)]
        assert read(clients[-1]) == b""
        clients[0].sendall(REQUEST)
        assert read(clients[0]).endswith(b"True")


def test_a_forked_process_has_nothing_of_it(listener):
    descriptor = listener.socket.fileno()
    pid = os.fork()
    if pid == 0:
        listener.close_here()
        try:
            os.fstat(descriptor)
        except OSError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    with connect(listener) as client:
        client.sendall(REQUEST)
        assert read(client).endswith(b"True")


def test_closing_ends_the_thread():
    before = threading.active_count()
    made = Listener(bind_manage_address("127.0.0.1:0"), {}, "")
    made.start()
    made.close()
    assert threading.active_count() == before
    assert made.socket.fileno() == -1

"""How much of a response a client has still to take."""

from __future__ import annotations

import socket
import time

import pytest
from multiserve.servers.asgi.unsent import unsent


@pytest.fixture
def pair():
    """A socket of the server, and its client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        with server, client:
            client.settimeout(5)
            yield server, client


def send_until_full(server):
    """Send until the kernel takes no more; return how many bytes it took."""
    server.setblocking(False)
    sent = 0
    try:
        while True:
            sent += server.send(bytes(100_000))
    except BlockingIOError:
        return sent


def test_what_a_client_has_not_read_is_unsent_until_it_reads(pair):
    server, client = pair
    sent = send_until_full(server)
    assert 0 < unsent(server) <= sent
    while sent:
        sent -= len(client.recv(sent))
    deadline = time.monotonic() + 5
    while unsent(server) and time.monotonic() < deadline:  # the acknowledgement of the last bytes may be delayed
        pass
    assert unsent(server) == 0


def test_a_socket_that_is_closed_has_nothing_unsent(pair):
    server, _ = pair
    server.close()
    assert unsent(server) == 0

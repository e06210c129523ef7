"""A connection of the threaded worker: when the head of a request is complete, and what the parser gets of it."""

from __future__ import annotations

import socket

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import LimitRequestHeaders

from multiserve.servers.production.threaded_connection import Connection

LIMIT = 100


@pytest.fixture
def pair():
    """A connection as the worker has it, and its client."""
    server, client = socket.socketpair()
    with client:
        connection = Connection(Config(), server, None, None, patience=1.0, tls=None)
        yield connection, client
        connection.sock.close()


# What comes, part for part, and after which part the head is complete.
HEADS = [
    pytest.param([b"GET / HTTP/1.1\r\n\r\n"], 1, id="at once"),
    pytest.param([b"GET / HTTP/1.1\r\n\r\nbody"], 1, id="with a body"),
    pytest.param([b"GET / HTTP/1.1\r\nHost: x", b"\r\n", b"\r\n"], 3, id="in parts"),
    pytest.param([b"GET / HTTP/1.1\r", b"\n\r", b"\n"], 3, id="with parts of its end"),
    pytest.param([bytes([byte]) for byte in b"GET /\r\n\r\n"], 9, id="byte for byte"),
    pytest.param([b"\r\nGET / HTTP/1.1\r\n\r\n"], 1, id="behind an empty line"),
    pytest.param([b"\r\n", b"\r\n", b"GET /"], 0, id="behind two empty lines"),
    pytest.param([b"\r\n\r\n", b"\r\n"], 2, id="three empty lines"),
    pytest.param([b"GET / HTTP/1.1\r", b"\nHost: x\n"], 2, id="a bare LF"),
    pytest.param([b"GET / HTTP/1.1\r", b"\n", b"\n"], 3, id="a bare LF behind a CRLF in parts"),
    pytest.param([b"GET / HTTP/1.1\r\n", b"Host: x", b"\n"], 3, id="a bare LF by itself"),
    pytest.param([b"x" * LIMIT, b"x"], 2, id="too long"),
    pytest.param([b""], 0, id="nothing"),
]


@pytest.mark.parametrize(("parts", "complete"), HEADS)
def test_a_head_is_complete_with_its_last_byte_or_when_it_is_too_long(pair, parts, complete):
    connection, client = pair
    found = 0
    for number, part in enumerate(parts, 1):
        client.sendall(part)
        if connection.read(LIMIT):
            found = number
            break
    assert found == complete
    assert bytes(connection.head) == b"".join(parts[:complete] if complete else parts)


LINES = [
    pytest.param([b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 100, b"\r", b"\n"], [], id="as many as are allowed"),
    pytest.param([b"\r\nGET / HTTP/1.1\r\n", b"X: y\r\n" * 100, b"\r\n"], [], id="behind an empty line"),
    pytest.param([b"GET / HTTP/1.1\r\n", *[b"X: y\r", b"\n"] * 101], [203], id="one too many, in parts"),
    pytest.param([b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 500, b"X"], [1], id="far too many at once"),
]


@pytest.mark.parametrize(("parts", "refused"), LINES)
def test_a_head_with_too_many_fields_is_refused_before_its_end(pair, parts, refused):
    connection, client = pair
    found = []
    for number, part in enumerate(parts, 1):
        client.sendall(part)
        try:
            is_complete = connection.read(1_000_000)
        except LimitRequestHeaders:
            found.append(number)
            break
        assert is_complete is (number == len(parts))
    assert found == refused


def test_lines_that_go_on_are_no_fields_of_their_own(pair):
    connection, client = pair
    connection.cfg.set("permit_obsolete_folding", True)
    client.sendall(b"GET / HTTP/1.1\r\nX: y\r\n" + b" z\r\n" * 200)
    assert not connection.read(1_000_000)


class Counted(bytearray):
    """A head that counts how many bytes of it are copied."""

    copied = 0

    def __getitem__(self, key):
        part = super().__getitem__(key)
        self.copied += len(part)
        return part

    def count(self, *_):
        pytest.fail("the whole head is searched")


def test_of_a_long_head_only_what_is_new_is_looked_at(pair):
    connection, _ = pair
    connection.head = Counted(b"GET / HTTP/1.1\r\nX: " + b"x" * 500_000)
    for _ in range(100):
        assert not connection.has_head(1_000_000)
        connection.head.append(ord("x"))
    assert connection.head.copied < 501_000


def test_a_client_that_leaves_in_the_middle_is_an_error(pair):
    connection, client = pair
    client.sendall(b"GET /")
    client.close()
    with pytest.raises(ConnectionAbortedError):
        connection.read(LIMIT)


def test_the_parser_gets_what_has_been_read_and_gives_back_the_next_request(pair):
    connection, client = pair
    first, second = b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /second HTTP/1.1\r\nHost: x\r\n\r\n"
    client.sendall(first + second)
    assert connection.read(1000)
    connection.init()
    assert next(connection.parser).path == "/first"
    connection.take_back()
    assert bytes(connection.head) == second
    assert connection.read(1000)
    connection.init()
    assert next(connection.parser).path == "/second"
    assert connection.sock.gettimeout() is None

"""Request bodies are read strictly, in bounded memory, and never look complete when they are not."""

from __future__ import annotations

import io
import itertools
import json
import tracemalloc

import pytest

from multiserve.servers.development.request_body import BadBody, ClientGone, RequestBody


class Trickle(io.RawIOBase):
    """A connection on which the bytes come in pieces of one size; then the client has left."""

    def __init__(self, data: bytes, size: int) -> None:
        self.pieces = [data[start : start + size] for start in range(0, len(data), size)]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if not self.pieces:
            return 0
        piece = self.pieces.pop(0)
        taken, rest = piece[: len(buffer)], piece[len(buffer) :]
        if rest:
            self.pieces.insert(0, rest)
        buffer[: len(taken)] = taken
        return len(taken)


def stream(data: bytes, size: int = 1 << 20) -> io.BufferedReader:
    return io.BufferedReader(Trickle(data, size))


LINES = b"a\nbc\n\nlast"
CHUNKS = b'2\r\na\n\r\n01;name="a;b"\r\nb\r\n5 ; x=1;y\r\nc\n\nla\r\n2\r\nst\r\n000\r\nX-Sum: 1\r\nY:\r\n\r\n'


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("data", "length"), [pytest.param(LINES, len(LINES), id="length"), pytest.param(CHUNKS, None, id="chunked")]
)
@pytest.mark.parametrize(
    ("read", "expected"),
    [
        pytest.param(lambda body: body.read(), LINES, id="read"),
        pytest.param(lambda body: body.read(None), LINES, id="read None"),
        pytest.param(lambda body: body.read(10**18), LINES, id="read more than there is"),
        pytest.param(
            lambda body: [body.read(4), body.read(100), body.read(1)], [b"a\nbc", b"\n\nlast", b""], id="sizes"
        ),
        pytest.param(lambda body: [body.read(0), body.read1(0), body.readline(0)], [b"", b"", b""], id="nothing"),
        pytest.param(lambda body: b"".join(iter(body.read1, b"")), LINES, id="read1"),
        pytest.param(list, [b"a\n", b"bc\n", b"\n", b"last"], id="iterate"),
        pytest.param(lambda body: body.readlines(), [b"a\n", b"bc\n", b"\n", b"last"], id="readlines"),
        pytest.param(lambda body: [body.readline(1), body.readline(9)], [b"a", b"\n"], id="readline with a size"),
        pytest.param(lambda body: [body.readline(), body.read(2)], [b"a\n", b"bc"], id="a line and more"),
        pytest.param(lambda body: body.readinto(bytearray(4)), 4, id="readinto"),
        pytest.param(lambda body: io.TextIOWrapper(body).read(), LINES.decode(), id="wrapped"),
    ],
)
def test_every_way_to_read_ends_where_the_body_ends(data, length, size, read, expected):
    assert read(RequestBody(stream(data + b"GET / HTTP/1.1\r\n", size), length)) == expected


@pytest.mark.parametrize(("data", "length"), [(LINES, len(LINES)), (CHUNKS, None)])
def test_nothing_behind_the_body_is_read(data, length):
    connection = stream(data + b"GET")
    body = RequestBody(connection, length)
    assert not body.is_complete
    body.read()
    assert body.is_complete
    assert connection.read() == b"GET"


def test_a_body_without_a_byte_is_complete_from_the_start():
    told = []
    body = RequestBody(stream(b""), 0, lambda: told.append("100 Continue"))
    assert body.is_complete
    assert body.read() == b""
    assert told == []  # nobody waits to send it


@pytest.mark.parametrize(("data", "length"), [(LINES, len(LINES)), (CHUNKS, None)])
def test_what_is_to_be_done_before_the_first_read_is_done_once(data, length):
    told = []
    body = RequestBody(stream(data), length, lambda: told.append("100 Continue"))
    assert told == []
    body.read(3)
    body.read()
    assert told == ["100 Continue"]


LONG = b"a" * 9000
BAD = [
    pytest.param(b"+3\r\nabc\r\n0\r\n\r\n", id="sign"),
    pytest.param(b"-3\r\nabc\r\n0\r\n\r\n", id="minus"),
    pytest.param(b"0x3\r\nabc\r\n0\r\n\r\n", id="0x"),
    pytest.param(b"1_0\r\nabc\r\n0\r\n\r\n", id="underscore"),
    pytest.param(b" 3\r\nabc\r\n0\r\n\r\n", id="blank before"),
    pytest.param(b"3 \r\nabc\r\n0\r\n\r\n", id="blank behind"),
    pytest.param(b"\r\nabc\r\n0\r\n\r\n", id="empty"),
    pytest.param(b";a=b\r\nabc\r\n0\r\n\r\n", id="extension alone"),
    pytest.param(b"zz\r\nabc\r\n0\r\n\r\n", id="no digits"),
    pytest.param(b"\xd9\xa3\r\nabc\r\n0\r\n\r\n", id="digits of another script"),
    pytest.param(b"3\nabc\r\n0\r\n\r\n", id="bare LF behind a size"),
    pytest.param(b"3\rabc\r\n0\r\n\r\n", id="bare CR behind a size"),
    pytest.param(b"3;a\nb\r\nabc\r\n0\r\n\r\n", id="LF in an extension"),
    pytest.param(b"3;a\rb\r\nabc\r\n0\r\n\r\n", id="CR in an extension"),
    pytest.param(b"3;" + LONG + b"\r\nabc\r\n0\r\n\r\n", id="long extension"),
    pytest.param(b"0" * 17 + b"\r\n\r\n", id="17 digits"),
    pytest.param(b"3\r\nabc\n0\r\n\r\n", id="bare LF behind a chunk"),
    pytest.param(b"3\r\nabcd\r\n0\r\n\r\n", id="chunk longer than its size"),
    pytest.param(b"0\r\nnonsense\r\n\r\n", id="trailer without a colon"),
    pytest.param(b"0\r\nA : b\r\n\r\n", id="blank in a trailer's name"),
    pytest.param(b"0\r\nA: b\n\r\n", id="bare LF in a trailer"),
    pytest.param(b"0\r\nA: \0\r\n\r\n", id="NUL in a trailer"),
    pytest.param(b"0\r\nA: " + LONG + b"\r\n\r\n", id="long trailer"),
    pytest.param(b"0\r\n" + (b"A: " + b"a" * 4000 + b"\r\n") * 17 + b"\r\n", id="many trailers"),
    pytest.param(b"0\r\n\nGET", id="bare LF at the end"),
]


@pytest.mark.parametrize("data", BAD)
@pytest.mark.parametrize("size", [1, 100_000])
def test_a_malformed_chunk_raises_at_every_read_from_there_on(data, size):
    body = RequestBody(stream(data, size), None)
    for _ in range(2):
        with pytest.raises(BadBody):
            body.read()
    with pytest.raises(BadBody):
        body.readline()
    assert not body.is_complete


@pytest.mark.parametrize(
    ("data", "length"),
    [
        pytest.param(LINES, len(LINES), id="length"),
        pytest.param(CHUNKS, None, id="chunked"),
    ],
)
def test_an_upload_that_breaks_off_anywhere_raises(data, length):
    for end, read in itertools.product(range(len(data)), (RequestBody.read, RequestBody.readlines)):
        body = RequestBody(stream(data[:end]), length)
        for _ in range(2):
            with pytest.raises(ClientGone) as caught:
                read(body)
        assert str(caught.value) == "the client has left before its request body was complete"
        assert body.fault is caught.value
        assert not body.is_complete


def test_what_came_before_the_break_can_be_read():
    body = RequestBody(stream(b"3\r\nabc\r\n"), None)
    assert body.read(3) == b"abc"
    with pytest.raises(ClientGone):
        body.read(1)


@pytest.mark.parametrize(
    ("head", "length"),
    [
        pytest.param(b"ffffffffffffffff\r\n", None, id="a chunk size of 16 digits"),
        pytest.param(b"", 10**18, id="a length of 19 digits"),
    ],
)
@pytest.mark.parametrize("size", [-1, 10**15])
def test_memory_is_bounded_by_what_comes(head, length, size):
    body = RequestBody(stream(head + b"a" * 100), length)
    tracemalloc.start()
    try:
        with pytest.raises(ClientGone):
            body.read(size)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_timeout_is_raised_at_every_read_from_there_on():
    class Slow(Trickle):
        def readinto(self, buffer) -> int:
            if not self.pieces:
                raise TimeoutError("timed out")
            return super().readinto(buffer)

    body = RequestBody(io.BufferedReader(Slow(b'{"a"', 9)), 100)
    for _ in range(2):
        with pytest.raises(TimeoutError, match="timed out"):
            json.load(body)

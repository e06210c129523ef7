from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from multiserve.probing.exchange import Received
from multiserve.probing.wsgi_client import WSGIClient

URL = "http://localhost:8000/a%20b?c=é"


def ask_wsgi(application: Any, seconds: float = 5) -> Received:
    with WSGIClient(application) as client:
        return client.ask("GET", URL, "*/*", seconds)


class Chunks:
    """A response without an end, which knows whether it was closed."""

    def __init__(self) -> None:
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield b"x" * 300_000

    def close(self) -> None:
        self.is_closed = True


def test_a_response_without_an_end_is_read_up_to_a_megabyte_and_closed() -> None:
    chunks = Chunks()

    def application(environ: Any, start_response: Any) -> Chunks:
        start_response("200 OK", [("X", "y")])
        return chunks

    received = ask_wsgi(application)
    assert (received.status, received.header("x"), len(received.body), received.error) == (200, "y", 1_200_000, None)
    assert chunks.is_closed


def test_start_response_may_be_called_again_for_an_error_until_something_is_sent() -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        error = LookupError("late")
        start_response("500 Oh", [("A", "b")], (LookupError, error, None))
        write(b"x")
        start_response("501 Oh", [], (LookupError, error, None))
        return []

    received = ask_wsgi(application)
    assert (received.status, received.headers, bytes(received.body)) == (500, [("a", "b")], b"x")
    assert isinstance(received.error, LookupError)

"""What the connections of a listener share."""

from __future__ import annotations

import pytest

from multiserve.servers.engine.state import State


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param((), b"server: x\r\ndate: now\r\n", id="nothing"),
        pytest.param((b"content-length",), b"server: x\r\ndate: now\r\n", id="another one"),
        pytest.param((b"date",), b"server: x\r\n", id="one of them"),
        pytest.param((b"date", b"server"), b"", id="both"),
    ],
)
def test_an_application_may_send_a_default_header_itself(own, expected):
    state = State(None)
    state.set_default_headers((b"server", b"x"), (b"date", b"now"))
    assert state.default_fields(own) == expected
    assert state.default_headers == [(b"server", b"x"), (b"date", b"now")]


def test_the_connection_that_was_heard_last_is_the_last_one():
    connections = State(None).connections
    for each in ("a", "b"):
        connections.add(each)
    connections.move_to_end("a")
    assert [*connections] == ["b", "a"]
    connections.discard("b")
    connections.discard("none")
    assert [*connections] == ["a"]

"""Clients that keep the server waiting are given up, and only they."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace

import pytest

from multiserve.servers.engine.slow_clients import unsent

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"

SLOW = [
    pytest.param([], b"", id="nothing"),
    pytest.param([b"GET / HT"], b"HTTP/1.1 408 Request Timeout\r\n", id="half a head"),
    pytest.param([HEAD + b"Content-Length: 9\r\n\r\nabc"], b"HTTP/1.1 408 Request Timeout\r\n", id="half a body"),
]


@pytest.mark.parametrize(("parts", "answer"), SLOW)
def test_a_client_that_sends_no_more_is_given_up(act, parts, answer):
    async def scene_of(scene):
        connection, transport = await scene.send(*parts)
        connection.look(0.0, 30.0)
        connection.look(29.0, 30.0)
        assert not connection.is_refused
        connection.look(31.0, 30.0)
        await act.settle()
        return connection, transport

    connection, transport = act(scene_of)
    assert transport.written[: len(answer)] == answer
    assert connection.is_refused or transport.closing


def test_a_client_that_goes_on_sending_a_body_is_not(act):
    async def scene_of(scene):
        connection, transport = await scene.send(HEAD + b"Content-Length: 9\r\n\r\n")
        for second in range(0, 100, 20):
            connection.look(float(second), 30.0)
            connection.data_received(b"x")
        await act.settle()
        return transport

    assert act(scene_of).written == b""


def test_an_application_that_takes_its_time_is_not_the_clients_fault(act):
    async def application(scope, receive, send):
        await receive()
        await asyncio.Event().wait()

    async def scene_of(scene):
        connection, transport = await scene.send(HEAD + b"Content-Length: 1\r\n\r\nx")
        for second in range(0, 100, 20):
            connection.look(float(second), 30.0)
        await act.settle()
        return transport.written, transport.closing

    assert act(scene_of, application=application) == (b"", False)


@pytest.mark.parametrize("rest", [b"", b"GE"], ids=["one request", "with a part of the next head behind it"])
def test_an_application_that_waits_for_its_client_to_leave_is_not_its_clients_fault(act, rest):
    async def application(scope, receive, send):
        while (await receive())["type"] != "http.disconnect":
            pass

    async def scene_of(scene):
        connection, transport = await scene.send(HEAD + b"Content-Length: 1\r\n\r\n", b"x" + rest)
        for second in range(0, 100, 20):
            connection.look(float(second), 30.0)
        await act.settle()
        return transport.written, transport.closing

    assert act(scene_of, application=application) == (b"", False)


def test_a_client_that_does_not_read_is_cut_off(act):
    async def scene_of(scene):
        connection, transport = await scene.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        transport.unread = 9
        connection.look(0.0, 30.0)
        transport.unread = 8  # it reads
        connection.look(31.0, 30.0)
        assert not transport.closing
        connection.look(62.0, 30.0)
        return transport

    assert act(scene_of).events[-1] == "abort"


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="Windows does not tell what is unsent")
def test_the_kernel_tells_what_is_unsent():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport = SimpleNamespace(get_extra_info=lambda _: ours)
        ours.sendall(b"x" * 5000)
        before = unsent(transport)
        theirs.recv(10_000)
        assert before > unsent(transport)
    assert unsent(transport) == 0

"""The listener on real sockets: it accepts what waits when it stops, and lives through the end of descriptors."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket

import pytest

from multiserve.servers.engine.listener import Listener, hand_over_errors
from multiserve.servers.engine.settings import EngineSettings

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def hello(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture
def serve():
    """Serve on a free port, and run a coroutine function with the listener and the address."""

    def serve(client, application=hello, **settings):
        async def run():
            listener = Listener(application, EngineSettings(**settings), logging.getLogger("listener"))
            sock = socket.create_server(("127.0.0.1", 0))
            address = sock.getsockname()
            await listener.start([sock])
            try:
                return await client(listener, address)
            finally:
                await listener.stop(0)

        return asyncio.run(run())

    return serve


async def ask(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(GET)
    data = await reader.readuntil(b"hello")
    writer.close()
    return data


def test_it_answers_counts_and_dates(serve):
    async def client(listener, address):
        data = await ask(address)
        return data, listener.answered

    data, answered = serve(client)
    assert data.startswith(b"HTTP/1.1 200 OK\r\nserver: multiserve\r\ndate: ")
    assert answered == 1


def test_connections_that_wait_when_it_stops_are_served(serve):
    async def client(listener, address):
        with contextlib.ExitStack() as opened:
            waiting = [opened.enter_context(socket.create_connection(address)) for _ in range(100)]
            for each in waiting:  # more than are accepted at once
                each.sendall(GET)
            await listener.stop(30, 5)
            return [each.recv(65536).endswith(b"\r\n\r\nhello") for each in waiting]

    assert serve(client) == [True] * 100


def test_a_socket_is_free_when_it_has_stopped(serve):
    async def client(listener, address):
        await listener.stop(0)
        socket.create_server(address).close()

    serve(client)


def test_where_descriptors_run_out_the_oldest_idle_connection_goes_and_the_log_stays_short(serve, caplog):
    async def client(listener, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(GET)
        await reader.readuntil(b"hello")
        loop = asyncio.get_running_loop()
        error = OSError(errno.EMFILE, "Too many open files")
        for _ in range(100):
            loop.call_exception_handler({"message": "socket.accept() out of system resource", "exception": error})
        rest = await reader.read()
        writer.close()
        return rest

    assert serve(client) == b""
    assert caplog.messages == ["Cannot accept more connections: [Errno 24] Too many open files"]


def test_other_errors_of_the_loop_are_logged_as_ever(serve, caplog):
    async def client(listener, address):
        asyncio.get_running_loop().call_exception_handler({"message": "something else"})

    serve(client)
    assert [record.name for record in caplog.records] == ["asyncio"]


def test_uvicorns_own_warnings_go_where_ours_go():
    kept = []
    handler = logging.Handler()
    handler.emit = kept.append
    logger = logging.getLogger("uvicorn.error")
    before = list(logger.handlers), logger.level, logger.propagate
    try:
        hand_over_errors([handler], logging.INFO)
        logger.info("accepted")
        logger.warning("odd")
    finally:
        logger.handlers[:], logger.level, logger.propagate = before
    assert [record.getMessage() for record in kept] == ["odd"]

"""A connection whose last response promised to stay open takes one more request, though the worker has been stopped."""

from __future__ import annotations

import asyncio
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip("gunicorn.asgi", reason="gunicorn does not run on Windows")

from gunicorn.config import Config
from gunicorn.glogging import Logger

from multiserve.servers.asgi.kept_promise import PromisingConnection

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HEADERS = [(b"content-length", b"4")]


class Scene:
    """One connection to a worker, whose application goes on when it is told to."""

    def __init__(self):
        cfg = Config()
        self.worker = SimpleNamespace(
            asgi=self.application,
            cfg=cfg,
            log=Logger(cfg),
            loop=asyncio.get_running_loop(),
            alive=True,
            nr=0,
            nr_conns=0,
            max_requests=sys.maxsize,
        )
        self.begin, self.end, self.connected = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.begin.set()
        self.end.set()

    async def application(self, scope, receive, send):
        await self.begin.wait()
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": b"he", "more_body": True})
        await self.end.wait()
        await send({"type": "http.response.body", "body": b"re"})

    async def __aenter__(self):
        self.server = await self.worker.loop.create_server(self.connect, "127.0.0.1", 0)
        self.reader, self.writer = await asyncio.open_connection(*self.server.sockets[0].getsockname())
        return self

    def connect(self):
        self.connection = PromisingConnection(self.worker)
        self.connected.set()
        return self.connection

    async def __aexit__(self, *_):
        self.writer.close()
        self.server.close()
        await self.server.wait_closed()

    def stop(self):
        self.connection.keep_promise()
        self.worker.alive = False

    async def read(self):
        """Give whether the next response ends the connection."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert await asyncio.wait_for(self.reader.readexactly(4), 20) == b"here"
        return b"connection: close" in head.lower()

    async def is_closed(self):
        return await asyncio.wait_for(self.reader.read(), 20) == b""


def play(act):
    async def run():
        async with Scene() as scene:
            await act(scene)

    asyncio.run(run())


def test_a_stop_in_the_middle_of_a_response_leaves_time_for_one_more_request():
    async def act(scene):
        scene.end.clear()
        scene.writer.write(REQUEST)
        assert (await scene.reader.read(100)).endswith(b"he")
        scene.stop()
        scene.end.set()
        assert await scene.reader.readexactly(2) == b"re"
        scene.writer.write(REQUEST)
        assert await scene.read()
        assert await scene.is_closed()

    play(act)


def test_a_stop_before_the_response_begins_is_told_to_the_client():
    async def act(scene):
        scene.begin.clear()
        scene.writer.write(REQUEST)
        await scene.connected.wait()
        scene.stop()
        scene.begin.set()
        assert await scene.read()
        assert await scene.is_closed()

    play(act)


def test_a_stop_between_two_requests_is_told_with_the_next_response():
    async def act(scene):
        scene.writer.write(REQUEST)
        assert not await scene.read()
        scene.stop()
        scene.writer.write(REQUEST)
        assert await scene.read()
        assert await scene.is_closed()

    play(act)


def test_a_client_that_wants_the_connection_closed_has_it_closed():
    async def act(scene):
        scene.end.clear()
        scene.writer.write(REQUEST.replace(b"Host", b"Connection: close\r\nHost"))
        assert (await scene.reader.read(200)).endswith(b"he")
        scene.stop()
        scene.end.set()
        assert await scene.reader.readexactly(2) == b"re"
        assert await scene.is_closed()

    play(act)

"""A connection over a transport that is none, with an application that does what a test wants."""

from __future__ import annotations

import asyncio
import logging

import pytest

from multiserve.servers.engine.connection import Connection
from multiserve.servers.engine.listener import Listener
from multiserve.servers.engine.settings import EngineSettings


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self, protocol):
        super().__init__()
        self.protocol = protocol
        self.packets = []
        self.unread = 0  # bytes that the client does not take
        self.events = []
        self.closing = False

    @property
    def written(self):
        return b"".join(self.packets)

    def write(self, data):
        if data and not self.closing:
            self.packets.append(data)

    def is_closing(self):
        return self.closing

    def close(self):
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def abort(self):
        self.events.append("abort")
        self.close()

    def set_protocol(self, protocol):
        self.protocol = protocol

    def can_write_eof(self):
        return True

    def write_eof(self):
        self.events.append("eof")

    def pause_reading(self):
        self.events.append("pause")

    def resume_reading(self):
        self.events.append("resume")

    def get_write_buffer_size(self):
        return self.unread

    def get_extra_info(self, name, default=None):
        return {"peername": ("192.0.2.1", 4000), "sockname": ("127.0.0.1", 8000)}.get(name, default)


class Scene:
    """A listener without sockets, and what it logs."""

    def __init__(self, application, **settings):
        self.records = []
        handler = logging.Handler()
        handler.emit = self.records.append
        log = logging.Logger("scene")  # noqa: LOG001 (a new one for each scene)
        log.addHandler(handler)
        self.accesses = []
        self.listener = Listener(application, EngineSettings(**settings), log, self.accesses.append)
        self.loop = self.listener._loop = asyncio.get_running_loop()  # noqa: SLF001 (as `start` does)
        self.listener.state.set_default_headers((b"server", b"x"), (b"date", b"now"))

    @property
    def logged(self):
        return [record.getMessage() for record in self.records]

    def connect(self):
        connection = Connection(self.listener, self.loop)
        transport = Transport(connection)
        connection.connection_made(transport)
        return connection, transport

    async def send(self, *parts):
        """Send parts on a new connection, each once the one before has had its effect."""
        connection, transport = self.connect()
        for part in parts:
            transport.protocol.data_received(part)
            await settle()
        return connection, transport


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


async def echo(scope, receive, send):
    """Answer the method, the target and the body."""
    body = b""
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise OSError("the client has left")
        body += event["body"]
        more = event["more_body"]
    text = b"%b %b %b" % (scope["method"].encode(), scope["raw_path"], body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


@pytest.fixture
def play():
    """Send parts to an application, and give the scene, the connection and the transport."""

    def play(*parts, application=echo, **settings):
        async def run():
            scene = Scene(application, **settings)
            connection, transport = await scene.send(*parts)
            return scene, connection, transport

        return asyncio.run(run())

    return play


@pytest.fixture
def act(run_by_own_clock):
    """Run a coroutine function that takes a scene."""

    def act(scene_of, application=echo, **settings):
        async def run():
            return await scene_of(Scene(application, **settings))

        return run_by_own_clock(run())

    act.settle = settle
    act.echo = echo
    return act

"""The client of a group, against servers that answer what the test says."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path

import pytest

from multiserve.mounts.grouped import client as module
from multiserve.mounts.grouped.client import Client
from multiserve.mounts.proxied.failures import BrokenOffError, UpstreamError
from multiserve.upstreams import Upstream

PATIENCE = 20.0
HOST = [("Host", "group")]
GROUP = Upstream(socket="that of the client")


class Server:
    """Answers each connection with the next of some scripts: a coroutine function of reader and writer."""

    def __init__(self, path, scripts):
        self.path = path
        self.scripts = list(scripts)
        self.connections = 0
        self.requests = []
        self.tasks = []

    async def __call__(self, reader, writer):
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        self.tasks.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await script(self, reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def answering(*answers):
    """Return a script that reads a head for each answer, and sends the answer."""

    async def script(server, reader, writer):
        for answer in answers:
            server.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            await writer.drain()
        await reader.read()  # the client closes it

    return script


def closing(*answers):
    """Return a script that sends its answers and closes the connection."""

    async def script(server, reader, writer):
        for answer in answers:
            server.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            await writer.drain()

    return script


def run(act, *scripts):
    """Run a test with a client of a server that does what the scripts say."""

    async def main():
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            path = str(Path(folder) / "group.sock")
            server = Server(path, scripts)
            listening = await asyncio.start_unix_server(server, path)
            client = Client(path)
            try:
                async with asyncio.timeout(PATIENCE):
                    return await act(client, server)
            finally:
                await client.close()
                listening.close()
                await asyncio.gather(*server.tasks)

    return asyncio.run(main())


async def ask(client, method="GET", target=("/", ""), headers=HOST, body=None):
    async with client.request(GROUP, method, target, headers, body) as response:
        parts = []
        while not response.is_complete:
            parts.append(await response.read())
        return response.status, dict(response.raw_headers), b"".join(parts)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
WHOLE = [
    pytest.param("GET", OK, 200, b"ok", id="a length"),
    pytest.param("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b"", id="nothing"),
    pytest.param(
        "GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n", 200, b"ok!",
        id="chunks",
    ),
    pytest.param("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", id="204"),
    pytest.param("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b"", id="304"),
    pytest.param("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, b"", id="HEAD with a length"),
    pytest.param("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, b"", id="HEAD with chunks"),
    pytest.param("GET", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, 200, b"ok", id="an interim response"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "answer", "status", "body"), WHOLE)
def test_a_response_comes_whole_and_the_connection_serves_again(method, answer, status, body):
    async def act(client, server):
        for _ in range(2):
            found = await ask(client, method)
            assert (found[0], found[2]) == (status, body)
            assert b"Link" not in found[1]
        assert server.connections == 1

    run(act, answering(answer, answer))


def test_the_request_is_sent_as_it_is():
    async def act(client, server):
        await ask(client, "REPORT", ("/a%20b", "q=1"), [("Host", "x"), ("X-A", "1"), ("X-A", "2")])
        assert server.requests == [b"REPORT /a%20b?q=1 HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nX-A: 2\r\n\r\n"]

    run(act, answering(OK))


def test_requests_at_a_time_have_connections_of_their_own():
    async def act(client, server):
        found = await asyncio.gather(*(ask(client) for _ in range(5)))
        assert [each[2] for each in found] == [b"ok"] * 5
        assert server.connections == 5

    run(act, answering(OK))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", id="asked to close"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", id="HTTP/1.0"),
    ],
)
def test_a_connection_that_is_to_be_closed_is_not_used_again(answer):
    async def act(client, server):
        assert [(await ask(client))[2] for _ in range(2)] == [b"ok", b"ok"]
        assert server.connections == 2

    run(act, answering(answer))


def test_an_idle_connection_is_not_trusted_for_long(monkeypatch):
    monkeypatch.setattr(module, "_IDLE", 0.0)

    async def act(client, server):
        assert [(await ask(client))[2] for _ in range(2)] == [b"ok", b"ok"]
        assert server.connections == 2

    run(act, answering(OK, OK))


BROKEN = [
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", id="a length"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", id="chunks"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", id="half a chunk"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n", id="no chunk"),
]


@pytest.mark.parametrize("answer", BROKEN)
def test_a_response_that_is_broken_off_is_an_error(answer):
    async def act(client, server):
        with pytest.raises(BrokenOffError, match=r"^the process of the group "):
            await ask(client)

    run(act, closing(answer))


NONE = [
    pytest.param(closing(b""), "closed the connection without an answer", id="nothing"),
    pytest.param(closing(b"HTTP/1.1 200 OK\r\nContent"), "closed the connection without an answer", id="half a head"),
    pytest.param(closing(b"hello\r\n\r\n"), "sent an invalid response: Invalid HTTP version", id="no response"),
]


@pytest.mark.parametrize(("script", "reason"), NONE)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_first_request_without_an_answer_is_an_error(method, script, reason):
    async def act(client, server):
        with pytest.raises(UpstreamError) as caught:
            await ask(client, method)
        assert str(caught.value).startswith(reason.partition(": Invalid")[0])
        assert server.connections == 1

    run(act, script)


def test_nothing_is_sent_twice():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    async def then_silent(server, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await reader.readuntil(b"\r\n\r\n")

    async def act(client, server):
        await ask(client)
        with pytest.raises(UpstreamError, match=r"^closed the connection without an answer$"):
            await ask(client)
        assert server.connections == 1

    run(act, then_silent, answering(answer))


def test_a_connection_that_was_closed_meanwhile_is_not_used():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    async def act(client, server):
        await ask(client)
        await server.tasks[0]
        await asyncio.sleep(0)
        assert (await ask(client))[0] == 200
        assert server.connections == 2

    run(act, closing(answer), answering(answer))


def test_a_group_that_takes_no_connections_is_an_error(tmp_path):
    async def act():
        with pytest.raises(UpstreamError, match=r"^takes no connections: No such file or directory$"):
            await ask(Client(str(tmp_path / "none.sock")))

    asyncio.run(act())


# Bodies of requests.


async def parts(*given):
    for part in given:
        yield part


async def read_chunks(reader):
    body = b""
    while size := int((await reader.readline()).strip(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def echo(server, reader, writer):
    """Answer each request with its body."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        server.requests.append(head)
        if b"Transfer-Encoding" in head:
            body = await read_chunks(reader)
        else:
            length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or 0)
            body = await reader.readexactly(length)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()


def test_a_body_is_sent_with_its_length_or_in_chunks():
    async def act(client, server):
        headers = [*HOST, ("Content-Length", "5")]
        assert (await ask(client, "POST", headers=headers, body=parts(b"he", b"llo")))[2] == b"hello"
        assert (await ask(client, "POST", body=parts(b"he", b"llo")))[2] == b"hello"
        assert (await ask(client, "PUT", body=parts()))[2] == b""
        assert (await ask(client))[2] == b""
        assert server.connections == 1
        assert b"Transfer-Encoding" not in server.requests[0]

    run(act, echo)


def test_an_answer_may_come_before_the_body_is_whole():
    async def act(client, server):
        async def endless():
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0)

        assert (await ask(client, "POST", body=endless()))[2] == b"ok"
        assert (await ask(client))[2] == b"ok"
        assert server.connections == 2  # nobody knows where the first body would have ended

    run(act, answering(OK), answering(OK))


MEGABYTES = 24
BLOCK = b"x" * 65536
BLOCKS = MEGABYTES * 16
HEADERS = [*HOST, ("Content-Length", str(MEGABYTES * 1024 * 1024))]


async def _let_others_run(rounds=200):
    for _ in range(rounds):
        await asyncio.sleep(0)


def test_the_body_of_a_request_is_not_kept_in_memory():
    go_on = asyncio.Event()
    taken = []

    async def slow(server, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        for _ in range(BLOCKS):
            await reader.readexactly(len(BLOCK))
        writer.write(OK)
        await reader.read()

    async def body():
        for _ in range(BLOCKS):
            taken.append(1)
            yield BLOCK

    async def act(client, server):
        asking = asyncio.create_task(ask(client, "POST", headers=HEADERS, body=body()))
        await _let_others_run()
        assert 1 < len(taken) < 32  # two megabytes: what the system takes, and our own buffer
        go_on.set()
        assert (await asking)[2] == b"ok"
        assert len(taken) == BLOCKS

    run(act, slow)


def test_the_body_of_a_response_is_not_kept_in_memory():
    sent = []

    async def much(server, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (BLOCKS * len(BLOCK)))
        for _ in range(BLOCKS):
            writer.write(BLOCK)
            await writer.drain()
            sent.append(1)
        await reader.read()

    async def act(client, server):
        size = 0
        async with client.request(GROUP, "GET", ("/", ""), HOST) as response:
            await _let_others_run()
            assert len(sent) < 64
            while not response.is_complete:
                part = await response.read()
                assert len(part) < 1024 * 1024
                size += len(part)
        assert size == BLOCKS * len(BLOCK)

    run(act, much)


def test_what_comes_behind_a_response_is_for_nobody():
    chunked = b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n0\r\n\r\n"

    async def act(client, server):
        for _ in range(2):
            found = await ask(client)
            assert (found[0], found[2]) == (200, b"ok")
            assert b"Transfer-Encoding" not in found[1]
        assert server.connections == 2

    run(act, answering(OK + chunked), answering(OK))


def test_what_comes_while_nobody_asks_closes_the_connection():
    async def unasked(server, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await writer.drain()
        await go_on.wait()
        writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\n")
        await reader.read()

    go_on = asyncio.Event()

    async def act(client, server):
        assert (await ask(client))[2] == b"ok"
        go_on.set()
        await server.tasks[0]
        assert (await ask(client))[2] == b"ok"
        assert server.connections == 2

    run(act, unasked, answering(OK))


def test_a_head_of_an_empty_response_keeps_its_connection():
    async def act(client, server):
        for _ in range(2):
            assert (await ask(client, "HEAD"))[0] == 200
        assert server.connections == 1

    empty = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    run(act, answering(empty, empty))

"""WebSockets through a proxied mount, against a server of the library websockets."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from typing import Any

import pytest
from websockets.asyncio.server import serve

DENIAL = {"websocket.http.response": {}}


@dataclasses.dataclass
class Side:
    """The client's side of a WebSocket: what it says, and what has been sent to it."""

    says: asyncio.Queue[Any] = dataclasses.field(default_factory=asyncio.Queue)
    sent: asyncio.Queue[Any] = dataclasses.field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.says.put_nowait({"type": "websocket.connect"})

    async def receive(self) -> Any:
        return await self.says.get()

    async def send(self, message: Any) -> None:
        await self.sent.put(message)

    def say(self, kind: str, **more: Any) -> None:
        self.says.put_nowait({"type": f"websocket.{kind}", **more})


class Hall:
    """A server of WebSockets.

    Attributes:
        handshakes: The requests that opened them.
        ends: Code and reason with which each was closed by the other side.
    """

    def __init__(self, **options: Any) -> None:
        self.handshakes: list[Any] = []
        self.ends: asyncio.Queue[Any] = asyncio.Queue()
        self.options = options

    async def talk(self, connection: Any) -> None:
        self.handshakes.append(connection.request)
        with contextlib.suppress(Exception):
            async for message in connection:
                if message == "bye":
                    await connection.close(4001, "so long")
                elif message == "vanish":
                    connection.transport.abort()
                else:
                    await connection.send(message)
        await self.ends.put((connection.close_code, connection.close_reason))

    @contextlib.asynccontextmanager
    async def open(self):
        async with serve(self.talk, "127.0.0.1", 0, compression=None, max_size=None, **self.options) as server:
            yield server.sockets[0].getsockname()[1]


@pytest.fixture
def visit(proxy, scope, run):
    """Open a WebSocket through a mount to a hall, and do something with it."""

    def through(hall, act, *, headers=(), options=None, **more):
        async def whole():
            async with hall.open() as port:
                mount, side = proxy(f"http://127.0.0.1:{port}", **(options or {})), Side()
                extensions = {"subprotocols": [], "extensions": DENIAL, **more}
                given = scope("/app/ws", type="websocket", scheme="ws", headers=headers, **extensions)
                call = asyncio.create_task(mount(given, side.receive, side.send))
                try:
                    return await act(side)
                finally:
                    side.say("disconnect", code=1006)
                    await call

        return run(whole)

    return through


def test_messages_go_both_ways(visit):
    async def talk(side):
        accepted = await side.sent.get()
        for said in ({"text": "hé"}, {"bytes": b"\0\xff", "text": None}, {"text": "x" * 3_000_000}):
            side.say("receive", **said)
        return accepted, [await side.sent.get() for _ in range(3)]

    accepted, answers = visit(Hall(), talk)
    assert accepted == {"type": "websocket.accept", "subprotocol": None, "headers": []}
    assert answers == [
        {"type": "websocket.send", "text": "hé"},
        {"type": "websocket.send", "bytes": b"\0\xff"},
        {"type": "websocket.send", "text": "x" * 3_000_000},
    ]


def test_the_handshake_has_the_subprotocols_and_the_headers_of_the_client(visit):
    hall = Hall(subprotocols=["b"], process_response=lambda _c, _request, response: add_cookie(response))
    given = [
        (b"cookie", b"a=b"),
        (b"origin", b"http://shop.test"),
        (b"upgrade", b"websocket"),
        (b"connection", b"upgrade, x-secret"),
        (b"x-secret", b"1"),
        (b"sec-websocket-key", b"AAAA"),
        (b"sec-websocket-extensions", b"permessage-deflate"),
        (b"x-forwarded-for", b"9.9.9.9"),
    ]

    async def talk(side):
        return await side.sent.get()

    accepted = visit(hall, talk, headers=given, subprotocols=["a", "b"], query_string=b"token=%2F")
    assert accepted["subprotocol"] == "b"
    assert (b"set-cookie", b"c=d") in accepted["headers"]
    assert not [name for name, _ in accepted["headers"] if name.startswith(b"sec-") or name in (b"date", b"server")]
    [request] = hall.handshakes
    assert request.path == "/app/ws?token=%2F"
    found = {name.lower(): value for name, value in request.headers.raw_items()}
    assert found.pop("sec-websocket-key") != "AAAA"
    assert found == {
        "host": "shop.test",
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-protocol": "a, b",
        "cookie": "a=b",
        "origin": "http://shop.test",
        "via": "1.1 multiserve",
        "x-forwarded-for": "192.0.2.7",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "shop.test",
        "x-forwarded-port": "80",
    }


def add_cookie(response):
    response.headers["Set-Cookie"] = "c=d"
    return response


@pytest.mark.parametrize(
    ("last", "code", "reason"),
    [
        pytest.param("bye", 4001, "so long", id="a goodbye"),
        pytest.param("vanish", 1014, "", id="a connection that breaks"),
    ],
)
def test_the_client_learns_how_the_server_ends_it(visit, last, code, reason):
    async def talk(side):
        await side.sent.get()
        side.say("receive", text=last)
        return await side.sent.get()

    assert visit(Hall(), talk) == {"type": "websocket.close", "code": code, "reason": reason}


@pytest.mark.parametrize(
    ("told", "code", "reason"),
    [
        pytest.param({"code": 4002, "reason": "enough"}, 4002, "enough", id="a goodbye"),
        pytest.param({"code": 1005}, 1000, "", id="one without a code"),
        pytest.param({"code": 1012}, 1012, "", id="a server that stops"),
        pytest.param({"code": 1006}, 1006, "", id="a client that vanishes"),
    ],
)
def test_the_server_learns_how_the_client_ends_it(visit, told, code, reason):
    hall = Hall()

    async def talk(side):
        await side.sent.get()
        side.say("disconnect", **told)
        return await hall.ends.get()

    assert visit(hall, talk) == (code, reason)


def test_a_refusal_is_handed_on_with_its_body(visit):
    def refuse(connection, _request):
        response = connection.respond(401, "Sign in first\n")
        response.headers["WWW-Authenticate"] = "Basic"
        return response

    async def talk(side):
        return await side.sent.get(), await side.sent.get()

    start, body = visit(Hall(process_request=refuse), talk)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert dict(start["headers"])[b"www-authenticate"] == b"Basic"
    assert body == {"type": "websocket.http.response.body", "body": b"Sign in first\n"}


def test_a_refusal_closes_where_the_clients_server_has_no_words_for_it(visit):
    async def talk(side):
        return await side.sent.get()

    hall = Hall(process_request=lambda connection, _: connection.respond(403, "no"))
    assert visit(hall, talk, extensions={}) == {"type": "websocket.close"}


def test_a_server_that_is_not_there_is_502(proxy, scope, run, serve_raw):
    server = serve_raw(b"")
    server.close()

    async def whole():
        side = Side()
        given = scope("/app/ws", type="websocket", scheme="ws", subprotocols=[], extensions=DENIAL)
        await proxy(f"http://127.0.0.1:{server.port}")(given, side.receive, side.send)
        return await side.sent.get(), await side.sent.get()

    start, body = run(whole)
    assert (start["status"], body["body"]) == (502, b"Bad Gateway: the server behind /app did not answer.\n")


@pytest.mark.parametrize(
    ("response", "status"),
    [
        pytest.param(b"", 502, id="nothing"),
        pytest.param(b"SSH-2.0\r\n\r\n", 502, id="another protocol"),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: AAAA\r\n\r\n",
            502,
            id="a wrong accept",
        ),
        pytest.param(None, 504, id="silence"),
    ],
)
def test_what_is_no_handshake_is_refused(proxy, scope, run, serve_raw, response, status):
    def answer(connection, _head, _data):
        if response is None:
            connection.recv(1)
        else:
            connection.sendall(response)

    server = serve_raw(answer)

    async def whole():
        side = Side()
        given = scope("/app/ws", type="websocket", scheme="ws", subprotocols=[], extensions=DENIAL)
        await proxy(f"http://127.0.0.1:{server.port}", timeout=30 if response else 0.3)(given, side.receive, side.send)
        return await side.sent.get()

    assert run(whole)["status"] == status


def test_a_client_that_leaves_during_the_handshake_is_not_waited_for(proxy, scope, run, serve_raw):
    server = serve_raw(lambda connection, *_: connection.recv(1) and None)

    async def whole():
        side = Side()
        side.say("disconnect", code=1006)
        given = scope("/app/ws", type="websocket", scheme="ws", subprotocols=[], extensions=DENIAL)
        await proxy(f"http://127.0.0.1:{server.port}")(given, side.receive, side.send)
        return side.sent.empty()

    assert run(whole)


def test_a_server_may_return_any_awaitable(proxy, scope, run, serve_raw):
    """As granian does."""

    class Event:
        def __init__(self, found):
            self.found = found

        def __await__(self):
            return self.found.__await__()

    server = serve_raw(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    async def whole():
        side = Side()
        given = scope("/app/ws", type="websocket", scheme="ws", subprotocols=[], extensions=DENIAL)
        await proxy(f"http://127.0.0.1:{server.port}")(given, lambda: Event(side.receive()), side.send)
        return await side.sent.get()

    assert run(whole)["status"] == 403


def test_a_socket_will_do(proxy, scope, run, tmp_path):
    from websockets.asyncio.server import unix_serve

    async def whole():
        hall = Hall()
        async with unix_serve(hall.talk, str(tmp_path / "a.sock"), compression=None):
            side = Side()
            given = scope("/app/ws", type="websocket", scheme="ws", subprotocols=[], extensions=DENIAL)
            call = asyncio.create_task(proxy(f"unix:{tmp_path}/a.sock")(given, side.receive, side.send))
            await side.sent.get()
            side.say("receive", text="hi")
            answer = await side.sent.get()
            side.say("disconnect", code=1000)
            await call
            return answer

    assert run(whole) == {"type": "websocket.send", "text": "hi"}

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.validate import validator

import pytest

from multiserve.dispatch.bridge import WSGIBridge
from multiserve.dispatch.conversation import ClientGone
from multiserve.dispatch.threads import ThreadPool

Message = dict[str, Any]


class Client:
    """The server's side of one request: what the client sends, and what it gets."""

    def __init__(self, *body: bytes, disconnects: bool = False) -> None:
        self.events: asyncio.Queue[Message] = asyncio.Queue()
        for number, part in enumerate(body, 1):
            self.events.put_nowait({"type": "http.request", "body": part, "more_body": number < len(body)})
        if disconnects:
            self.leave()
        self.received = 0
        self.sent: list[Message] = []
        self.arrived = asyncio.Event()

    def leave(self) -> None:
        self.events.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> Message:
        self.received += 1
        return await self.events.get()

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        self.arrived.set()

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode("latin-1") for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def is_complete(self) -> bool:
        return bool(self.sent) and not self.sent[-1].get("more_body", False)


def scope(**changes: Any) -> dict[str, Any]:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in changes.pop("headers", [])]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": None,
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"example.com"), *headers],
        "client": ("10.0.0.1", 1234),
        "server": ("127.0.0.1", 8000),
        **changes,
    }


def upload(*body: bytes, **changes: Any) -> tuple[dict[str, Any], Client]:
    headers = [("content-length", str(sum(map(len, body)))), ("content-type", "text/plain")]
    return scope(method="POST", headers=headers, **changes), Client(*body)


def call(
    application: Callable[..., Any], request: dict[str, Any] | None = None, client: Client | None = None
) -> Client:
    """Send one request through the bridge; the application must keep to PEP 3333."""

    async def run() -> Client:
        talk = client or Client(b"")
        bridge = WSGIBridge(application, ThreadPool(2, "test").submit)
        await asyncio.wait_for(bridge(request or scope(), talk.receive, talk.send), 30)
        return talk

    return asyncio.run(run())


def app(body: Any = b"hello", status: str = "200 OK", headers: list[tuple[str, str]] | None = None) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response(status, [("Content-Type", "text/plain")] if headers is None else headers)
        return [body] if isinstance(body, bytes) else body

    return application


RESPONSES = [
    pytest.param(app(), b"hello", 2, id="one chunk goes with the end"),
    pytest.param(app([b"a", b"b"]), b"ab", 4, id="two chunks stream"),
    pytest.param(app(iter([b"a"])), b"a", 3, id="an iterator may go on, so its chunk streams"),
    pytest.param(
        app(iter([b"abc"]), headers=[("Content-Length", "3")]), b"abc", 2, id="Content-Length says which is the last"
    ),
    pytest.param(app([]), b"", 2, id="no chunk"),
    pytest.param(app([b"", b"", b"x", b""]), b"x", 3, id="empty chunks are not sent"),
    pytest.param(app([b"abc", b"def"], headers=[("Content-Length", "4")]), b"abcd", 3, id="never more than announced"),
    pytest.param(app([], status="204 No Content", headers=[]), b"", 2, id="204"),
    pytest.param(app([b"x"], status="304 Not Modified", headers=[]), b"", 2, id="304 has no body"),
]


@pytest.mark.parametrize(("application", "body", "messages"), RESPONSES)
def test_responses(application: Any, body: bytes, messages: int) -> None:
    client = call(application)
    assert client.body == body
    assert len(client.sent) == messages
    assert client.is_complete


def test_the_bridge_keeps_to_pep_3333() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(4) + environ["wsgi.input"].readline()
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    assert call(validator(application), *upload(b"one", b"two\n", b"three")).body == b"onetwo\n"


def test_head_has_the_headers_and_no_body() -> None:
    client = call(app(b"hello", headers=[("Content-Length", "5")]), scope(method="HEAD"))
    assert (client.body, client.headers) == (b"", {"content-length": "5"})


def test_headers_of_the_connection_are_the_servers() -> None:
    headers = [("Connection", "close"), ("Transfer-Encoding", "chunked"), ("X-Mine", "é"), ("Set-Cookie", "a=1")]
    assert call(app(headers=headers)).headers == {"x-mine": "é", "set-cookie": "a=1"}


def test_write_sends_at_once_and_before_the_chunks() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [])
        write(b"a")
        write(b"b")
        return [b"c"]

    client = call(application)
    assert [message.get("body") for message in client.sent] == [None, b"a", b"b", b"c"]


def test_a_response_streams_chunk_by_chunk() -> None:
    async def run() -> None:
        client = Client(b"")
        go_on = threading.Event()

        def chunks() -> Iterator[bytes]:
            yield b"first"
            assert go_on.wait(30)
            yield b"second"

        bridge = WSGIBridge(app(chunks()), ThreadPool(1, "test").submit)
        answering = asyncio.create_task(bridge(scope(), client.receive, client.send))
        await asyncio.wait_for(client.arrived.wait(), 30)
        while client.body != b"first":  # noqa: ASYNC110 (a thread makes it so)
            await asyncio.sleep(0)
        go_on.set()
        await asyncio.wait_for(answering, 30)
        assert client.body == b"firstsecond"

    asyncio.run(run())


def test_a_slow_client_holds_the_application_up() -> None:
    chunk = b"x" * 65536

    async def run() -> None:
        made = []
        may_send = asyncio.Semaphore(0)
        client = Client(b"")

        async def send(message: Message) -> None:
            await may_send.acquire()
            await client.send(message)

        def chunks() -> Iterator[bytes]:
            for number in range(40):
                made.append(number)
                yield chunk

        bridge = WSGIBridge(app(chunks()), ThreadPool(1, "test").submit)
        answering = asyncio.create_task(bridge(scope(), client.receive, send))
        for sent in range(2, 8):
            while len(client.sent) < sent - 1:
                may_send.release()
                await asyncio.sleep(0.001)
            assert len(made) <= len(client.sent) + 1024 * 1024 // len(chunk)
        for _ in range(50):
            may_send.release()
        await asyncio.wait_for(answering, 30)
        assert client.body == chunk * 40

    asyncio.run(run())


READS = [
    pytest.param(lambda stream: stream.read(), b"ab\ncd\nef", id="read to the end"),
    pytest.param(lambda stream: stream.read(4), b"ab\nc", id="read so many bytes, over packets"),
    pytest.param(
        lambda stream: stream.read(4) + stream.read(100) + stream.read(), b"ab\ncd\nef", id="read past the end"
    ),
    pytest.param(lambda stream: stream.readline(), b"ab\n", id="a line over packets"),
    pytest.param(lambda stream: stream.readline(1), b"a", id="a part of a line"),
    pytest.param(lambda stream: b"|".join(stream.readlines()), b"ab\n|cd\n|ef", id="lines"),
    pytest.param(b"|".join, b"ab\n|cd\n|ef", id="iteration"),
    pytest.param(lambda stream: stream.read1(100), b"a", id="what is there"),
    pytest.param(lambda _: b"", b"", id="not read at all"),
]


@pytest.mark.parametrize(("read", "expected"), READS)
@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "chunked"])
def test_the_body_of_a_request(read: Callable[[Any], bytes], expected: bytes, chunked: bool) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = read(environ["wsgi.input"])
        start_response("200 OK", [])
        return [body]

    request, client = upload(b"a", b"b\nc", b"", b"d", b"\nef")
    if chunked:
        request["headers"] = [(b"transfer-encoding", b"chunked")]
    assert call(application, request, client).body == expected


def test_without_a_body_nothing_is_received() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["wsgi.input"].read() + b"!"]

    client = call(application)
    assert (client.body, client.received) == (b"!", 0)


def test_an_upload_that_breaks_off_is_an_error_and_no_end() -> None:
    seen: list[BaseException] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            seen.append(error)
            raise
        return []

    request, _ = upload(b"x" * 100)
    client = Client(b"x", b"y")
    client.events = asyncio.Queue()
    client.events.put_nowait({"type": "http.request", "body": b"x", "more_body": True})
    client.leave()
    call(application, request, client)
    assert [type(error) for error in seen] == [ClientGone]
    assert client.sent == []


def test_a_client_that_leaves_stops_an_endless_response() -> None:
    closed = threading.Event()

    class Endless:
        def __iter__(self) -> Iterator[bytes]:
            while True:
                yield b"x"

        def close(self) -> None:
            closed.set()

    async def run() -> None:
        client = Client(b"")
        bridge = WSGIBridge(app(Endless()), ThreadPool(1, "test").submit)
        answering = asyncio.create_task(bridge(scope(), client.receive, client.send))
        await asyncio.wait_for(client.arrived.wait(), 30)
        client.leave()
        await asyncio.wait_for(answering, 30)
        assert await asyncio.to_thread(closed.wait, 30)
        # The only thread is free again.
        other = Client(b"")
        bridge.application = app()
        await asyncio.wait_for(bridge(scope(), other.receive, other.send), 30)
        assert other.body == b"hello"

    asyncio.run(run())


def test_a_cancelled_request_frees_its_thread() -> None:
    closed = threading.Event()

    def chunks() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.set()

    async def run() -> None:
        client = Client(b"")
        bridge = WSGIBridge(app(chunks()), ThreadPool(1, "test").submit)
        answering = asyncio.create_task(bridge(scope(), client.receive, client.send))
        await asyncio.wait_for(client.arrived.wait(), 30)
        answering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answering
        assert await asyncio.to_thread(closed.wait, 30)

    asyncio.run(run())


def test_a_server_that_raises_when_the_client_has_left_stops_the_application() -> None:
    closed = threading.Event()

    def chunks() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.set()

    async def run() -> None:
        client = Client(b"")

        async def send(message: Message) -> None:
            raise BrokenPipeError

        await asyncio.wait_for(
            WSGIBridge(app(chunks()), ThreadPool(1, "test").submit)(scope(), client.receive, send), 30
        )
        assert await asyncio.to_thread(closed.wait, 30)

    asyncio.run(run())


class Closing:
    """A response that notes its end."""

    def __init__(self, chunks: Any) -> None:
        self.chunks = chunks
        self.closed = 0
        self.was_closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    def close(self) -> None:
        self.closed += 1
        self.was_closed.set()


def failing() -> Iterator[bytes]:
    yield b"x"
    raise ZeroDivisionError


@pytest.mark.parametrize("chunks", [[b"a"], [b"a", b"b"], [], failing()], ids=["one", "two", "none", "failing"])
def test_close_is_always_called(chunks: Any) -> None:
    response = Closing(chunks)
    with contextlib.suppress(ZeroDivisionError):
        call(app(response))
    assert response.was_closed.wait(30)
    assert response.closed == 1


def test_the_client_has_its_answer_before_close_is_called() -> None:
    async def run() -> None:
        client = Client(b"")
        response = Closing([b"a"])
        may_close = threading.Event()
        response.close = lambda: may_close.wait(30)  # type: ignore[method-assign]
        bridge = WSGIBridge(app(response), ThreadPool(1, "test").submit)
        await asyncio.wait_for(bridge(scope(), client.receive, client.send), 30)
        assert client.is_complete
        may_close.set()

    asyncio.run(run())


def handles(raised_after: int, *, again: bool = True) -> Any:
    """Make an application that fails after so many chunks, and starts its response again with exc_info."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        import sys

        start_response("200 OK", [])
        try:
            for _ in range(raised_after):
                yield b"x"
            raise ZeroDivisionError  # noqa: TRY301 (to have exc_info)
        except ZeroDivisionError:
            start_response("500 Oops", [], sys.exc_info() if again else None)
            yield b"sorry"

    return application


def test_exc_info_before_the_headers_replaces_them() -> None:
    client = call(handles(0))
    assert (client.status, client.body) == (500, b"sorry")


def test_exc_info_after_the_headers_raises_what_happened() -> None:
    with pytest.raises(ZeroDivisionError):
        call(handles(1))


@pytest.mark.parametrize("raised_after", [0, 1])
def test_starting_twice_without_exc_info_is_an_error(raised_after: int) -> None:
    with pytest.raises(AssertionError, match="twice without exc_info"):
        call(handles(raised_after, again=False))


FAULTS = [
    pytest.param(lambda _environ, _start: [b"x"], AssertionError, "did not call start_response", id="never started"),
    pytest.param(app(["text"]), TypeError, "bytes, not of str", id="text for bytes"),
    pytest.param(lambda _environ, _start: 1 / 0, ZeroDivisionError, "division", id="raises"),
    pytest.param(app(status="nonsense"), ValueError, "invalid literal", id="a status without a number"),
]


@pytest.mark.parametrize(("application", "error", "message"), FAULTS)
def test_faults_are_raised_where_the_server_logs_them(application: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(application)


def test_what_close_raises_after_the_response_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    response = Closing([b"a"])
    raised = threading.Event()

    def close() -> None:
        raised.set()
        raise ZeroDivisionError

    response.close = close  # type: ignore[method-assign]
    assert call(app(response)).body == b"a"
    assert raised.wait(30)
    for _ in range(3000):
        if caplog.records:
            break
        threading.Event().wait(0.01)
    assert [record.getMessage() for record in caplog.records] == [
        "An application raised after its response was complete."
    ]


def test_a_bounded_number_of_requests_run_at_a_time() -> None:
    async def run() -> None:
        running, most = 0, 0
        lock = threading.Lock()
        go_on = threading.Event()

        def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            go_on.wait(30)
            with lock:
                running -= 1
            start_response("200 OK", [])
            return [b"done"]

        bridge = WSGIBridge(application, ThreadPool(3, "test").submit)
        clients = [Client(b"") for _ in range(10)]
        answering = [asyncio.create_task(bridge(scope(), each.receive, each.send)) for each in clients]
        while running < 3:  # noqa: ASYNC110 (a thread makes it so)
            await asyncio.sleep(0.001)
        go_on.set()
        await asyncio.wait_for(asyncio.gather(*answering), 30)
        assert [client.body for client in clients] == [b"done"] * 10
        assert most == 3

    asyncio.run(run())


def test_context_variables_reach_the_application() -> None:
    import contextvars

    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [variable.get().encode()]

    async def run() -> bytes:
        variable.set("set")
        client = Client(b"")
        await WSGIBridge(application, ThreadPool(1, "test").submit)(scope(), client.receive, client.send)
        return client.body

    assert asyncio.run(run()) == b"set"


def test_a_request_whose_client_has_left_before_its_turn_is_not_begun() -> None:
    async def run() -> list[str]:
        begun: list[str] = []
        go_on = threading.Event()

        def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            begun.append(environ["PATH_INFO"])
            go_on.wait(30)
            start_response("200 OK", [])
            return [b"done"]

        bridge = WSGIBridge(application, ThreadPool(1, "test").submit)
        clients = [Client(b"") for _ in range(3)]
        answering = [
            asyncio.create_task(bridge(scope(path=f"/{number}"), each.receive, each.send))
            for number, each in enumerate(clients)
        ]
        while not begun:  # noqa: ASYNC110 (a thread makes it so)
            await asyncio.sleep(0.001)
        answering[1].cancel()
        await asyncio.wait(answering[1:2])
        go_on.set()
        await asyncio.wait_for(asyncio.gather(answering[0], answering[2]), 30)
        return begun

    assert asyncio.run(run()) == ["/0", "/2"]


def test_a_client_that_leaves_before_the_last_chunk_is_no_error() -> None:
    async def run() -> None:
        client = Client(b"")

        async def send(message: Message) -> None:
            raise BrokenPipeError

        await asyncio.wait_for(WSGIBridge(app(), ThreadPool(1, "test").submit)(scope(), client.receive, send), 30)

    asyncio.run(run())


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_nothing_that_an_application_raises_ends_the_event_loop(error: BaseException) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise error

    with pytest.raises(RuntimeError, match=r"^the application raised ") as caught:
        call(application)
    assert caught.value.__cause__ is error


def test_cancelling_at_any_moment_leaves_no_thread_waiting_and_no_error_behind() -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield environ["wsgi.input"].readline()
        yield environ["wsgi.input"].read()
        yield b"end"

    async def run() -> list[Any]:
        faults: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        bridge = WSGIBridge(application, ThreadPool(4, "test").submit)
        for turns in [*range(40)] * 10:
            request, client = upload(b"a", b"b\n", b"c")
            answering = asyncio.create_task(bridge(request, client.receive, client.send))
            for _ in range(turns):
                await asyncio.sleep(0)
            answering.cancel()
            await asyncio.wait([answering])
        # Every thread is free again.
        for _ in range(8):
            request, client = upload(b"a\n")
            await asyncio.wait_for(bridge(request, client.receive, client.send), 30)
            assert client.body == b"a\nend"
        return faults

    assert asyncio.run(run()) == []


def test_an_idle_bridge_holds_nothing_of_the_last_request() -> None:
    import gc
    import weakref

    async def run(application: Any) -> bool:
        bridge = WSGIBridge(application, ThreadPool(1, "test").submit)
        request, client = scope(), Client(b"")
        request["watched"] = watched = type("Watched", (), {})()
        reference = weakref.ref(watched)
        with contextlib.suppress(ZeroDivisionError):
            await bridge(request, client.receive, client.send)
        del request, watched, client
        for _ in range(1000):
            if reference() is None:
                break
            await asyncio.sleep(0.001)
        return reference() is None

    gc.disable()  # not even a cycle is left
    try:
        assert asyncio.run(run(app()))
        assert asyncio.run(run(lambda _environ, _start: 1 / 0))
    finally:
        gc.enable()

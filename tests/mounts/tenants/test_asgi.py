"""The tenants of an ASGI set: in one event loop, with factories and WSGI applications in threads."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from multiserve._types import Loaded
from multiserve.dispatch.answers import not_found
from multiserve.dispatch.lifespan import Lifespan, Lifespans
from multiserve.mounts.tenants import registry as bookkeeping
from multiserve.mounts.tenants.asgi import ASGITenants
from multiserve.mounts.tenants.registry import CacheLimits

Diary = list[str]

PATIENCE = 30.0  # seconds: for a machine that is busy with other things


class App:
    """An ASGI application that says its name, with a diary of its lifespan."""

    interface = "asgi"

    def __init__(self, name: str, diary: Diary | None = None) -> None:
        self.name = name
        self.diary = [] if diary is None else diary
        self.is_up = False
        self.go_on = asyncio.Event()  # for a path of /wait

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.live(scope, receive, send)
            return
        assert self.is_up
        assert scope["state"] == {"name": self.name}
        scope["state"]["name"] = "of one request alone"
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await receive()
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/wait":
            await self.go_on.wait()
        assert self.is_up
        await send({"type": "http.response.body", "body": self.name.encode()})

    async def live(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await self.start_up()
        self.diary.append(f"{self.name} up")
        scope["state"]["name"] = self.name
        self.is_up = True
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.is_up = False
        await self.shut_down()
        self.diary.append(f"{self.name} down")
        await send({"type": "lifespan.shutdown.complete"})

    async def start_up(self) -> None:
        await asyncio.sleep(0)

    async def shut_down(self) -> None:
        await asyncio.sleep(0)


class WSGIApp:
    """A WSGI application that says its name, and for a path of /wait only when it may go on."""

    interface = "wsgi"

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = 0
        self.entered, self.go_on = threading.Event(), threading.Event()

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/wait":
            self.entered.set()
            assert self.go_on.wait(PATIENCE)
        assert not self.closed
        start_response("200 OK", [])
        return [self.name.encode()]

    def close(self) -> None:
        self.closed += 1


class StandIn:
    """A factory that makes what it is told to, and remembers for whom."""

    def __init__(self, make: Callable[..., Any], wrap: Callable[[Any], Any] = lambda made: made) -> None:
        self.make = make
        self.wrap = wrap
        self.calls: list[tuple[str, ...]] = []

    def call(self, values: tuple[str, ...], prefix: str) -> Any:
        self.calls.append(values)
        return self.make(*values)

    def finish(self, made: Any, prefix: str) -> Loaded | None:
        assert not inspect.isawaitable(made)
        return None if made is None else Loaded(self.wrap(made), made.interface)


def serve(factory: StandIn, **options: Any) -> ASGITenants:
    bounds = {"max_instances": 2, "idle_seconds": 0, "refused_seconds": 30}
    usual = {
        "name": "{tenant}.test",
        "threads": 2,
        "limits": CacheLimits(**{name: options.pop(name, default) for name, default in bounds.items()}),
        "details": False,
        "startup_timeout": PATIENCE,
        "shutdown_timeout": PATIENCE,
        "refuse_websocket": not_found().asgi,
    }
    return ASGITenants(factory, **{**usual, **options})


class Request:
    """A request or a WebSocket to a tenant, in a task of its own."""

    def __init__(self, tenants: ASGITenants, name: str, path: str = "/", kind: str = "http") -> None:
        self.events: asyncio.Queue[Any] = asyncio.Queue()
        self.events.put_nowait({"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request"})
        self.sent: list[Any] = []
        self.scope = {"type": kind, "path": path, "method": "GET", "headers": [], "http_version": "1.1"}
        self.task = asyncio.create_task(self._run(tenants, name))

    async def _run(self, tenants: ASGITenants, name: str) -> tuple[int, str] | None:
        application = await tenants.claim((name,), "")
        if application is None:
            return None
        await application(dict(self.scope, query_string=b"", root_path=""), self.events.get, self._send)
        if self.scope["type"] == "websocket":
            return None
        return self.sent[0]["status"], b"".join(each.get("body", b"") for each in self.sent[1:]).decode()

    async def _send(self, message: Any) -> None:
        self.sent.append(message)


async def ask(tenants: ASGITenants, name: str) -> tuple[int, str] | None:
    return await asyncio.wait_for(Request(tenants, name).task, PATIENCE)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.001)


def users(tenants: ASGITenants, name: str) -> int:
    tenant = tenants._instances._tenants.get((name,))  # noqa: SLF001 (there is nothing else to wait for)
    return tenant.users if tenant else 0


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "multiserve"]


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test in a loop of its own, which must not have to clean up behind it."""

    async def whole() -> None:
        async with asyncio.timeout(2 * PATIENCE):
            await test()
        await until(lambda: len(asyncio.all_tasks()) == 1)

    asyncio.run(whole())


@asynccontextmanager
async def serving(factory: StandIn, **options: Any) -> AsyncIterator[ASGITenants]:
    tenants = serve(factory, **options)
    yield tenants
    await tenants.stop(PATIENCE)


# What the factory gives.


async def make_later(name: str) -> App:
    await asyncio.sleep(0)
    return App(name)


async def make_none_later(name: str) -> None:
    return None


OK = (200, "acme")
GIVEN = [
    pytest.param(App, OK, id="an application"),
    pytest.param(make_later, OK, id="an application, from an async factory"),
    pytest.param(WSGIApp, OK, id="a WSGI application"),
    pytest.param(lambda name: None, None, id="none"),
    pytest.param(make_none_later, None, id="none, from an async factory"),
]


@pytest.mark.parametrize(("make", "answer"), GIVEN)
def test_what_the_factory_gives_is_asked_for_once(make: Any, answer: Any) -> None:
    async def test() -> None:
        factory = StandIn(make)
        async with serving(factory) as tenants:
            assert [await ask(tenants, "acme") for _ in range(3)] == [answer] * 3
        assert factory.calls == [("acme",)]

    run(test)


def test_an_async_factory_runs_in_the_loop_that_serves() -> None:
    async def make(name: str) -> App:
        loops.append(asyncio.get_running_loop())
        return App(name)

    loops: list[Any] = []

    async def test() -> None:
        async with serving(StandIn(make)) as tenants:
            await ask(tenants, "a")
        assert loops == [asyncio.get_running_loop()]

    run(test)


def test_an_application_inherits_nothing_of_the_request_that_came_first() -> None:
    visitor: contextvars.ContextVar[str] = contextvars.ContextVar("visitor", default="nobody")

    class Curious(App):
        async def start_up(self) -> None:
            self.diary.append(visitor.get())

    async def test() -> None:
        diary: Diary = []
        async with serving(StandIn(lambda name: Curious(name, diary))) as tenants:
            visitor.set("the first")
            await ask(tenants, "a")
        assert diary[0] == "nobody"

    run(test)


def test_a_wsgi_tenant_refuses_websockets() -> None:
    async def test() -> None:
        async with serving(StandIn(WSGIApp)) as tenants:
            request = Request(tenants, "a", kind="websocket")
            await request.task
            assert request.sent == [{"type": "websocket.close"}]
            assert users(tenants, "a") == 0

    run(test)


# What fails.


class NeverUp(App):
    async def start_up(self) -> None:
        await asyncio.Event().wait()


def limited(tenants: ASGITenants, made: Any) -> Any:
    """Give little time to what never comes up: its start-up alone, as the factory is done by now."""
    if isinstance(made, NeverUp):
        tenants.startup_timeout = 0.1
    return made


class NotUp(App):
    async def live(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})


def raise_at_once(name: str) -> None:
    raise KeyError(name)


async def raise_later(name: str) -> None:
    raise SystemExit(3)


def interrupt(name: str) -> None:
    raise KeyboardInterrupt


async def cancel(name: str) -> None:
    raise asyncio.CancelledError


def answers_500(text: str) -> str:
    return f"{{tenant}}.test: the tenant 'a' answers 500:\n{text}"


FAILURES = [
    # the factory, the reason for the client, what is logged before any traceback
    pytest.param(raise_at_once, "the factory raised KeyError: 'a'", None, id="the factory raises"),
    pytest.param(raise_later, "the factory raised SystemExit: 3", None, id="an async factory wants to exit"),
    pytest.param(interrupt, "the factory raised KeyboardInterrupt", None, id="the factory is interrupted"),
    pytest.param(cancel, "the factory raised asyncio.exceptions.CancelledError", None, id="an async factory cancels"),
    pytest.param(NeverUp, "the start-up took longer than 0.1 seconds", None, id="the start-up takes too long"),
    pytest.param(
        NotUp, "the start-up failed: no database", "{tenant}.test: the tenant 'a': the start-up failed: no database",
        id="the start-up fails",
    ),
]  # fmt: skip


@pytest.mark.parametrize("details", [False, True])
@pytest.mark.parametrize(("make", "reason", "logged"), FAILURES)
def test_a_tenant_that_cannot_be_made_answers_500_alone(
    make: Any, reason: str, logged: str | None, details: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        factory = StandIn(lambda name: App(name) if name == "good" else make(name), lambda made: limited(tenants, made))
        async with serving(factory, details=details) as tenants:
            for _ in range(2):
                status, text = await ask(tenants, "a") or (0, "")
                first, _, rest = text.partition("\n")
                assert status == 500
                assert first == (
                    "Internal Server Error: the application at {tenant}.test could not be made for this tenant."
                )
                assert rest.partition("\nTraceback")[0].strip() == (reason if details else "")
            tenants.startup_timeout = PATIENCE
            assert await ask(tenants, "good") == (200, "good")
        assert factory.calls == [("a",), ("good",)]

    run(test)
    (message,) = messages(caplog)
    assert message.partition("\nTraceback")[0] == (logged or answers_500(reason))


def test_a_start_up_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookkeeping, "_PAUSE", 0)

    async def test() -> None:
        diary: Diary = []
        kinds = [NotUp, NeverUp, App]
        factory = StandIn(lambda name: kinds[len(factory.calls) - 1](name, diary), lambda made: limited(tenants, made))
        async with serving(factory) as tenants:
            statuses = []
            for _ in kinds:
                tenants.startup_timeout = PATIENCE
                statuses.append((await ask(tenants, "a") or [0])[0])
        assert statuses == [500, 500, 200]
        assert diary == ["a up", "a down"]

    run(test)


# One build for each tenant, side by side.


def test_however_many_ask_for_a_tenant_it_is_built_once() -> None:
    async def test() -> None:
        go_on = threading.Event()
        diary: Diary = []

        def make(name: str) -> App:
            assert go_on.wait(PATIENCE)
            return App(name, diary)

        factory = StandIn(make)
        async with serving(factory) as tenants:
            requests = [Request(tenants, "a") for _ in range(50)]
            await until(lambda: users(tenants, "a") == 50)
            go_on.set()
            assert await asyncio.gather(*(request.task for request in requests)) == [(200, "a")] * 50
        assert (factory.calls, diary) == ([("a",)], ["a up", "a down"])

    run(test)


@pytest.mark.parametrize("slow", ["in a thread", "in the loop", "in the lifespan"])
def test_slow_tenants_are_built_side_by_side_and_a_fast_one_is_served_meanwhile(slow: str) -> None:
    async def test() -> None:
        both, together, go_on = threading.Barrier(2), asyncio.Barrier(2), asyncio.Event()

        class Slow(App):
            async def start_up(self) -> None:
                await together.wait()
                await go_on.wait()

        def make(name: str) -> Any:
            if not name.startswith("slow"):
                return App(name)
            if slow == "in a thread":
                both.wait(PATIENCE)  # passes only if both are being built
            return Slow(name) if slow == "in the lifespan" else make_slowly(name)

        async def make_slowly(name: str) -> App:
            await together.wait()
            await go_on.wait()
            return App(name)

        async with serving(StandIn(make), threads=2, max_instances=3) as tenants:
            requests = [Request(tenants, f"slow {number}") for number in range(2)]
            assert await ask(tenants, "fast") == (200, "fast")
            assert not any(request.task.done() for request in requests)
            go_on.set()
            answers = await asyncio.gather(*(request.task for request in requests))
            assert answers == [(200, "slow 0"), (200, "slow 1")]

    run(test)


def test_factories_leave_the_threads_of_requests_alone() -> None:
    async def test() -> None:
        go_on = threading.Event()

        def make(name: str) -> WSGIApp:
            assert name == "fast" or go_on.wait(PATIENCE)
            return WSGIApp(name)

        factory = StandIn(make)
        async with serving(factory, threads=1) as tenants:
            assert await ask(tenants, "fast") == (200, "fast")
            slow = Request(tenants, "slow")
            await until(lambda: len(factory.calls) == 2)
            assert await ask(tenants, "fast") == (200, "fast")
            assert not slow.task.done()
            go_on.set()
            assert await slow.task == (200, "slow")

    run(test)


@pytest.mark.parametrize("leaving", [0, 1], ids=["the one who came first", "one who waits"])
def test_whoever_leaves_the_build_goes_on(leaving: int) -> None:
    async def test() -> None:
        go_on = threading.Event()

        def make(name: str) -> App:
            assert go_on.wait(PATIENCE)
            return App(name)

        factory = StandIn(make)
        async with serving(factory) as tenants:
            requests = [Request(tenants, "a") for _ in range(2)]
            await until(lambda: users(tenants, "a") == 2)
            requests[leaving].task.cancel()
            await until(lambda: users(tenants, "a") == 1)
            go_on.set()
            assert await requests[1 - leaving].task == (200, "a")
        assert factory.calls == [("a",)]

    run(test)


def test_what_is_built_for_nobody_any_more_is_kept_for_the_next_and_can_be_evicted() -> None:
    async def test() -> None:
        go_on = threading.Event()
        diary: Diary = []

        def make(name: str) -> App:
            assert go_on.wait(PATIENCE)
            return App(name, diary)

        factory = StandIn(make)
        async with serving(factory, max_instances=1) as tenants:
            request = Request(tenants, "a")
            await until(lambda: factory.calls)
            request.task.cancel()
            await until(lambda: users(tenants, "a") == 0)
            go_on.set()
            await until(lambda: diary == ["a up"])
            assert await ask(tenants, "a") == (200, "a")
            assert factory.calls == [("a",)]
            await ask(tenants, "b")
            await until(lambda: diary == ["a up", "b up", "a down"])

    run(test)


# How long a tenant is kept.


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_an_open_connection_keeps_its_tenant(kind: str) -> None:
    async def test() -> None:
        diary: Diary = []
        made: list[App] = []

        def make(name: str) -> App:
            made.append(App(name, diary))
            return made[-1]

        async with serving(StandIn(make), max_instances=1) as tenants:
            request = Request(tenants, "open", "/wait", kind)
            await until(lambda: request.sent)
            for name in "ab":
                await ask(tenants, name)
            await until(lambda: "b down" in diary)
            assert diary == ["open up", "a up", "a down", "b up", "b down"]
            made[0].go_on.set()
            request.events.put_nowait({"type": "websocket.disconnect"})
            await request.task
            await ask(tenants, "c")
            await until(lambda: diary[-2:] == ["c up", "open down"])

    run(test)


@pytest.mark.parametrize("leave", ["disconnects", "is cancelled"])
def test_a_thread_keeps_its_tenant_after_the_client_has_left(leave: str) -> None:
    async def test() -> None:
        made: dict[str, WSGIApp] = {}
        async with serving(StandIn(lambda name: made.setdefault(name, WSGIApp(name))), max_instances=1) as tenants:
            request = Request(tenants, "long", "/wait")
            await until(lambda: "long" in made and made["long"].entered.is_set())
            if leave == "is cancelled":
                request.task.cancel()
                await asyncio.wait([request.task])
            else:
                request.events.put_nowait({"type": "http.disconnect"})
            await ask(tenants, "other")
            await until(lambda: made["other"].closed)  # rather than the one in use
            assert (made["long"].closed, users(tenants, "long")) == (0, 1 if leave == "is cancelled" else 2)
            made["long"].go_on.set()
            await until(lambda: users(tenants, "long") == 0)
            await ask(tenants, "last")
            await until(lambda: made["long"].closed == 1)
        assert {app.closed for app in made.values()} == {1}

    run(test)


def test_an_application_that_raises_is_not_in_use_any_more() -> None:
    class Raising(App):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "lifespan":
                raise ZeroDivisionError
            await super().__call__(scope, receive, send)

    async def test() -> None:
        async with serving(StandIn(Raising)) as tenants:
            with pytest.raises(ZeroDivisionError):
                await ask(tenants, "a")
            assert users(tenants, "a") == 0

    run(test)


@pytest.mark.parametrize("kind", [App, WSGIApp])
def test_evictions_under_load_lose_no_request(kind: Any) -> None:
    async def test() -> None:
        factory = StandIn(kind)
        async with serving(factory, max_instances=2) as tenants:

            async def hammer(first: int) -> list[Any]:
                names = [str((first + number * 3) % 8) for number in range(50)]
                return [name for name in names if await ask(tenants, name) != (200, name)]

            wrong = await asyncio.gather(*(hammer(first) for first in range(8)))
            assert wrong == [[]] * 8  # each application asserts that it is up or not closed
            assert len(factory.calls) > 8  # it was under pressure
            assert len(tenants._instances._tenants) == 2  # noqa: SLF001 (the size is the point)

    run(test)


def test_an_idle_tenant_is_closed_without_any_request() -> None:
    async def test() -> None:
        diary: Diary = []
        async with serving(StandIn(lambda name: App(name, diary)), idle_seconds=0.02) as tenants:
            request = Request(tenants, "open", kind="websocket")
            await until(lambda: request.sent)
            await ask(tenants, "a")
            await until(lambda: diary == ["open up", "a up", "a down"])
            request.events.put_nowait({})
            await until(lambda: diary[-1] == "open down")
            await ask(tenants, "b")  # and all over again
            await until(lambda: diary[-1] == "b down")

    run(test)


def test_an_application_of_several_tenants_lives_once() -> None:
    async def test() -> None:
        diary: Diary = []
        shared = App("shared", diary)
        factory = StandIn(lambda name: shared if name in "ab" else App(name, diary))
        async with serving(factory, max_instances=2) as tenants:
            requests = [Request(tenants, name) for name in "ab"]
            assert [await request.task for request in requests] == [(200, "shared")] * 2
            await ask(tenants, "c")
            await ask(tenants, "d")
            await until(lambda: "shared down" in diary)
            assert diary == ["shared up", "c up", "d up", "shared down"]

    run(test)


def test_an_application_that_comes_back_starts_after_it_has_shut_down() -> None:
    async def test() -> None:
        diary: Diary = []
        stopping, go_on = asyncio.Event(), asyncio.Event()

        class Slow(App):
            async def shut_down(self) -> None:
                stopping.set()
                await go_on.wait()

        shared = Slow("shared", diary)
        factory = StandIn(lambda name: shared if name == "a" else App(name, diary))
        async with serving(factory, max_instances=1) as tenants:
            for name in "ab":
                await ask(tenants, name)
            await stopping.wait()
            again = Request(tenants, "a")
            await until(lambda: len(factory.calls) == 3)
            go_on.set()
            assert await again.task == (200, "shared")
            assert diary[:4] == ["shared up", "b up", "shared down", "shared up"]

    run(test)


def test_tenants_that_share_an_application_share_the_middleware_that_its_lifespan_has_started() -> None:
    class Middleware:
        def __init__(self, app: App) -> None:
            self.app = app
            wrapped.append(self)
            self.kinds: list[str] = []

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            self.kinds.append(scope["type"])
            await self.app(scope, receive, send)

    wrapped: list[Middleware] = []

    async def test() -> None:
        shared = App("shared")
        async with serving(StandIn(lambda name: shared, Middleware)) as tenants:
            assert [await ask(tenants, name) for name in "ab"] == [(200, "shared")] * 2
        assert [each.kinds for each in wrapped] == [["lifespan", "http", "http"], []]

    run(test)


# The end of the server.


def test_all_tenants_shut_down_side_by_side_with_the_server(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        together = asyncio.Barrier(2)
        made: list[Any] = []

        class Waiting(App):
            async def shut_down(self) -> None:
                await together.wait()  # passes only if both are shutting down

        class Hanging(App):
            async def shut_down(self) -> None:
                await asyncio.Event().wait()

        kinds = {"x": Waiting, "y": Waiting, "wsgi": WSGIApp, "hangs": Hanging}

        def make(name: str) -> Any:
            made.append(kinds[name](name))
            return made[-1]

        diary: Diary = []
        tenants = serve(StandIn(make), max_instances=9)
        mounted = App("mounted", diary)
        lifespans = Lifespans([Lifespan(mounted, "/")], [], shutdown_timeout=4, tenants=[tenants])
        assert await lifespans.start() == ""
        for name in kinds:
            await ask(tenants, name)
        await lifespans.stop()
        assert [app.diary for app in made[:2]] == [["x up", "x down"], ["y up", "y down"]]
        assert (made[2].closed, made[3].diary, diary) == (1, ["hangs up"], ["mounted up", "mounted down"])

    run(test)
    assert messages(caplog) == [
        "{tenant}.test: the tenant 'hangs': the shut-down took longer than 2.0 seconds and was cut short."
    ]


def test_a_wsgi_tenant_that_hangs_in_close_does_not_hold_up_the_end(caplog: pytest.LogCaptureFixture) -> None:
    go_on = threading.Event()

    class Hanging(WSGIApp):
        def close(self) -> None:
            go_on.wait(PATIENCE)
            super().close()

    app = Hanging("a")
    tenants = serve(StandIn(lambda name: app))

    async def test() -> None:
        await ask(tenants, "a")
        await tenants.stop(0.05)

    run(test)
    assert app.closed == 0
    go_on.set()
    tenants._closing._pool._idle.get(timeout=PATIENCE)  # noqa: SLF001 (the thread has done all that it had to do)
    assert app.closed == 1  # although the loop is closed
    assert caplog.messages == ["{tenant}.test: closing the tenant 'a' takes longer than 0.1 seconds."]


@pytest.mark.parametrize("where", ["in a thread", "in the loop", "in the lifespan"])
def test_a_build_is_given_up_when_the_server_ends(where: str, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        go_on, building = threading.Event(), threading.Event()

        class Slow(App):
            async def start_up(self) -> None:
                building.set()
                await asyncio.Event().wait()

        async def make_slowly(name: str) -> None:
            building.set()
            await asyncio.Event().wait()

        def make(name: str) -> Any:
            if where != "in a thread":
                return Slow(name) if where == "in the lifespan" else make_slowly(name)
            building.set()
            go_on.wait(PATIENCE)
            return App(name)

        tenants = serve(StandIn(make))
        request = Request(tenants, "a")
        await until(building.is_set)
        await tenants.stop(1)
        go_on.set()
        assert (await request.task or [0])[0] == 500

    run(test)
    assert messages(caplog) == []


def test_nothing_is_watched_after_the_end() -> None:
    async def test() -> None:
        tenants = serve(StandIn(App), idle_seconds=60)
        await ask(tenants, "a")
        await tenants.stop(PATIENCE)
        assert tenants._watch is not None  # noqa: SLF001 (a loop does not tell what it will call)
        assert tenants._watch.cancelled()  # noqa: SLF001

    run(test)


# Memory. The bookkeeping is that of a WSGI set, where it is tested with more names.


def sizes(tenants: ASGITenants) -> list[int]:
    kept = tenants._instances  # noqa: SLF001 (the sizes are the point)
    return [len(kept._tenants), len(kept._refused), len(kept._holders), len(tenants._lives)]  # noqa: SLF001


def test_made_up_names_leave_memory_flat() -> None:
    async def test() -> None:
        factory = StandIn(lambda name: None)
        async with serving(factory) as tenants:
            for number in range(3000):
                assert await tenants.claim((str(number),), "") is None
            assert (sizes(tenants), len(factory.calls)) == ([0, 1024, 0, 0], 3000)

    run(test)


@pytest.mark.parametrize("kind", [App, WSGIApp])
def test_any_number_of_tenants_keep_no_more_memory_than_those_that_are_kept(kind: Any) -> None:
    alive: weakref.WeakSet[Any] = weakref.WeakSet()

    def make(name: str) -> Any:
        alive.add(app := kind(name))
        return app

    async def test() -> None:
        async with serving(StandIn(make), max_instances=8) as tenants:
            for number in range(500):
                assert await ask(tenants, str(number)) == (200, str(number))
            await until(lambda: sizes(tenants) == [8, 0, 8, 8])
            await until(lambda: gc.collect() >= 0 and len(alive) == 8)

    run(test)

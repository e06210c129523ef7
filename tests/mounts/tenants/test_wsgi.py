"""The tenants of a WSGI set, with real threads and a stand-in for the user's factory."""

from __future__ import annotations

import gc
import inspect
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from multiserve._types import Loaded
from multiserve.errors import LoadError, Problem
from multiserve.mounts.tenants import registry as bookkeeping
from multiserve.mounts.tenants.registry import CacheLimits
from multiserve.mounts.tenants.wsgi import WSGITenants


class App:
    """An application that says its name, in a stream, and must not be used once it is closed."""

    def __init__(self, name: str, interface: str = "wsgi") -> None:
        self.name = name
        self.interface = interface
        self.closed = 0

    def __call__(self, environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        for letter in self.name:
            assert not self.closed
            yield letter.encode()

    def close(self) -> None:
        self.closed += 1


class StandIn:
    """A factory that makes what it is told to, and remembers for whom."""

    def __init__(self, make: Callable[..., Any] = App, wrap: Callable[[Any], Any] = lambda made: made) -> None:
        self.make = make
        self.wrap = wrap
        self.calls: list[tuple[str, ...]] = []
        self.made: list[Any] = []

    def call(self, values: tuple[str, ...], prefix: str) -> Any:
        self.calls.append(values)
        made = self.make(*values)
        self.made.append(made)
        return made

    def finish(self, made: Any, prefix: str) -> Loaded | None:
        assert not inspect.isawaitable(made)
        return None if made is None else Loaded(self.wrap(made), getattr(made, "interface", "wsgi"))


def serve(factory: StandIn, **options: Any) -> WSGITenants:
    usual = {"max_instances": 2, "idle_seconds": 0, "refused_seconds": 30}
    limits = CacheLimits(**{name: options.pop(name, default) for name, default in usual.items()})
    return WSGITenants(factory, limits=limits, **{"name": "/u/{user}", "details": False, **options})


class Reply:
    """A request to a tenant, up to the start of its response."""

    def __init__(self, tenants: WSGITenants, *values: str) -> None:
        self.status = ""
        application = tenants.claim(values, f"/u/{'/'.join(values)}")
        self.is_claimed = application is not None
        if application is not None:
            self.response: Any = application({}, self._start)

    def _start(self, status: str, headers: Any, exc_info: Any = None) -> Any:
        self.status = status

    def read(self) -> str:
        try:
            return b"".join(self.response).decode()
        finally:
            self.close()

    def close(self) -> None:
        if hasattr(self.response, "close"):
            self.response.close()


def ask(tenants: WSGITenants, *values: str) -> str:
    return Reply(tenants, *values).read()


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.001)


def users(tenants: WSGITenants, *values: str) -> int:
    tenant = tenants._instances._tenants.get(values)  # noqa: SLF001 (there is nothing else to wait for)
    return tenant.users if tenant else 0


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "multiserve"]


# What the factory gives.


async def make_later(name: str) -> App:
    return App(name)


async def make_none_later(name: str) -> None:
    return None


GIVEN = [
    pytest.param(App, "acme", id="an application"),
    pytest.param(make_later, "acme", id="an application, from an async factory"),
    pytest.param(lambda name: None, None, id="none"),
    pytest.param(make_none_later, None, id="none, from an async factory"),
]


@pytest.mark.parametrize(("make", "answer"), GIVEN)
def test_what_the_factory_gives_is_asked_for_once(make: Any, answer: str | None) -> None:
    factory = StandIn(make)
    tenants = serve(factory)
    for _ in range(3):
        reply = Reply(tenants, "acme")
        assert (reply.read() if reply.is_claimed else None) == answer
    assert factory.calls == [("acme",)]


def test_every_combination_of_values_is_a_tenant() -> None:
    factory = StandIn(lambda *values: App("/".join(values)))
    tenants = serve(factory, max_instances=9)
    pairs = [("a", "b"), ("b", "a"), ("a", "a")]
    assert [ask(tenants, *pair) for pair in [*pairs, *pairs]] == ["a/b", "b/a", "a/a"] * 2
    assert factory.calls == pairs


def test_a_name_that_was_refused_is_forgotten_after_its_time() -> None:
    factory = StandIn(lambda name: None)
    tenants = serve(factory, refused_seconds=0)
    assert [tenants.claim(("a",), "/u/a") for _ in range(2)] == [None, None]
    assert factory.calls == [("a",), ("a",)]


# What fails.


def raise_plainly(name: str) -> None:
    raise KeyError(name)


def raise_as_loaders_do(name: str) -> None:
    try:
        raise_plainly(name)
    except KeyError as error:
        raise LoadError(Problem(message=f"it raised KeyError: {name!r}", hint="Look into it.")) from error


async def raise_later(name: str) -> None:
    raise_plainly(name)


def leave(name: str) -> None:
    raise SystemExit(3)


ADVICE = '    Write interface = "asgi" on this mount, so that the set is served by an ASGI server.'
SPEAKS_ASGI = f"the factory returned an ASGI application, and all mounts are WSGI\n{ADVICE}"
FAILURES = [
    # the factory, the reason, the last line of the log
    pytest.param(raise_plainly, "the factory raised KeyError: 'a\\n'", "KeyError: 'a\\n'", id="raises"),
    pytest.param(raise_later, "the factory raised KeyError: 'a\\n'", "KeyError: 'a\\n'", id="an async factory raises"),
    pytest.param(leave, "the factory raised SystemExit: 3", "SystemExit: 3", id="wants to exit"),
    pytest.param(
        raise_as_loaders_do, "it raised KeyError: 'a\\n'\n    Look into it.", "KeyError: 'a\\n'",
        id="is told by the loader",
    ),
    pytest.param(lambda name: App(name, "asgi"), SPEAKS_ASGI, ADVICE, id="speaks ASGI"),
]  # fmt: skip


@pytest.mark.parametrize("details", [False, True])
@pytest.mark.parametrize(("make", "reason", "last"), FAILURES)
def test_a_tenant_that_cannot_be_made_answers_500_alone(
    make: Any, reason: str, last: str, details: bool, caplog: pytest.LogCaptureFixture
) -> None:
    tenants = serve(StandIn(lambda name: App(name) if name == "good" else make(name)), details=details)
    for _ in range(2):
        reply = Reply(tenants, "a\n")
        assert reply.status == "500 Internal Server Error"
        first, _, rest = reply.read().partition("\n")
        assert first == "Internal Server Error: the application at /u/{user} could not be made for this tenant."
        assert rest.startswith(f"\n{reason}\n" if details else "")
        assert rest.rstrip("\n").endswith(last if details else "")
    (logged,) = messages(caplog)  # within the pause it is neither made nor logged again
    assert logged.startswith(f"/u/{{user}}: the tenant 'a\\n' answers 500:\n{reason}")
    assert logged.endswith(last)
    assert ask(tenants, "good") == "good"


def test_a_tenant_that_goes_on_failing_is_tried_again_and_logged_in_a_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bookkeeping, "_PAUSE", 0)
    errors = [KeyError("db"), KeyError("db"), KeyError("cache"), None, KeyError("cache")]

    def make(name: str) -> App:
        if (error := errors[len(factory.calls) - 1]) is not None:
            raise error
        return App(name)

    factory = StandIn(make)
    tenants = serve(factory, max_instances=1)
    assert [Reply(tenants, "a").status[:3] for _ in range(3)] == ["500", "500", "500"]
    assert ask(tenants, "a") == "a"
    tenants._instances.drain()  # noqa: SLF001 (as an eviction does)
    assert Reply(tenants, "a").status[:3] == "500"
    traced = "/u/{user}: the tenant 'a' answers 500:\nthe factory raised KeyError: "
    logged = [message.partition("\nTraceback")[0] for message in messages(caplog)]
    assert logged == [
        f"{traced}'db'",
        "/u/{user}: the tenant 'a' still fails: the factory raised KeyError: 'db'",
        f"{traced}'cache'",
        f"{traced}'cache'",
    ]
    assert "\nTraceback" in messages(caplog)[0]


def test_an_interrupted_build_leaves_nobody_waiting() -> None:
    building, interrupt = threading.Event(), threading.Event()

    def make(name: str) -> App:
        if len(factory.calls) > 1:
            return App(name)
        building.set()
        assert interrupt.wait(10)
        raise KeyboardInterrupt

    factory = StandIn(make)
    tenants = serve(factory)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(ask, tenants, "a")
        assert building.wait(10)
        second = threads.submit(lambda: Reply(tenants, "a").status)
        until(lambda: users(tenants, "a") == 2)
        interrupt.set()
        with pytest.raises(KeyboardInterrupt):
            first.result(10)
        assert second.result(10) == "500 Internal Server Error"
    assert ask(tenants, "a") == "a"


# One build for each tenant, side by side.


def test_however_many_ask_for_a_tenant_it_is_built_once() -> None:
    go_on = threading.Event()

    def make(name: str) -> App:
        assert go_on.wait(10)
        return App(name)

    factory = StandIn(make)
    tenants = serve(factory)
    with ThreadPoolExecutor(10) as threads:
        replies = [threads.submit(ask, tenants, "a") for _ in range(10)]
        until(lambda: users(tenants, "a") == 10)
        go_on.set()
        assert [reply.result(10) for reply in replies] == ["a"] * 10
    assert factory.calls == [("a",)]


def test_slow_tenants_are_built_side_by_side_and_a_fast_one_is_served_meanwhile() -> None:
    together, go_on = threading.Barrier(3), threading.Event()

    def make(name: str) -> App:
        if name.startswith("slow"):
            together.wait(10)  # passes only if both are being built
            assert go_on.wait(10)
        return App(name)

    tenants = serve(StandIn(make))
    with ThreadPoolExecutor(3) as threads:
        slow = [threads.submit(ask, tenants, name) for name in ("slow 1", "slow 2")]
        together.wait(10)
        assert ask(tenants, "fast") == "fast"
        assert not any(reply.done() for reply in slow)
        go_on.set()
        assert [reply.result(10) for reply in slow] == ["slow 1", "slow 2"]


# How long a tenant is kept.


def test_a_tenant_is_in_use_until_its_response_is_closed() -> None:
    factory = StandIn()
    tenants = serve(factory, max_instances=1)
    reply = Reply(tenants, "long")
    assert next(iter(reply.response)) == b"l"
    assert ask(tenants, "other") == "other"
    until(lambda: factory.made[1].closed)  # rather than the one in use
    assert factory.made[0].closed == 0
    reply.close()
    reply.close()  # once more does no harm
    assert (users(tenants, "long"), ask(tenants, "long"), len(factory.made)) == (0, "long", 2)


class Raising(App):
    def __call__(self, environ: Any, start_response: Any) -> Any:
        raise ZeroDivisionError


class Listing(App):
    def __call__(self, environ: Any, start_response: Any) -> Any:
        return [b"x"]


class RaisingInClose(App):
    def __call__(self, environ: Any, start_response: Any) -> Any:
        class Response:
            def __iter__(self) -> Iterator[bytes]:
                return iter([b"x"])

            def close(self) -> None:
                raise ZeroDivisionError

        return Response()


@pytest.mark.parametrize("kind", [Raising, RaisingInClose])
def test_a_tenant_that_raises_is_not_in_use_any_more(kind: Any) -> None:
    tenants = serve(StandIn(kind))
    with pytest.raises(ZeroDivisionError):
        ask(tenants, "a")
    assert users(tenants, "a") == 0


def test_a_response_that_is_whole_is_handed_on_as_it_is() -> None:
    tenants = serve(StandIn(Listing))
    assert Reply(tenants, "a").response == [b"x"]
    assert users(tenants, "a") == 0


def test_evictions_under_load_lose_no_request() -> None:
    factory = StandIn()
    tenants = serve(factory, max_instances=2)
    names = [f"tenant {number}" for number in range(8)]
    start = threading.Barrier(8)

    def hammer(first: int) -> list[str]:
        start.wait(10)
        return [name for number in range(250) if ask(tenants, name := names[(first + number * 3) % 8]) != name]

    with ThreadPoolExecutor(8) as threads:
        wrong = [threads.submit(hammer, first) for first in range(8)]
        assert [each.result(60) for each in wrong] == [[]] * 8  # each application asserts that it is not closed
    assert len(factory.made) > 8  # it was under pressure
    until(lambda: sum(app.closed for app in factory.made) == len(factory.made) - 2)
    assert sorted({app.closed for app in factory.made}) == [0, 1]


def test_an_idle_tenant_is_closed_without_any_request() -> None:
    factory = StandIn()
    tenants = serve(factory, idle_seconds=0.02)
    reply = Reply(tenants, "streams")
    assert ask(tenants, "a") == "a"
    until(lambda: factory.made[1].closed == 1)
    assert factory.made[0].closed == 0
    reply.close()
    until(lambda: factory.made[0].closed == 1)
    assert ask(tenants, "a") == "a"  # and all over again, after the thread that watches has ended
    until(lambda: factory.made[2].closed == 1)
    assert len(factory.made) == 3


def test_an_application_of_several_tenants_is_closed_with_the_last_of_them() -> None:
    shared = App("shared")
    tenants = serve(StandIn(lambda name: shared if name in "ab" else App(name)), max_instances=2)
    for name in "abc":
        ask(tenants, name)
    assert shared.closed == 0
    ask(tenants, "d")
    until(lambda: shared.closed == 1)


def test_what_the_factory_made_is_closed_whatever_middleware_is_around_it() -> None:
    def wrap(application: Any) -> Any:
        def middleware(environ: Any, start_response: Any) -> Any:
            return application(environ, start_response)

        return middleware

    factory = StandIn(wrap=wrap)
    tenants = serve(factory, max_instances=1)
    assert [ask(tenants, name) for name in "ab"] == ["a", "b"]
    until(lambda: factory.made[0].closed == 1)


def test_a_close_that_hangs_or_raises_is_out_of_the_way(caplog: pytest.LogCaptureFixture) -> None:
    hanging, go_on = threading.Event(), threading.Event()

    class Closing(App):
        def close(self) -> None:
            super().close()
            if self.name == "raises":
                raise ZeroDivisionError
            if self.name == "hangs":
                hanging.set()
                go_on.wait(10)

    factory = StandIn(Closing)
    tenants = serve(factory, max_instances=1)
    for name in ("hangs", "raises", "a", "b"):
        assert ask(tenants, name) == name
    assert hanging.wait(10)
    until(lambda: factory.made[2].closed == 1)
    until(lambda: messages(caplog))
    go_on.set()
    assert messages(caplog) == ["/u/{user}: closing the application of the tenant 'raises' failed."]


# Memory.


def sizes(tenants: WSGITenants) -> list[int]:
    kept = tenants._instances  # noqa: SLF001 (the sizes are the point)
    return [len(kept._tenants), len(kept._idle), len(kept._refused), len(kept._holders)]  # noqa: SLF001


def test_made_up_names_leave_memory_flat() -> None:
    tenants = serve(StandIn(lambda name: None))
    for number in range(100_000):
        assert tenants.claim((f"made up {number}",), "/u/x") is None
    assert sizes(tenants) == [0, 0, 1024, 0]


def test_names_that_fail_leave_memory_flat(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "multiserve")
    errors: weakref.WeakSet[Exception] = weakref.WeakSet()

    class MadeUpError(Exception):
        pass

    def make(name: str) -> None:
        errors.add(error := MadeUpError("no"))
        raise error

    tenants = serve(StandIn(make))
    for number in range(2000):
        assert tenants.claim((f"made up {number}",), "/u/x") is not None
    gc.collect()
    assert (sizes(tenants), len(errors)) == ([0, 0, 1024, 0], 0)  # no exception keeps its frames alive


def test_any_number_of_tenants_keep_no_more_memory_than_those_that_are_kept() -> None:
    class Counted:
        def __init__(self, name: str) -> None:
            self.name = name
            alive.add(self)

        def __call__(self, environ: Any, start_response: Any) -> Any:
            return [self.name.encode()]

    class Forgetful(StandIn):
        def call(self, values: tuple[str, ...], prefix: str) -> Any:
            return Counted(*values)

    alive: weakref.WeakSet[Counted] = weakref.WeakSet()

    tenants = serve(Forgetful(), max_instances=128)
    for number in range(100_000):
        assert ask(tenants, str(number)) == str(number)
    assert sizes(tenants) == [128, 128, 0, 128]
    assert len(alive) == 128


def test_tenants_that_fail_do_not_fill_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[threading.Timer] = []
    monkeypatch.setattr(threading.Timer, "start", lambda timer: started.append(timer))  # noqa: PLW0108 (a built-in is no method)

    def refuse(name: str) -> None:
        raise KeyError(name)

    tenants = WSGITenants(
        StandIn(refuse),
        name="/u/{user}",
        limits=CacheLimits(4, 0, 60),
        details=False,
    )
    for number in range(500):
        assert tenants.claim((str(number),), "") is not None
    assert len(caplog.records) == 10
    started[0].function()
    assert caplog.messages[-1] == "490 more failures of tenants of /u/{user} in the last minute."

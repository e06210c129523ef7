from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from multiserve.dispatch import lifespan as module
from multiserve.dispatch.lifespan import Lifespan, Lifespans

Log = list[str]


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IGNORED", 0.05)
    monkeypatch.setattr(module, "_ACKNOWLEDGE", 0.2)


def app(name: str, log: Log, *, start: Any = "complete", stop: Any = "complete") -> Callable[..., Any]:
    """Make an application whose lifespan does as it is told."""

    async def act(phase: str, how: Any, send: Any) -> None:
        log.append(f"{name} {phase}")
        if how == "hang":
            await asyncio.Event().wait()
        elif isinstance(how, float):
            await asyncio.sleep(how)
            how = "complete"
        if how == "raise":
            raise ZeroDivisionError(name)
        if how != "nothing":
            await send({"type": f"lifespan.{phase}.{how}", "message": f"{name} says no"})

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if start == "raise at once":
            raise TypeError("no lifespan here")
        if start == "return":
            return
        if start == "ignore":
            await asyncio.Event().wait()
        assert (await receive()) == {"type": "lifespan.startup"}
        scope["state"]["name"] = name
        await act("startup", start, send)
        assert (await receive()) == {"type": "lifespan.shutdown"}
        await act("shutdown", stop, send)

    return application


CASES = [
    # how it starts, how it stops, serving, failure, what is logged
    pytest.param("complete", "complete", True, "", [], id="ok"),
    pytest.param(0.02, "complete", True, "", [], id="slow"),
    pytest.param("raise at once", "", True, "", [], id="raises: it has no lifespan"),
    pytest.param("return", "", True, "", [], id="returns: it has no lifespan"),
    pytest.param("ignore", "", True, "", [], id="ignores lifespan"),
    pytest.param("raise", "", True, "", ["x: the lifespan ended with an error."], id="raises instead of an answer"),
    pytest.param("failed", "", False, "x says no", ["x: the start-up failed: x says no"], id="fails at start"),
    pytest.param("hang", "", False, "", [], id="hangs at start"),
    pytest.param("complete", "failed", True, "", ["x: the shut-down failed: x says no"], id="fails at stop"),
    pytest.param("complete", "raise", True, "", ["x: the lifespan ended with an error."], id="raises at stop"),
    pytest.param("complete", "nothing", True, "", [], id="returns at stop without an answer"),
    pytest.param(
        "complete", "hang", True, "",
        ["x: the shut-down took longer than 0.1 seconds and was cut short."], id="hangs at stop",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("start", "stop", "serving", "failure", "logged"), CASES)
def test_whatever_one_application_does_the_others_start_and_stop(
    run_by_own_clock,
    start: Any,
    stop: Any,
    serving: bool,
    failure: str,
    logged: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def run() -> None:
        log: Log = []
        first, last = Lifespan(app("a", log), "a"), Lifespan(app("z", log), "z")
        told = Lifespan(app("x", log, start=start, stop=stop), "x")
        lifespans = Lifespans([first, told, last], [], shutdown_timeout=0.2)
        assert await lifespans.start() == ""
        assert (first.is_serving, last.is_serving) == (True, True)
        assert (told.is_serving, told.failure) == (serving, failure)
        assert (first.state, last.state) == ({"name": "a"}, {"name": "z"})
        await lifespans.stop()
        reached = [entry for entry in log if entry.endswith("shutdown")]
        assert [entry for entry in reached if not entry.startswith("x")] == ["z shutdown", "a shutdown"]

    caplog.set_level(logging.WARNING)
    run_by_own_clock(run())
    assert [record.getMessage() for record in caplog.records if record.name == "multiserve"] == logged


def test_shut_down_goes_in_reverse_order(run_by_own_clock) -> None:
    async def run() -> Log:
        log: Log = []
        lifespans = Lifespans([Lifespan(app(name, log), name) for name in "abc"], [], shutdown_timeout=1)
        await lifespans.start()
        await lifespans.stop()
        return log

    assert run_by_own_clock(run()) == [
        "a startup",
        "b startup",
        "c startup",
        "c shutdown",
        "b shutdown",
        "a shutdown",
    ]


def test_slow_applications_start_side_by_side(run_by_own_clock) -> None:
    async def run() -> None:
        running = asyncio.Barrier(3)

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await running.wait()
            await send({"type": "lifespan.startup.complete"})
            await receive()

        lifespans = Lifespans([Lifespan(application, str(number)) for number in range(3)], [], shutdown_timeout=1)
        assert await asyncio.wait_for(lifespans.start(), 5) == ""
        await lifespans.stop()

    run_by_own_clock(run())


async def serve(lifespans: Lifespans) -> tuple[list[dict[str, Any]], asyncio.Queue[dict[str, Any]], asyncio.Task[None]]:
    """Run a server's lifespan, up to its first answer."""
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    events.put_nowait({"type": "lifespan.startup"})
    sent: list[dict[str, Any]] = []
    answered = asyncio.Event()

    async def send(message: Any) -> None:
        sent.append(message)
        answered.set()

    task = asyncio.create_task(lifespans(events.get, send))
    await asyncio.wait_for(answered.wait(), 5)
    return sent, events, task


def test_the_server_sees_one_lifespan(run_by_own_clock) -> None:
    async def run() -> None:
        log: Log = []
        sent, events, task = await serve(Lifespans([Lifespan(app("a", log), "a")], [], shutdown_timeout=1))
        assert (sent, log) == ([{"type": "lifespan.startup.complete"}], ["a startup"])
        events.put_nowait({"type": "lifespan.shutdown"})
        await asyncio.wait_for(task, 5)
        assert sent[1:] == [{"type": "lifespan.shutdown.complete"}]
        assert log == ["a startup", "a shutdown"]

    run_by_own_clock(run())


def test_a_required_application_that_fails_is_told_to_the_server(run_by_own_clock) -> None:
    async def run() -> None:
        log: Log = []
        good, bad = Lifespan(app("a", log), "a"), Lifespan(app("b", log, start="failed"), "b")
        sent, _, task = await serve(Lifespans([good, bad], [bad], shutdown_timeout=1))
        await asyncio.wait_for(task, 5)
        assert sent == [{"type": "lifespan.startup.failed", "message": "b: b says no"}]
        assert log == ["a startup", "b startup", "a shutdown"]

    run_by_own_clock(run())


def test_requests_wait_for_an_application_that_the_server_did_not_wait_for(run_by_own_clock) -> None:
    async def run() -> None:
        slow = Lifespan(app("slow", [], start=0.4), "slow")
        lifespans = Lifespans([slow], [], shutdown_timeout=1)
        await lifespans.start()
        assert not slow.is_serving
        assert not await slow.wait(0.05)
        assert await slow.wait(5)
        assert slow.is_serving
        await lifespans.stop()

    run_by_own_clock(run())


def test_an_application_that_others_serve_is_waited_for_as_long_as_it_takes(run_by_own_clock) -> None:
    async def run() -> None:
        known, new = Lifespan(app("known", [], start=0.4), "known"), Lifespan(app("new", [], start="hang"), "new")
        lifespans = Lifespans([known, new], [], shutdown_timeout=1)
        await lifespans.start(awaited=["known"])
        assert (known.is_serving, new.is_serving) == (True, False)
        await lifespans.stop()

    run_by_own_clock(run())


def test_a_server_that_can_no_longer_refuse_keeps_the_others_up(run_by_own_clock) -> None:
    async def run() -> Log:
        log: Log = []
        good, bad = Lifespan(app("a", log), "a"), Lifespan(app("b", log, start="failed"), "b")
        lifespans = Lifespans([good, bad], [bad], shutdown_timeout=1)
        assert await lifespans.start(refuse=False) == ""
        assert (good.is_serving, bad.failure) == (True, "b says no")
        assert log == ["a startup", "b startup"]
        await lifespans.stop()
        return log

    assert run_by_own_clock(run()) == ["a startup", "b startup", "a shutdown"]


def test_a_start_that_is_cancelled_leaves_no_task_but_those_that_stop_ends(run_by_own_clock) -> None:
    async def run() -> None:
        lifespans = Lifespans([Lifespan(app(name, [], start="hang"), name) for name in "abc"], [], shutdown_timeout=1)
        starting = asyncio.create_task(lifespans.start())
        await asyncio.sleep(0.01)
        starting.cancel()
        await asyncio.wait([starting])
        await asyncio.wait_for(lifespans.stop(), 1)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_by_own_clock(run())


def test_an_application_is_missing_at_all_of_its_mounts(run_by_own_clock):
    async def scenario():
        good, bad = Lifespan(app("good", []), "/"), Lifespan(app("bad", [], start="failed"), "/a", "/b")
        lifespans = Lifespans([good, bad], [], shutdown_timeout=1)
        await lifespans.start()
        assert lifespans.missing == ["/a", "/b"]
        assert (bad.name, bad.serves(["/b", "/c"]), bad.serves(["/"])) == ("/a, /b", True, False)
        await lifespans.stop()

    run_by_own_clock(scenario())


@pytest.mark.parametrize("how", ["failed", "raise"])
def test_a_failure_is_logged_only_where_the_log_has_room(
    run_by_own_clock, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def start(may_log: bool) -> int:
        caplog.clear()
        lifespan = Lifespan(app("x", [], start=how), "x", may_log=lambda: may_log)
        lifespan.start()
        assert await lifespan.wait(1)
        await lifespan.stop(1)
        return len(caplog.records)

    assert run_by_own_clock(start(True)) == 1
    assert run_by_own_clock(start(False)) == 0


def test_an_application_that_comes_and_goes_starts_once_and_is_waited_for_in_the_end(run_by_own_clock) -> None:
    log: Log = []

    async def main() -> None:
        lifespans = Lifespans([], [], 5)
        lifespans.begin(Lifespan(app("x", log, stop=0.05), "/x"))  # before the server starts the others
        await lifespans.start()
        lifespans.leave("/x")
        await lifespans.stop()
        log.append("stopped")

    run_by_own_clock(main())
    assert log == ["x startup", "x shutdown", "stopped"]

"""What a WSGI mount runs when a worker starts and ends: once, and over either interface."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from multiserve.dispatch.hooks import Hooks


def hello(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    start_response("200 OK", [])
    return [b"hello"]


def get(application: Callable[..., Any]) -> tuple[str, str]:
    started: list[str] = []
    body = b"".join(application({"REQUEST_METHOD": "GET"}, lambda status, *_: started.append(status)))
    return started[0], body.decode()


def fail() -> None:
    raise ValueError("no queue")


def leave() -> None:
    sys.exit("no database")


def test_each_function_runs_once_and_in_their_order() -> None:
    ran: list[str] = []
    hooks = Hooks("/shop", lambda: ran.append("up"), lambda: ran.append("down"))
    assert ran == []
    assert [hooks.start(), hooks.start()] == [True, True]
    assert ran == ["up"]
    hooks.stop()
    hooks.stop()
    assert ran == ["up", "down"]


def test_nothing_is_stopped_that_has_not_started() -> None:
    ran: list[str] = []
    Hooks("/shop", None, lambda: ran.append("down")).stop()
    failed = Hooks("/shop", fail, lambda: ran.append("down"))
    assert not failed.start()
    failed.stop()
    assert ran == []


def test_a_server_that_runs_no_lifespan_starts_with_the_first_request() -> None:
    ran: list[str] = []
    application = Hooks("/shop", lambda: ran.append("up"), None).guard(hello, details=False)
    assert [get(application), get(application)] == [("200 OK", "hello")] * 2
    assert ran == ["up"]


def test_requests_that_come_together_wait_for_one_start() -> None:
    may_end = threading.Event()
    ran: list[str] = []

    def slow() -> None:
        may_end.wait(30)
        ran.append("up")

    answers: list[tuple[int, tuple[str, str]]] = []
    application = Hooks("/shop", slow, None).guard(hello, details=False)
    threads = [threading.Thread(target=lambda: answers.append((len(ran), get(application)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert answers == []
    may_end.set()
    for thread in threads:
        thread.join(20)
    assert [answer for _, answer in answers] == [("200 OK", "hello")] * 3
    assert ran == ["up"]


@pytest.mark.parametrize("details", [True, False])
def test_a_start_that_fails_makes_the_mount_answer_503(details: bool, caplog: pytest.LogCaptureFixture) -> None:
    application = Hooks("/shop", fail, None).guard(hello, details=details)
    for _ in range(2):
        status, body = get(application)
        assert status == "503 Service Unavailable"
        assert body.startswith("Service Unavailable: the application at /shop could not be started")
        assert ("ValueError: no queue" in body) is details
    [record] = caplog.records
    assert record.getMessage().startswith("/shop: the start-up failed: Traceback (most recent call last):\n")
    assert record.getMessage().endswith("ValueError: no queue")
    assert "hooks.py" not in record.getMessage().replace("test_hooks.py", "")


def test_a_start_that_would_end_the_process_fails_like_any_other() -> None:
    application = Hooks("/shop", leave, None).guard(hello, details=True)
    for _ in range(2):
        status, body = get(application)
        assert (status, "SystemExit: no database" in body) == ("503 Service Unavailable", True)
    [message] = converse(Hooks("/shop", leave, leave))
    assert message["message"].endswith("SystemExit: no database")


def test_a_shutdown_that_would_end_the_process_is_over() -> None:
    sent = converse(Hooks("/shop", None, leave))
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("function", [fail, leave])
def test_a_shutdown_that_fails_is_logged(caplog: pytest.LogCaptureFixture, function: Callable[[], None]) -> None:
    hooks = Hooks("/shop", None, function)
    hooks.start()
    hooks.stop()
    assert [record.getMessage() for record in caplog.records] == ["/shop: the shut-down failed."]


def converse(hooks: Hooks) -> list[dict[str, Any]]:
    events = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        return next(events)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(hooks.lifespan({"type": "lifespan"}, receive, send))
    return sent


def test_over_asgi_they_are_a_lifespan_outside_of_the_event_loop() -> None:
    ran: list[bool] = []

    def note() -> None:
        ran.append(threading.current_thread() is threading.main_thread())

    sent = converse(Hooks("/shop", note, note))
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert ran == [False, False]


def test_over_asgi_a_start_that_fails_is_one_of_the_lifespan() -> None:
    [message] = converse(Hooks("/shop", fail, fail))
    assert message["type"] == "lifespan.startup.failed"
    assert message["message"].endswith("ValueError: no queue")


def test_what_was_started_is_stopped_at_the_latest_when_the_process_ends() -> None:
    code = (
        "from multiserve.dispatch.hooks import Hooks\nHooks('/x', lambda: print('up'), lambda: print('down')).start()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "up\ndown\n"

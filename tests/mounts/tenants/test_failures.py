from __future__ import annotations

import logging
import threading

import pytest

from multiserve.mounts.tenants import failures
from multiserve.mounts.tenants.failures import FailureLog

PATIENCE = 30.0  # seconds


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Lines(logging.Handler):
    """What is logged, and a way to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.came = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.came.set()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    handler = Lines()
    logger = logging.getLogger("multiserve")
    monkeypatch.setattr(logger, "handlers", [*logger.handlers, handler])
    return handler


def test_ten_failures_a_minute_are_logged() -> None:
    clock = Clock()
    log = FailureLog("/u/{user}", clock)
    assert [log.allows() for _ in range(12)] == [True] * 10 + [False] * 2
    clock.now += 59.0
    assert not log.allows()
    clock.now += 1.0
    assert [log.allows() for _ in range(12)] == [True] * 10 + [False] * 2


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (1, "1 more failure of tenants of /u/{user} in the last minute."),
        (90, "90 more failures of tenants of /u/{user} in the last minute."),
    ],
)
def test_the_others_are_counted(monkeypatch: pytest.MonkeyPatch, lines: Lines, number: int, line: str) -> None:
    started = []
    monkeypatch.setattr(threading.Timer, "start", lambda timer: started.append(timer))  # noqa: PLW0108 (a built-in is no method)
    log = FailureLog("/u/{user}")
    for _ in range(10 + number):
        log.allows()
    (timer,) = started
    assert (timer.interval, timer.daemon, lines.lines) == (60.0, True, [])
    timer.function()
    assert lines.lines == [line]


def test_the_number_is_logged_without_another_failure(monkeypatch: pytest.MonkeyPatch, lines: Lines) -> None:
    monkeypatch.setattr(failures, "_PERIOD", 1.0)  # all failures have to come before it is over
    log = FailureLog("/u/{user}", Clock())
    for _ in range(15):
        log.allows()
    assert lines.came.wait(PATIENCE)
    assert lines.lines == ["5 more failures of tenants of /u/{user} in the last minute."]

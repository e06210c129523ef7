"""The processes that wait to be a group: one for each interpreter, and each for one group only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from multiserve.servers.development.groups.waiting import WaitingProcess, WaitingProcesses


@pytest.fixture
def waiting():
    waiting = WaitingProcesses()
    yield waiting
    waiting.close()


@pytest.fixture
def made(monkeypatch):
    """Give all processes that are started, in their order."""
    made = []

    class Recorded(WaitingProcess):
        def __init__(self, start):
            super().__init__(start)
            made.append(self.process)

    monkeypatch.setattr("multiserve.servers.development.groups.waiting.WaitingProcess", Recorded)
    return made


def test_what_waits_is_taken_once(waiting, scripted):
    waiting.fill(scripted.start)
    waiting.fill(scripted.start)
    one, other = waiting.take(scripted.other(group="new")), waiting.take(scripted.start)
    assert one.process.pid != other.process.pid
    for each in (one, other):
        assert each.process.poll() is None
        each.end()
        assert each.process.poll() == -9


def test_what_has_ended_meanwhile_is_replaced(waiting, scripted, made):
    waiting.fill(scripted.start)
    made[0].kill()
    made[0].wait()
    taken = waiting.take(scripted.start)
    assert taken.process.poll() is None
    assert [taken.process] == made[1:]
    taken.end()


@pytest.mark.parametrize(
    ("changes", "is_kept"),
    [
        pytest.param({"order": {"group": "new"}}, True, id="another group"),
        pytest.param({"environ": {}}, False, id="another environment"),
        pytest.param({"command": ["python"]}, False, id="another interpreter"),
    ],
)
def test_what_no_group_needs_is_ended(waiting, scripted, made, changes, is_kept):
    waiting.fill(scripted.start)
    waiting.keep_only([replace(scripted.start, **changes)])
    assert (made[0].poll() is None) is is_kept


def test_nothing_waits_after_the_end(waiting, scripted, made):
    waiting.fill(scripted.start)
    waiting.close()
    waiting.fill(scripted.start)
    assert [process.poll() for process in made] == [-9]


def test_what_cannot_be_started_is_an_error_for_who_takes_it_alone(waiting, scripted):
    missing = replace(scripted.start, command=["/nowhere/python"])
    waiting.fill(missing)
    with pytest.raises(FileNotFoundError):
        waiting.take(missing)

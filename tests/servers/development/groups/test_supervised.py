"""One group in development: when its process is started again, and what is said meanwhile."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from multiserve.servers.development.groups import supervised
from multiserve.servers.development.groups.supervised import INTERRUPTED, SupervisedGroup
from multiserve.servers.development.groups.waiting import WaitingProcesses


@pytest.fixture
def begin(scripted):
    groups, waiting = [], WaitingProcesses()

    def begin(start=None):
        groups.append(SupervisedGroup(start or scripted.start, scripted.place, scripted.told.append, waiting))
        return groups[-1]

    yield begin
    waiting.close()
    for each in groups:
        each.end()
        each.join()
        each.kill()


def test_a_change_of_its_sources_starts_it_again_at_once(scripted, begin):
    scripted.does("exit 75")
    begin()
    scripted.until(lambda: len(scripted.orders) == 3)
    assert [order[2]["is_restart"] for order in scripted.orders] == [False, True, True]
    assert (scripted.told, scripted.down) == ([], None)


def test_what_it_cannot_serve_is_known_when_it_is_ready(scripted, begin):
    scripted.does('tell ["ready", {"/old": "why"}]')
    assert begin().wait_until_settled(20) == {"/old": "why"}


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        pytest.param(["exit 7"], "The process has ended with exit code 7. The terminal may say why.", id="by itself"),
        pytest.param(['tell ["refused", "wrong"]', "exit 2"], "wrong", id="with a reason"),
    ],
)
def test_a_process_that_ends_is_started_again_after_a_change(scripted, begin, tmp_path, does, reason):
    scripted.does(*does)
    assert begin().wait_until_settled(20) == {"/old": reason}
    assert scripted.down == reason
    code = does[-1].split()[1]
    assert scripted.told == [f"The process of the group old has ended with exit code {code}: waiting for a change."]
    scripted.does('tell ["ready", {}]')
    (tmp_path / "a.py").touch()
    scripted.until(lambda: len(scripted.orders) == 2)
    scripted.until(lambda: scripted.down is None)


def test_a_command_that_is_not_there_is_said(scripted, begin):
    group = begin(replace(scripted.start, command=["/nowhere/python"]))
    how = "could not be started: [Errno 2] No such file or directory: '/nowhere/python'"
    assert group.wait_until_settled(20) == {"/old": f"The process {how}. The terminal may say why."}
    assert scripted.told == [f"The process of the group old {how}: waiting for a change."]
    group.use(scripted.start)
    scripted.until(lambda: scripted.down is None)


def test_without_the_reloader_it_stays_down(scripted, begin):
    development = replace(scripted.start.config.development, reload=False)
    scripted.does("exit 7")
    begin(replace(scripted.start, config=replace(scripted.start.config, development=development)))
    scripted.until(lambda: scripted.told)
    assert scripted.told == ["The process of the group old has ended with exit code 7: its mounts answer 503."]


def test_only_another_start_needs_another_process(scripted, begin):
    group = begin()
    group.wait_until_settled(20)
    group.use(replace(scripted.start))
    group.use(scripted.other(group="changed"))
    scripted.until(lambda: len(scripted.orders) == 2)
    assert [order[2]["group"] for order in scripted.orders] == ["old", "changed"]
    assert scripted.told == []


def test_a_process_that_ctrl_c_has_ended_is_no_news_where_all_end(scripted, begin, monkeypatch):
    monkeypatch.setattr(supervised, "_MOMENT", 20.0)
    scripted.does('tell ["ready", {}]', f"exit {INTERRUPTED}")
    group = begin()
    group.wait_until_settled(20)
    group.end()
    group.join()
    assert (scripted.told, scripted.down) == ([], None)


def test_its_end_is_that_of_the_process(scripted, begin):
    group = begin()
    group.wait_until_settled(20)
    group.end()
    group.join()
    with pytest.raises(ProcessLookupError):
        os.kill(scripted.orders[0][0], 0)
    assert scripted.told == []

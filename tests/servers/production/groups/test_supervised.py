"""A group, whatever becomes of its processes."""

from __future__ import annotations

import logging
import os
import signal
import time
from dataclasses import replace

import pytest

from multiserve.interpreters.interpreter import InterpreterError
from multiserve.servers.production.groups import supervised
from multiserve.servers.production.groups.process import Start
from multiserve.servers.production.groups.supervised import SupervisedGroup

READY = 'tell ["ready", {}]'
OLD_READY = 'tell ["ready", {"/wiki": "no module"}]'


def up(scripted):
    scripted.until(lambda: scripted.group.is_settled)
    return scripted.group.current


def test_a_process_is_started_and_is_up_when_it_says_so(scripted):
    scripted.does('tell ["workers", [7, 8]]', OLD_READY)
    group = scripted.group
    assert (group.is_settled, group.is_starting) == (False, True)
    process = up(scripted)
    assert (group.failure, group.broken, group.restarts) == ("", {"/wiki": "no module"}, 0)
    assert process.reported.workers == (7, 8)
    assert scripted.orders == [[process.pid, {"graceful_timeout": 1, "group": "old", "waits": False}]]


def test_one_that_never_came_up_is_down_with_its_reason_and_tried_again(scripted, caplog):
    scripted.does("exit 9")
    group = scripted.group
    scripted.until(lambda: group.failure)
    reason = "its process has ended with exit code 9: the log may say why"
    assert (group.failure, scripted.down, group.current) == (reason, reason, None)
    assert group.broken == {"/old": reason, "/wiki": reason}
    assert caplog.messages == [f"Group old: {reason}. Another attempt follows in 1 s."]
    scripted.does(READY)
    process = up(scripted) if group.current else None
    scripted.until(lambda: not group.failure)
    assert (scripted.down, group.restarts, group.last_failure) == (None, 1, reason)
    assert process is None
    assert len(scripted.orders) == 2


def test_what_a_process_says_of_its_end_is_the_reason(scripted):
    scripted.does('tell ["refused", {"reason": "gunicorn.x: no such setting", "is_mistake": true}]', "exit 1")
    scripted.until(lambda: scripted.group.failure)
    assert (scripted.group.failure, scripted.group.is_mistaken) == ("gunicorn.x: no such setting", True)
    scripted.does()
    scripted.until(lambda: scripted.group.current)
    assert scripted.group.is_mistaken  # while another attempt is under way


def test_one_whose_workers_fail_is_down_until_they_serve(scripted):
    scripted.does('tell ["failing", "os._exit"]', 'reload ["ready", {}]')
    scripted.until(lambda: scripted.group.failure)
    assert (scripted.down, scripted.group.current.poll()) == ("os._exit", None)
    scripted.group.signal(signal.SIGHUP)
    scripted.until(lambda: not scripted.group.failure)
    assert scripted.down is None


def test_one_that_was_up_is_started_at_once_and_requests_wait(scripted, monkeypatch):
    monkeypatch.setattr(supervised, "_BRIEF", 0.0)
    before = up(scripted)
    os.kill(before.pid, signal.SIGKILL)
    scripted.until(lambda: scripted.group.current is not before)
    assert scripted.down is None
    process = up(scripted)
    assert process.pid != before.pid
    assert scripted.group.restarts == 1
    assert scripted.group.last_failure == "its process was ended by SIGKILL: the log may say why"


def test_one_that_ends_again_and_again_pauses_between_two_starts(scripted):
    scripted.does(READY, "exit 1")
    scripted.until(lambda: scripted.group.last_failure)
    assert scripted.group.current is None
    began = time.monotonic()
    scripted.until(lambda: scripted.group.current is not None)
    assert time.monotonic() - began > 0.5
    assert scripted.down is None


# What is asked for.


def test_a_reload_is_that_of_the_process_itself(scripted):
    scripted.does(READY, 'reload ["reloaded", ""]')
    process = up(scripted)
    scripted.group.reload(lambda: scripted.start, scripted.group.group)
    assert (scripted.group.outcome, scripted.group.is_starting) == (None, True)
    scripted.until(lambda: scripted.group.outcome is not None)
    assert (scripted.group.outcome, scripted.group.current) == ("", process)


def test_a_reload_that_the_process_refuses_is_refused(scripted, caplog):
    scripted.does(READY, 'reload ["reloaded", "no module"]')
    up(scripted)
    scripted.group.reload(lambda: scripted.start, scripted.group.group)
    scripted.until(lambda: scripted.group.outcome is not None)
    assert (scripted.group.outcome, scripted.group.failure) == ("no module", "")
    assert caplog.messages[-1] == "Group old: its process stays as it was: no module"


def test_a_process_that_ends_while_it_reloads_refuses(scripted):
    scripted.does(READY, 'reload ["workers", []]', "exit 3")
    up(scripted)
    scripted.group.reload(lambda: scripted.start, scripted.group.group)
    scripted.until(lambda: scripted.group.outcome is not None)
    assert scripted.group.outcome == "its process has ended with exit code 3: the log may say why"


def changed(start: Start) -> Start:
    return replace(start, environ={**start.environ, "WHERE": "else"})


@pytest.mark.parametrize("act", ["restart", "reload with other surroundings"])
def test_a_new_process_takes_the_place_of_the_one_that_serves(scripted, act):
    before = up(scripted)
    scripted.does(READY, "go")
    if act == "restart":
        scripted.group.restart()
    else:
        scripted.group.reload(lambda: changed(scripted.start), scripted.group.group)
    assert scripted.group.current is before
    scripted.until(lambda: scripted.group.outcome is not None)
    assert scripted.group.outcome == ""
    assert scripted.group.current is not before
    scripted.until(lambda: before.poll() is not None)
    assert before.poll() == 0
    scripted.until((scripted.folder / "admitted").exists)
    assert scripted.orders[-1][1]["waits"]
    assert scripted.group.restarts == 0


REFUSED = [
    pytest.param(["exit 4"], "its new process has ended with exit code 4", id="it ends"),
    pytest.param(['tell ["failing", "os._exit"]'], "os._exit", id="its workers fail"),
    pytest.param(['tell ["ready", {"/old": "no module"}]'], "/old: no module", id="it would serve less"),
    pytest.param(
        ['tell ["refused", {"reason": "required", "is_mistake": false}]', "exit 3"], "required", id="it refuses"
    ),
]


@pytest.mark.parametrize(("does", "reason"), REFUSED)
def test_a_new_process_that_is_worse_is_ended_and_nobody_notices(scripted, does, reason):
    before = up(scripted)
    scripted.does(*does)
    scripted.group.restart()
    scripted.until(lambda: scripted.group.outcome is not None)
    assert scripted.group.outcome == reason
    assert (scripted.group.current, before.poll(), scripted.down) == (before, None, None)
    scripted.until(lambda: not scripted.group.is_starting)


def test_a_new_process_may_lack_what_the_old_one_lacked(scripted):
    scripted.does(OLD_READY)
    before = up(scripted)
    scripted.does('tell ["ready", {"/wiki": "another reason"}]')
    scripted.group.restart()
    scripted.until(lambda: scripted.group.outcome is not None)
    assert (scripted.group.outcome, scripted.group.current is before) == ("", False)


def test_a_group_that_is_down_is_restarted_at_once(scripted):
    scripted.does("exit 9")
    scripted.until(lambda: scripted.group.failure)
    scripted.does(READY)
    scripted.group.restart()
    scripted.until(lambda: scripted.group.outcome is not None)
    assert (scripted.group.outcome, scripted.group.failure, scripted.down) == ("", "", None)


# The end.


def test_a_group_stops_in_good_order(scripted):
    process = up(scripted)
    scripted.group.stop()
    scripted.until(lambda: scripted.group.is_stopped)
    assert (process.poll(), scripted.group.current) == (0, None)
    scripted.group.look()
    assert scripted.group.current is None


def test_a_process_that_does_not_stop_is_killed(scripted, monkeypatch, caplog):
    monkeypatch.setattr(supervised, "_MARGIN", -0.9)
    scripted.does("ignore", READY)
    process = up(scripted)
    scripted.group.stop()
    scripted.until(lambda: scripted.group.is_stopped)
    assert process.poll() == -signal.SIGKILL
    assert caplog.messages == [f"Group old: process {process.pid} did not stop in time."]


def test_what_cannot_be_started_is_down_with_its_reason(scripted):
    start = replace(scripted.start, command=["/nowhere/python"])
    group = SupervisedGroup(scripted.group.group, lambda: start, scripted.group.place, ("/old",), logging.getLogger())
    group.look()
    reason = "it cannot be started: [Errno 2] No such file or directory: '/nowhere/python'"
    assert (group.failure, scripted.down, group.is_settled) == (reason, reason, True)


def test_an_interpreter_that_is_not_there_is_tried_again_until_it_is(scripted, monkeypatch):
    monkeypatch.setattr(supervised.Retries, "is_due", lambda self, now: True)
    found = []

    def find():
        if not found:
            raise InterpreterError("there is no .venv", "Make it.")
        return scripted.start

    group = SupervisedGroup(scripted.group.group, find, scripted.group.place, ("/old",), logging.getLogger())
    group.look()
    assert group.failure == "it cannot be started: there is no .venv\nMake it."
    found.append(True)
    while not (group.current and group.current.reported.is_ready):
        group.look()
    assert (group.failure, scripted.down) == ("", None)
    found.clear()
    group.reload(find, group.group)
    assert group.outcome == "it cannot be started: there is no .venv\nMake it."
    assert group.current.poll() is None
    group.kill()


def test_a_reload_during_a_restart_is_a_restart(scripted):
    before = up(scripted)
    scripted.does('tell ["workers", []]')
    scripted.group.restart()
    scripted.does(READY)
    scripted.group.reload(lambda: scripted.start, scripted.group.group)
    scripted.until(lambda: scripted.group.outcome is not None)
    assert scripted.group.outcome == ""
    assert scripted.group.current is not before


def test_a_refused_reload_leaves_no_trace_in_the_next_start(scripted, monkeypatch):
    monkeypatch.setattr(supervised, "_BRIEF", 0.0)
    before = up(scripted)
    scripted.does("exit 4")
    scripted.group.reload(lambda: changed(scripted.start), scripted.group.group)
    scripted.until(lambda: scripted.group.outcome is not None)
    assert scripted.group.outcome
    scripted.does(READY)
    os.kill(before.pid, signal.SIGKILL)
    scripted.until(lambda: scripted.group.current not in (before, None))
    assert scripted.group.current.start == scripted.start

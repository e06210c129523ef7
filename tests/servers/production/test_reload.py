"""The master's decisions: when new workers take over, when they are refused, and when workers are started again.

The workers here are played by the test, which holds their ends of the lines to the master.
"""

from __future__ import annotations

import io
import itertools
import json
import logging
import logging.handlers
import os
import signal
from socket import socketpair
from types import SimpleNamespace

import pytest

pytest.importorskip("gunicorn.arbiter", reason="gunicorn does not run on Windows")

import gunicorn
from gunicorn.errors import HaltServer
from gunicorn.pidfile import Pidfile

from multiserve.config.file import load_config
from multiserve.servers.production import arbiter as arbiter_module
from multiserve.servers.production import reload
from multiserve.servers.production.application import GunicornApplication
from multiserve.servers.production.reload import REFUSED, SwappingArbiter

TOML = """\
[mounts]
"/" = "first"
"/second" = "second"
[env]
MULTISERVE_TEST_COLOUR = "red"
[gunicorn]
workers = 2
graceful_timeout = 10
pidfile = "pid"
"""


class Stage(SwappingArbiter):
    """An arbiter whose workers are not processes."""

    def __init__(self, application, clock):
        super().__init__(application)
        self.pid = os.getpid()
        self.worker_age = 2  # so many have been started already
        self.clock = clock
        self.lines = {}
        self.environment = {}
        self.signals = []
        self.pidfile = SimpleNamespace(fname=str(application.config.folder / "pid"))

    def start_worker(self, generation):
        if self.clock.is_full:
            raise OSError("no more processes")
        ours, theirs = socketpair()
        ours.settimeout(0)
        pid = 1000 + len(self.lines)
        self.lines[pid] = theirs
        self.environment[pid] = os.environ.get("MULTISERVE_TEST_COLOUR")
        self.WORKERS[pid] = SimpleNamespace(tmp=io.StringIO(), age=pid)
        generation.add(pid, ours, self.clock.now)
        return pid

    def kill_worker(self, pid, sig):
        self.signals.append((pid, sig))
        if self.is_halting:
            self.WORKERS.pop(pid, None)

    def replace_none(self):
        """Take all workers so far for the very first ones."""
        self._first_workers = self.worker_age

    def say(self, pid, kind, value=None):
        self.lines[pid].sendall(json.dumps([kind, value]).encode() + b"\n")

    def end(self, *pids):
        """Let workers end, as `reap_workers` finds out."""
        for pid in pids:
            del self.WORKERS[pid]
        self.hear()
        self.reap_workers()

    def turn(self, seconds=0.0):
        """Let the main loop turn once, after so many seconds."""
        self.clock.now += seconds
        self.manage_workers()

    @property
    def working(self):
        return list(self.current.members)

    @property
    def stopped(self):
        return {pid for pid, number in self.signals if number == signal.SIGTERM}

    @property
    def written(self):
        """What has been logged."""
        return "".join(f"{record.getMessage()}\n" for record in self.handler.buffer)


@pytest.fixture
def stage(write_config, monkeypatch):
    """Start two workers, 1000 and 1001, which serve all mounts."""
    path = write_config(TOML)
    monkeypatch.delenv("MULTISERVE_TEST_COLOUR", raising=False)
    application = GunicornApplication(lambda: load_config(path), {}, lambda *_: None, tries_first=False)
    clock = SimpleNamespace(now=1000.0, is_full=False)
    for module in (arbiter_module, reload):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(arbiter_module.Arbiter, "WORKERS", {})
    monkeypatch.setattr(os, "kill", lambda *_: None)  # as if each of them ran
    monkeypatch.setattr(reload.util, "_setproctitle", lambda _: None)
    stage = Stage(application, clock)
    stage.handler = logging.handlers.BufferingHandler(1000)
    logging.getLogger("gunicorn.error").addHandler(stage.handler)
    stage.turn()
    for pid in (1000, 1001):
        stage.say(pid, "ready", [])
    stage.turn()
    yield stage
    application.leave_environment()
    candidate = stage.candidate.members if stage.candidate else {}
    for member in (*stage.current.members.values(), *candidate.values()):
        member.line.close()
    for line in stage.lines.values():
        line.close()
    logging.getLogger("gunicorn.error").removeHandler(stage.handler)


@pytest.fixture
def outcome(tmp_path):
    """Give what `multiserve reload` reads: how many reloads have ended, and why the last one was refused."""

    def outcome(name="pid"):
        written = json.loads((tmp_path / f"{name}.reload").read_text())
        heading, _, reason = written["refusal"].partition("\n")
        assert heading in ("", REFUSED)
        return [written["count"], reason, *written["broken"]]

    return outcome


def test_new_workers_take_over_once_all_are_ready(stage, outcome):
    stage.reload()
    stage.turn()
    stage.say(1002, "ready", [])
    stage.turn()
    assert (stage.working, stage.stopped) == ([1000, 1001], set())
    stage.say(1003, "ready", [])
    stage.turn()
    assert (stage.working, stage.stopped) == ([1002, 1003], {1000, 1001})
    assert [stage.lines[pid].recv(50) for pid in (1002, 1003)] == [b'["go", null]\n'] * 2
    assert outcome() == [1, ""]


def refuse_by_word(stage):
    stage.say(1002, "ready", [])
    stage.say(1003, "refused", "/second: no")


def refuse_by_end(stage):
    stage.say(1002, "ready", [])
    stage.end(1003)


def refuse_by_both(stage):
    stage.say(1003, "refused", "/second: no")
    stage.end(1003)


def refuse_by_silence(stage):
    stage.say(1002, "ready", [])
    stage.clock.now += 301


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        pytest.param(refuse_by_word, "/second: no", id="a worker refuses"),
        pytest.param(refuse_by_end, "a new worker (pid:1003) ended before it could serve", id="a worker ends"),
        pytest.param(refuse_by_both, "/second: no", id="a worker refuses and ends"),
        pytest.param(refuse_by_silence, "not all of the new workers could serve after 300 seconds", id="too slow"),
    ],
)
def test_a_reload_that_is_refused_leaves_the_workers_and_stops_the_new_ones(stage, outcome, act, reason):
    stage.reload()
    stage.turn()
    act(stage)
    stage.turn()
    assert stage.working == [1000, 1001]
    assert stage.stopped <= {1002, 1003}
    assert 1002 in stage.stopped
    assert stage.lines[1002].recv(10) == b""  # it was never let in
    assert stage.written.endswith(f"The workers stay as they were:\n{reason}\n")
    assert outcome() == [1, reason]
    stage.end(*(stage.WORKERS.keys() & {1002, 1003}))  # their exits count no more
    stage.turn()
    assert stage.working == [1000, 1001]
    assert "Another one starts" not in stage.written


def test_workers_that_cannot_be_forked_refuse_the_reload(stage, outcome):
    stage.clock.is_full = True
    stage.reload()
    stage.turn()
    assert stage.working == [1000, 1001]
    assert outcome() == [1, "the new workers cannot be started: no more processes"]


def test_a_second_signal_follows_the_reload_that_is_under_way(stage, outcome, tmp_path):
    stage.reload()
    stage.turn()
    stage.reload()
    for pid in (1002, 1003):
        stage.say(pid, "ready", [])
    stage.turn()
    assert stage.working == [1002, 1003]
    assert not (tmp_path / "pid.reload").exists()  # what became of it is told when all is over
    for pid in (1004, 1005):
        stage.say(pid, "ready", [])
    stage.turn()
    assert stage.working == [1004, 1005]
    assert outcome() == [1, ""]


def test_a_worker_class_that_is_named_is_taken(stage, write_config):
    for name in ("gthread", "multiserve.servers.production.worker.Worker", "sync"):
        write_config(TOML + f'worker_class = "{name}"\n')
        stage.reload()
        stage.turn()
        started = list(stage.lines)[-2:]
        for pid in started:
            stage.say(pid, "ready", [])
        stage.turn()
        assert stage.working == started
        assert stage.cfg.worker_class_str.startswith(name)


def test_the_environment_is_that_of_the_file_which_a_worker_serves(stage, write_config):
    write_config(TOML.replace("red", "blue"))
    stage.reload()
    stage.turn()
    assert os.environ["MULTISERVE_TEST_COLOUR"] == "red"
    stage.end(1000)
    stage.turn()
    assert stage.environment == {1000: "red", 1001: "red", 1002: "blue", 1003: "blue", 1004: "red"}
    for pid in (1002, 1003):
        stage.say(pid, "ready", [])
    stage.turn()
    assert os.environ["MULTISERVE_TEST_COLOUR"] == "blue"


def test_the_number_of_workers_follows_the_file(stage, write_config):
    write_config(TOML.replace("workers = 2", "workers = 3"))
    stage.reload()
    stage.turn()
    for pid in (1002, 1003, 1004):
        stage.say(pid, "ready", [])
    stage.turn()
    stage.turn()
    assert stage.working == [1002, 1003, 1004]


def test_a_worker_that_ends_is_replaced_at_once(stage):
    stage.end(1000)
    stage.turn()
    assert stage.working == [1001, 1002]


def test_pauses_grow_until_a_worker_is_ready(stage):
    pauses = []
    for _ in range(8):
        stage.end(stage.working[-1])
        stage.turn()
        began = stage.clock.now
        while len(stage.working) == 1:
            stage.turn(1)
        pauses.append(stage.clock.now - began)
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 60]
    stage.say(stage.working[-1], "ready", [])
    stage.turn()
    stage.end(stage.working[-1])
    stage.turn()
    assert len(stage.working) == 2


def test_a_worker_that_would_serve_less_is_not_among_the_workers_and_tried_again(stage):
    stage.end(1000)
    stage.turn()
    stage.say(1002, "refused", "/second: no")
    stage.turn()
    assert (stage.working, stage.stopped) == ([1001], {1002})
    assert stage.written.endswith(
        "A worker (pid:1002) could not serve what the others do. Another one starts in 1 s.\n/second: no\n"
    )
    stage.turn(1)
    assert stage.working == [1001, 1003]


def test_one_worker_tries_alone_after_a_failure(stage):
    stage.num_workers = 4
    stage.turn()
    stage.end(1002, 1003)
    stage.turn(1)
    assert stage.working == [1000, 1001, 1004]
    stage.turn(60)
    assert stage.working == [1000, 1001, 1004]
    stage.say(1004, "ready", [])
    stage.turn()
    assert stage.working == [1000, 1001, 1004, 1005]


def test_no_pause_is_made_where_nobody_is_left(stage):
    stage.end(1000)
    stage.turn()
    stage.end(1002)
    stage.turn()
    assert stage.working == [1001]
    stage.end(1001)
    stage.turn()
    assert stage.working == [1003]


def test_a_worker_that_cannot_be_forked_is_tried_again(stage):
    stage.end(1000)
    stage.clock.is_full = True
    stage.turn()
    assert stage.written.endswith("A worker cannot be started: no more processes. Another one starts in 1 s.\n")
    stage.clock.is_full = False
    stage.turn(1)
    assert stage.working == [1001, 1002]


def test_a_worn_worker_serves_until_another_one_is_ready_and_one_is_replaced_after_the_other(stage):
    stage.say(1000, "exhausted")
    stage.say(1001, "exhausted")
    stage.turn()
    assert (stage.working, stage.stopped) == ([1000, 1001, 1002], set())
    stage.say(1002, "refused", "/second: no")
    stage.turn()
    stage.turn(1)
    assert stage.working == [1000, 1001, 1003]
    stage.say(1003, "ready", [])
    stage.turn()
    assert (stage.working, stage.stopped - {1002}) == ([1001, 1003, 1004], {1000})
    stage.say(1004, "ready", [])
    stage.turn()
    assert (stage.working, stage.stopped - {1002}) == ([1003, 1004], {1000, 1001})


def test_a_worker_that_does_not_stop_in_time_is_killed_and_nothing_waits_for_it(stage):
    stage.num_workers = 1
    stage.turn()
    assert stage.signals == [(1000, signal.SIGTERM)]
    stage.turn(10)
    assert (1000, signal.SIGKILL) not in stage.signals
    stage.turn(1)
    assert stage.signals == [(1000, signal.SIGTERM), (1000, signal.SIGKILL)]


def test_a_stop_stops_the_new_workers_as_well(stage):
    stage.reload()
    stage.turn()
    stage.stop()
    assert stage.stopped == {1000, 1001, 1002, 1003}
    assert stage.signals[:2] == [(1002, signal.SIGTERM), (1003, signal.SIGTERM)]


def test_a_reload_waits_until_it_is_known_what_the_very_first_workers_serve(stage):
    stage.end(1000, 1001)
    stage.turn()
    stage.reload()
    stage.turn()
    assert stage.WORKERS.keys() == {1002, 1003}
    stage.say(1002, "ready", [])
    stage.turn()
    assert stage.WORKERS.keys() == {1002, 1003, 1004, 1005}


def test_a_reload_does_not_wait_for_workers_that_never_get_ready(stage):
    stage.end(1000, 1001)
    stage.turn()
    stage.reload()
    stage.turn(11)
    assert stage.WORKERS.keys() == {1002, 1003, 1004, 1005}


def test_a_wrong_file_starts_nothing(stage, write_config, outcome):
    path = write_config(TOML + "worker = 2\n")
    stage.reload()
    stage.turn()
    assert stage.WORKERS.keys() == {1000, 1001}
    assert outcome() == [
        1,
        f'{path}:\ngunicorn.worker: gunicorn has no such setting\n    Did you mean "workers"?',
    ]
    assert os.environ["MULTISERVE_TEST_COLOUR"] == "red"


def test_an_address_that_cannot_be_bound_starts_nothing(stage, write_config, outcome):
    (stage.app.config.folder / "log").touch()
    write_config(TOML + 'bind = "unix:log"\n')
    stage.reload()
    stage.turn()
    assert stage.WORKERS.keys() == {1000, 1001}
    assert outcome()[1] == f"cannot listen on unix:{stage.app.config.folder / 'log'}: something else is there"


forgets = pytest.mark.skipif(gunicorn.version_info < (26,), reason="an older gunicorn keeps such a worker")


@forgets
@pytest.mark.parametrize("code", [3, 4])
def test_an_exit_code_of_a_worker_that_served_does_not_stop_the_others(stage, monkeypatch, code):
    stage.replace_none()
    ends = itertools.chain([(1000, code << 8)], itertools.repeat((0, 0)))
    monkeypatch.setattr(arbiter_module.os, "waitpid", lambda *_: next(ends))
    stage.reap_workers()
    stage.turn()
    assert stage.working == [1001, 1002]


@forgets
@pytest.mark.parametrize("code", [3, 4])
def test_an_exit_code_of_a_first_worker_that_never_served_stops_everything(stage, monkeypatch, code):
    stage.end(1000)
    stage.turn()
    stage.replace_none()
    monkeypatch.setattr(arbiter_module.os, "waitpid", lambda *_: (1002, code << 8))
    with pytest.raises(HaltServer):
        stage.reap_workers()


def test_a_worker_that_gunicorn_keeps_although_it_has_ended_is_forgotten(stage, monkeypatch):
    stage.replace_none()
    worker = stage.WORKERS[1000]

    def kill(pid, _):
        if pid == worker.age:
            raise ProcessLookupError

    def reap(arbiter):  # as gunicorn 22 and 23 do
        if arbiter.WORKERS.get(1000) is worker:
            raise HaltServer("Worker failed to boot.", 3)

    monkeypatch.setattr(os, "kill", kill)
    monkeypatch.setattr(arbiter_module.Arbiter, "reap_workers", reap)
    stage.reap_workers()
    stage.turn()
    assert stage.working == [1001, 1002]
    assert worker.tmp.closed


def test_a_worker_that_hangs_before_it_can_serve_is_given_up(stage):
    stage.end(1000)
    stage.turn()
    stage.turn(300)
    assert (stage.working, stage.stopped) == ([1001, 1002], set())
    stage.turn(1)
    assert (stage.working, stage.stopped) == ([1001], {1002})
    assert stage.written.endswith("A worker (pid:1002) was not ready after 300 s. Another one starts in 1 s.\n")
    stage.turn(1)
    assert stage.working == [1001, 1003]


def fail(*_):
    raise FileNotFoundError("no such folder")


@pytest.mark.parametrize("step", ["pre_exec", "chdir", "execvpe"])
def test_a_second_master_that_cannot_be_started_ends_alone(stage, monkeypatch, step):
    ended = []
    monkeypatch.setattr(os, "fork", lambda: 0)
    monkeypatch.setattr(os, "chdir", lambda _: None)
    monkeypatch.setattr(os, "execvpe", lambda *_: None)
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(os, step, fail, raising=False)
    if step == "pre_exec":
        stage.cfg.set("pre_exec", lambda _: fail())
    stage.pid += 1  # so that this process is the copy
    stage.reexec()
    assert ended == [1]
    assert "A second master cannot be started." in stage.written
    assert stage.stopped == set()


def test_a_second_master_that_cannot_be_forked_changes_nothing(stage, monkeypatch):
    monkeypatch.setattr(os, "fork", fail)
    stage.reexec()
    assert stage.written == "A second master cannot be started.\n"
    stage.turn()
    assert stage.working == [1000, 1001]


def test_a_second_master_gets_no_variables_of_the_file_as_it_was(stage):
    assert os.environ["MULTISERVE_TEST_COLOUR"] == "red"
    assert "MULTISERVE_TEST_COLOUR" not in stage.cfg.env_orig
    assert "PATH" in stage.cfg.env_orig


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("child_exit", ["server", "worker"]),
        ("nworkers_changed", ["server", 2, 1]),
        ("on_exit", ["server"]),
        ("worker_exit", ["server", "worker"]),
    ],
)
@pytest.mark.usefixtures("clean_process")
def test_a_hook_of_the_master_that_raises_is_logged(stage, write_config, name, arguments):
    names = ", ".join("abc"[: len(arguments)])
    (stage.app.config.folder / "failing_hooks.py").write_text(f"def hook({names}):\n    1 / 0\n")
    write_config(TOML + f'{name} = "failing_hooks.hook"\n')
    getattr(stage.app.fresh().cfg, name)(*arguments)
    assert stage.written == f"The hook {name} failed.\n"


def test_workers_close_what_belongs_to_the_other_generation_alone(stage):
    old, new, both = (SimpleNamespace(closed=[], close=lambda: None) for _ in range(3))
    for listener in (old, new, both):
        listener.close = lambda listener=listener: listener.closed.append(True)
    stage.current.listeners = stage.LISTENERS = [old, both]
    stage.close_others()
    assert (old.closed, both.closed) == ([], [])
    stage.reload()
    stage.turn()
    stage.candidate.listeners = [new, both]
    stage.close_others()  # as a worker does that takes the place of one that has ended meanwhile
    assert (old.closed, new.closed, both.closed) == ([], [True], [])
    stage.LISTENERS = stage.candidate.listeners
    stage.close_others()
    assert (old.closed, both.closed) == ([True], [])


def test_a_reload_that_renames_the_pid_file_is_told_beside_both_names(stage, write_config, outcome, tmp_path):
    stage.pidfile = Pidfile(stage.pidfile.fname)
    stage.pidfile.create(stage.pid)
    for count, name in ((1, "other"), (2, "pid")):
        write_config(TOML.replace('"pid"', f'"{name}"'))
        stage.reload()
        stage.turn()
        for pid in list(stage.candidate.members):
            stage.say(pid, "ready", [])
        stage.turn()
        assert outcome() == outcome("other") == [count, ""]
        assert [each for each in ("pid", "other") if (tmp_path / each).exists()] == [name]
    with pytest.raises(SystemExit):
        stage.halt()
    assert {each.name for each in tmp_path.iterdir()} == {"multiserve.toml"}


def test_a_pid_file_of_another_server_leaves_the_former_one(stage, write_config, outcome, tmp_path):
    write_config(TOML.replace('"pid"', '"other"'))
    (tmp_path / "other").write_text(f"{os.getppid()}\n")
    former = stage.pidfile
    stage.reload()
    stage.turn()
    for pid in (1002, 1003):
        stage.say(pid, "ready", [])
    stage.turn()
    assert stage.working == [1002, 1003]
    assert stage.pidfile is former
    assert outcome() == [1, ""]


def test_mounts_that_are_new_and_broken_are_told(stage, write_config, outcome):
    write_config(TOML.replace("/second", "/renamed"))
    stage.reload()
    stage.turn()
    for pid in (1002, 1003):
        stage.say(pid, "ready", ["/renamed"])
    stage.turn()
    assert stage.working == [1002, 1003]
    assert outcome() == [1, "", "/renamed"]

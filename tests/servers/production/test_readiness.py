"""A worker joins: what it tells the master, when it must not serve, and how it waits."""

from __future__ import annotations

import json
import os
from socket import socketpair
from types import SimpleNamespace

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.servers.production.readiness import REFUSED, Readiness

pytestmark = pytest.mark.usefixtures("clean_process")
GOOD = "def application(environ, start_response): ...\n"


@pytest.fixture
def line():
    """Give the worker's end, and what the master hears."""
    ours, theirs = socketpair()

    def heard():
        ours.settimeout(0)
        try:
            return [json.loads(each) for each in ours.recv(100_000).splitlines()]
        except BlockingIOError:
            return []

    with ours, theirs:
        yield SimpleNamespace(worker=theirs, master=ours, heard=heard)


@pytest.fixture
def composition(write_config, tmp_path):
    (tmp_path / "fine_here.py").write_text(GOOD)

    def composition(options="", **targets):
        mounts = "".join(f'"/{name}" = {{ app = "{target}"{options} }}\n' for name, target in targets.items())
        return compose(load_config(write_config(f"[mounts]\n{mounts}")))

    return composition


@pytest.mark.parametrize(
    ("options", "targets", "known", "reason"),
    [
        pytest.param(
            "", {"a": "fine_here", "b": "nope"}, {"expected": ["/a", "/b"]}, 'mounts."/b": there is no', id="lost"
        ),
        pytest.param(
            "",
            {"a": "fine_here", "b": "nope"},
            {"expected": ["/a", "/b"], "waits": True},
            'mounts."/b"',
            id="lost by a reload",
        ),
        pytest.param("", {"a": "nope"}, {"waits": True}, 'mounts."/a": there is no', id="nothing is left"),
        pytest.param(
            ", required = true", {"a": "fine_here", "b": "nope"}, {"waits": True}, 'mounts."/b"', id="required"
        ),
    ],
)
def test_a_worker_that_would_serve_too_little_says_why_and_ends(line, composition, options, targets, known, reason):
    with pytest.raises(SystemExit) as caught:
        Readiness(line.worker, **known).judge(composition(options, **targets))
    assert caught.value.code == REFUSED
    ((kind, value),) = line.heard()
    assert kind == "refused"
    assert value.startswith(reason)


@pytest.mark.parametrize(("is_mistake", "kind"), [(False, "refused"), (True, "mistaken")])
def test_a_worker_says_whether_others_could_serve_in_its_place(line, is_mistake, kind):
    with pytest.raises(SystemExit) as caught:
        Readiness(line.worker).refuse("why", is_mistake=is_mistake)
    assert caught.value.code == REFUSED
    assert line.heard() == [[kind, "why"]]


@pytest.mark.parametrize(
    ("options", "targets", "known"),
    [
        pytest.param("", {"a": "fine_here"}, {"expected": ["/a", "/gone"], "waits": True}, id="all is well"),
        pytest.param("", {"a": "fine_here", "b": "nope"}, {"expected": ["/a"], "waits": True}, id="broken as before"),
        pytest.param("", {"a": "nope"}, {}, id="nobody else serves"),
        pytest.param(", required = true", {"a": "nope"}, {}, id="nobody else serves what is required"),
    ],
)
def test_a_worker_that_serves_no_less_goes_on(line, composition, options, targets, known):
    Readiness(line.worker, **known).judge(composition(options, **targets))
    assert line.heard() == []


class Worker:
    """What gunicorn's workers have."""

    def __init__(self):
        self.alive = True
        self.ppid = os.getppid()
        self.PIPE = os.pipe()
        self.max_requests = 10
        self.nr = 0
        self.notified = 0

    def notify(self):
        self.notified += 1


@pytest.fixture
def worker():
    worker = Worker()
    yield worker
    for end in worker.PIPE:
        os.close(end)


def test_a_worker_serves_on_after_its_max_requests_and_says_so_once(line, worker):
    Readiness(line.worker).report(worker, {"/b": "why", "/a": "how"})
    assert line.heard() == [["ready", {"/b": "why", "/a": "how"}]]
    for worker.nr in (9, 10, 11):
        worker.notify()
        assert worker.nr < worker.max_requests
    assert worker.notified == 3
    assert line.heard() == [["exhausted", None]]


def test_a_worker_that_serves_more_by_now_says_so(line):
    Readiness(line.worker).report_again({"/b": "why"})
    assert line.heard() == [["ready", {"/b": "why"}]]


def test_a_worker_without_a_master_of_ours_is_left_to_gunicorn(worker):
    readiness = Readiness()
    readiness.report(worker, {})
    readiness.wait(worker)
    assert worker.max_requests == 10


def test_a_master_that_is_gone_is_no_reason_to_fail(line, worker):
    line.master.close()
    Readiness(line.worker).report(worker, {})


def test_a_worker_waits_until_it_is_let_in(line, worker):
    line.master.sendall(b'["go", null]\n')
    os.write(worker.PIPE[1], b"\x01")  # some signal
    Readiness(line.worker, waits=True).wait(worker)


def test_a_worker_waits_no_longer_once_it_is_stopped(line, worker):
    class Stopped(Worker):
        looks = iter([True, False])

        @property
        def alive(self):
            return next(self.looks)

        @alive.setter
        def alive(self, value):
            pass

    worker.__class__ = Stopped
    os.write(worker.PIPE[1], b"\x0f")
    Readiness(line.worker, waits=True).wait(worker)


def test_a_worker_waits_no_longer_once_its_master_is_gone(line, worker):
    worker.ppid = -1
    Readiness(line.worker, waits=True).wait(worker)


@pytest.mark.parametrize(
    ("known", "is_alone"),
    [({}, True), ({"may_refuse": True}, True), ({"expected": ["/"]}, False), ({"waits": True}, False)],
)
def test_who_joins_nobody_is_alone(known, is_alone):
    assert Readiness(**known).is_alone is is_alone


def test_a_worker_does_what_the_master_says(line):
    readiness = Readiness(line.worker, pages={"/a": ""})
    done = []
    readiness.maintain = done.append
    assert not readiness.obey()
    line.master.sendall(b'["maintain", {"/b": "page"}]\n["mai')
    assert not readiness.obey()
    assert (done, readiness.pages, line.heard()) == ([{"/b": "page"}], {"/b": "page"}, [["maintained", ["/b"]]])
    line.master.sendall(b'ntain", {}]\n["go", null]\n')
    assert readiness.obey()
    assert (done[1:], line.heard()) == ([{}], [["maintained", []]])
    line.master.close()
    assert readiness.obey()  # nobody is left to wait for


def test_a_worker_obeys_each_time_that_it_reports_to_be_alive(line):
    beats = []
    worker = SimpleNamespace(max_requests=100, nr=0, notify=lambda: beats.append(1))
    readiness = Readiness(line.worker)
    readiness.report(worker, {})
    line.master.sendall(b'["maintain", {"/a": ""}]\n')
    worker.notify()
    assert (beats, line.heard()) == ([1], [["ready", {}], ["maintained", ["/a"]]])


def test_connections_end_when_the_master_drains(line):
    readiness, ended = Readiness(line.worker), []
    readiness.end_connections = lambda: ended.append(True)
    line.master.sendall(b'["drain", null]\n')
    assert (readiness.obey(), ended) == (False, [True])


def test_the_workers_of_gunicorn_keep_no_connection_alive_then(line):
    kept = []
    worker = SimpleNamespace(notify=int, max_requests=1, nr=0, cfg=SimpleNamespace(set=lambda *pair: kept.append(pair)))
    Readiness(line.worker).report(worker, {})
    line.master.sendall(b'["drain", null]\n')
    worker.notify()
    assert kept == [("keepalive", 0)]

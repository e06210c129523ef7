from __future__ import annotations

import functools
import logging
import logging.config
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import replace

import pytest

from multiserve.loading.side_effects import Recorder, SideEffects, Variable

NONE = SideEffects()
pytestmark = pytest.mark.usefixtures("kept_process")


def record(work):
    """Give what some work does, its costs aside, which depend on the machine."""
    recorder = Recorder()
    with recorder.watch("work"):
        work()
    return replace(recorder.effects["work"], seconds=0.0, memory=0)


def change_zone():
    os.environ["TZ"] = "Pacific/Chatham"
    time.tzset()


def disable_loggers():
    logging.getLogger("test_side_effects.new")
    logging.config.dictConfig({"version": 1, "loggers": {"test_side_effects.kept": {}}})


class Collector(logging.NullHandler):
    pass


Collector.__module__ = "flask_debugtoolbar.panels.logger"

CHANGES = [
    pytest.param(lambda: None, NONE, id="nothing"),
    pytest.param(lambda: os.chdir("/"), SideEffects(folder="/"), id="the working directory"),
    pytest.param(lambda: logging.root.setLevel(1), SideEffects(root_logger=True), id="the level of the root logger"),
    pytest.param(
        lambda: logging.root.addHandler(logging.NullHandler()),
        SideEffects(root_logger=True),
        id="the handlers of the root logger",
    ),
    pytest.param(lambda: logging.getLogger("test_side_effects").setLevel(1), NONE, id="the level of another logger"),
    pytest.param(
        lambda: [signal.signal(each, signal.SIG_IGN) for each in (signal.SIGUSR2, signal.SIGHUP)],
        SideEffects(signals=("SIGHUP", "SIGUSR2")),
        id="signal handlers",
    ),
    pytest.param(
        change_zone,
        SideEffects(time_zone="Pacific/Chatham", variables=(Variable("TZ", None, "Pacific/Chatham"),)),
        id="the time zone",
    ),
    pytest.param(
        lambda: sys.path.append("/no/such/folder"), SideEffects(search_path=("/no/such/folder",)), id="the search path"
    ),
    pytest.param(
        lambda: sys.modules.update(test_side_effects_module=pytest),
        SideEffects(modules=frozenset(("test_side_effects_module",))),
        id="the modules",
    ),
    pytest.param(lambda: logging.root.addHandler(Collector()), NONE, id="a handler of a debug toolbar"),
    pytest.param(lambda: socket.setdefaulttimeout(2.5), SideEffects(socket_timeout=2.5), id="the timeout of sockets"),
]


@pytest.mark.parametrize(("work", "effects"), CHANGES)
def test_what_changes_is_taken_down(work, effects):
    assert record(work) == effects


@pytest.mark.parametrize("work", [case.values[0] for case in CHANGES], ids=[case.id for case in CHANGES])
def test_what_has_changed_before_is_of_somebody_else(work):
    work()
    assert record(lambda: None) == NONE


def test_only_threads_that_still_run_are_taken_down():
    stop = threading.Event()
    lasting = [threading.Thread(target=stop.wait, name=name, daemon=True) for name in ("two", "one")]
    ended = threading.Thread(target=str, name="ended")

    def work():
        for thread in (*lasting, ended):
            thread.start()
        ended.join()

    try:
        assert record(work) == SideEffects(threads=("one", "two"))
        assert record(lambda: None) == NONE
    finally:
        stop.set()
        for thread in lasting:
            thread.join()


def test_threads_are_named_with_their_functions_and_forgotten_when_they_have_ended():
    stop = threading.Event()

    class Poll(threading.Thread):
        def run(self):
            stop.wait()

    started = [threading.Thread(target=functools.partial(stop.wait)), Poll(), threading.Thread(target=stop.wait)]
    recorder = Recorder()
    with recorder.watch("work"):
        for thread in started:
            thread.daemon = True
            thread.start()
    names = [f"{started[0].name} (Event.wait)", f"{started[1].name} ({Poll.__qualname__})", started[2].name]
    assert recorder.effects["work"].threads == tuple(sorted(names))
    assert started[2].name.endswith(" (wait)")
    stop.set()
    recorder.forget_ended_threads()
    assert recorder.effects["work"].threads == ()


def test_only_loggers_that_were_there_before_are_disabled():
    for name in ("test_side_effects.known", "test_side_effects.kept"):
        logging.getLogger(name).disabled = False
    found = record(disable_loggers).disabled_loggers
    ours = [name for name in found if name.startswith("test_side_effects.")]
    assert ours == ["test_side_effects.known"]
    assert "multiserve" not in record(disable_loggers).disabled_loggers  # it is disabled already


def test_a_working_directory_that_is_gone_is_none(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()
    assert record(lambda: None) == NONE
    assert record(lambda: os.chdir(tmp_path)) == SideEffects(folder=str(tmp_path))


def test_time_is_taken_down_even_of_what_fails():
    recorder = Recorder()
    message = "it fails"

    def work():
        os.chdir("/")
        raise RuntimeError(message)

    before = time.perf_counter()
    with pytest.raises(RuntimeError, match=message), recorder.watch("fails"):
        work()
    assert 0 < recorder.effects["fails"].seconds <= time.perf_counter() - before
    assert recorder.effects["fails"].folder == "/"


def test_what_is_watched_twice_is_added_and_what_others_do_between_is_not():
    recorder = Recorder()
    with recorder.watch("one"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        socket.setdefaulttimeout(2.5)
    logging.root.setLevel(1)
    with recorder.watch("one"):
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        os.chdir("/")
    expected = SideEffects(folder="/", signals=("SIGHUP", "SIGUSR2"), socket_timeout=2.5)
    assert replace(recorder.effects["one"], seconds=0.0, memory=0) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="only proc(5) tells")
def test_memory_is_taken_down():
    recorder, kept = Recorder(), []
    with recorder.watch("large"):
        kept.append(b"x" * 64 * 2**20)
    with recorder.watch("freed"):
        kept.clear()
    assert 60 * 2**20 < recorder.effects["large"].memory < 100 * 2**20
    assert recorder.effects["freed"].memory == 0

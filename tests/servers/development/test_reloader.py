"""When the reloader ends the process that serves; the processes themselves run in tests/end_to_end."""

from __future__ import annotations

import os
import threading

import pytest

from multiserve.config.file import load_config
from multiserve.errors import ConfigError
from multiserve.servers.development.reloader import CHANGED, Reloader


@pytest.fixture
def config(write_config):
    return load_config(write_config('[mounts]\n"/" = "a:b"\n'))


class Checking:
    """A configuration that is right, or wrong in these words."""

    wrong = ""

    def __call__(self) -> None:
        if self.wrong:
            raise ConfigError(self.wrong)


def test_a_change_is_due_when_the_configuration_is_right(config, tmp_path):
    check, told = Checking(), []
    reloader = Reloader(config, check, told.append)
    assert not reloader.is_due()
    check.wrong = "wrong"
    assert not reloader.is_due()  # nobody reads it as long as nothing changes
    assert told == []
    (tmp_path / "new.py").touch()
    assert not reloader.is_due()
    assert told == []  # an editor may be writing it
    assert [reloader.is_due() for _ in range(3)] == [False] * 3
    stays = "The mounts stay as they were until this is mended."
    assert told == [f"Error: wrong\n{stays}"]
    check.wrong = "otherwise"
    assert [reloader.is_due() for _ in range(3)] == [False] * 3
    assert told == [f"Error: wrong\n{stays}", f"Error: otherwise\n{stays}"]
    check.wrong = ""
    assert reloader.is_due()
    assert told[2:] == [f" * Detected change in {str(tmp_path / 'new.py')!r}, reloading"]


@pytest.mark.parametrize(
    ("seconds", "pause"),
    [
        pytest.param(0.0, 0.1, id="few files"),
        pytest.param(0.01, 0.2, id="many"),
        pytest.param(1.0, 0.25, id="more than it can look at"),
    ],
)
def test_files_are_checked_as_often_as_that_takes_a_small_part_of_the_time(config, monkeypatch, seconds, pause):
    reloader = Reloader(config, Checking(), print)
    clock = iter([100.0, 100.0 + seconds])
    monkeypatch.setattr("multiserve.servers.development.reloader.time.monotonic", lambda: next(clock))
    reloader.is_due()
    assert reloader.pause == pytest.approx(pause)


def test_a_change_ends_the_process_while_it_loads(config, tmp_path, monkeypatch):
    codes, ended = [], threading.Event()

    def end(code):
        codes.append(code)
        ended.set()

    monkeypatch.setattr(os, "_exit", end)
    threads = threading.active_count()
    with Reloader(config, Checking(), print).while_loading():
        assert threading.active_count() == threads + 1
        (tmp_path / "new.py").touch()
        assert ended.wait(30)
    assert codes[0] == CHANGED
    assert threading.active_count() == threads  # what is loaded is watched by the main thread


def test_the_watch_knows_when_applications_are_being_loaded(config):
    reloader = Reloader(config, Checking(), print)
    with reloader.while_loading():
        assert reloader.watch.is_loading
    assert not reloader.watch.is_loading

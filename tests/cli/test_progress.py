"""What is shown on stderr while a mount is loaded."""

from __future__ import annotations

import contextlib
import itertools
import os
import pty
import re
import sys
import threading
from types import SimpleNamespace

import pytest

from multiserve.cli import progress
from multiserve.cli.progress import Progress
from multiserve.config.file import load_config


@pytest.fixture
def mount(write_config):
    return load_config(write_config('[mounts]\n"/api" = "api.main:app"\n')).mounts[0]


class Stderr:
    """What stands in for stderr: a terminal or a pipe, and all that is written to it."""

    def __init__(self, *, is_terminal: bool) -> None:
        self.reading, self.writing = pty.openpty() if is_terminal else os.pipe()
        self.stream = os.fdopen(self.writing, "w")
        self.text = ""

    def until(self, pattern: str) -> None:
        """Read until a text has come."""
        while not re.search(pattern, self.text):
            self.text += os.read(self.reading, 4096).decode()

    def rest(self) -> str:
        """Return all that was written."""
        self.stream.write("END")
        self.stream.flush()
        self.until("END")
        self.stream.close()
        os.close(self.reading)
        return self.text.removesuffix("END").replace("\r\n", "\n")


@pytest.fixture
def stderr(monkeypatch, request):
    monkeypatch.setenv("TERM", "xterm")
    return Stderr(is_terminal=request.param)


@pytest.fixture
def make(stderr, monkeypatch):
    """Make what shows progress in that stderr; not before the test runs, as pytest sets it anew then."""

    def make(**options):
        monkeypatch.setattr(sys, "stderr", stderr.stream)
        return Progress(**options)

    return make


on_a_terminal = pytest.mark.parametrize("stderr", [True], indirect=True, ids=["terminal"])
in_a_pipe = pytest.mark.parametrize("stderr", [False], indirect=True, ids=["pipe"])
in_both = pytest.mark.parametrize("stderr", [True, False], indirect=True, ids=["terminal", "pipe"])


@on_a_terminal
def test_a_terminal_has_a_line_that_is_rewritten_each_second_and_taken_away(stderr, make, mount, monkeypatch):
    looks = itertools.chain([0, 0], itertools.count())  # two at the start, and one for each line
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: float(next(looks))))
    with make()(mount):
        stderr.until("... 1 s")
    line = "\r\x1b[Kloading /api  api.main:app ... {} s"
    text = stderr.rest()
    lines = text.count("loading")  # more than two if the test had to wait for the processor
    assert text == "".join(map(line.format, range(lines))) + "\r\x1b[K"


@on_a_terminal
def test_a_message_meanwhile_takes_the_place_of_the_line(stderr, make, mount, monkeypatch):
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: 0.0))
    shown = make()
    with shown(mount):
        stderr.until("... 0 s")
        shown.say("a file has changed")
    assert stderr.rest() == "\r\x1b[Kloading /api  api.main:app ... 0 s\r\x1b[Ka file has changed\n\r\x1b[K"


@in_a_pipe
def test_a_pipe_has_one_line_for_what_takes_long(stderr, make, mount, monkeypatch):
    monkeypatch.setattr(progress, "_PIPED_AFTER", 0.01)
    with make()(mount):
        stderr.until("\n")
    assert stderr.rest() == "loading /api  api.main:app ...\n"


@in_both
def test_what_is_loaded_at_once_has_no_line(stderr, make, mount, monkeypatch):
    monkeypatch.setattr(progress, "_SHOWN_AFTER", 60.0)
    monkeypatch.setattr(progress, "_PIPED_AFTER", 60.0)
    with make()(mount):
        pass
    assert stderr.rest() == ""


@in_both
def test_verbose_progress_leaves_the_time_of_each_mount(stderr, make, mount, monkeypatch):
    monkeypatch.setattr(progress, "_SHOWN_AFTER", 60.0)
    with make(is_verbose=True)(mount):
        pass
    assert re.fullmatch(r"/api  api\.main:app: \d\.\d\d s to load\n", stderr.rest())


@on_a_terminal
def test_the_line_and_its_thread_end_with_an_exception(stderr, make, mount, monkeypatch):
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: 0.0))
    before = threading.active_count()
    with contextlib.suppress(KeyboardInterrupt), make()(mount):
        stderr.until("... 0 s")
        raise KeyboardInterrupt
    assert threading.active_count() == before
    assert stderr.rest().endswith("\r\x1b[K")

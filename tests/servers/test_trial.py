"""What a child process raises is raised here, and nothing else of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from multiserve.errors import ConfigError, LoadError, Problem, ServeError
from multiserve.servers.trial import try_in_child


def raising(error):
    def act():
        raise error

    return act


def test_nothing_is_raised_where_nothing_is():
    try_in_child(lambda: None)


def test_what_is_done_in_the_child_is_not_done_here():
    done = []
    try_in_child(lambda: done.append(1))
    assert done == []


@pytest.mark.parametrize(
    "error",
    [
        LoadError(Problem(key="mounts", message="one", hint="do"), Problem(message="two\nlines")),
        LoadError("text"),
        ServeError("ä \ud800"),
        ConfigError("wrong"),
    ],
)
def test_an_error_is_raised_here_with_all_its_problems(error):
    with pytest.raises(type(error)) as caught:
        try_in_child(raising(error))
    assert caught.value.problems == error.problems


@pytest.mark.parametrize(
    ("act", "code"),
    [
        pytest.param(lambda: os._exit(7), 7, id="os._exit"),
        pytest.param(lambda: os._exit(0), 0, id="os._exit without a fault"),
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGKILL), -9, id="a signal"),
        pytest.param(raising(ValueError("a fault of multiserve")), 1, id="another exception"),
        pytest.param(lambda: sys.exit(5), 1, id="sys.exit"),
        pytest.param(raising(KeyboardInterrupt()), 130, id="Ctrl-C"),
    ],
)
def test_a_child_that_ends_by_itself_is_told_from_one_that_raises(act, code):
    with pytest.raises(ServeError) as caught:
        try_in_child(act)
    message = f"the process that loaded the applications ended by itself, with exit code {code}"
    assert str(caught.value) == message


def test_an_exception_that_should_not_be_shows_its_traceback(capfd):
    with pytest.raises(ServeError):
        try_in_child(raising(ValueError("a fault of multiserve")))
    assert "ValueError: a fault of multiserve" in capfd.readouterr().err


TERMINATED = """
import time
from multiserve.servers.trial import try_in_child

def act():
    print("begun", flush=True)
    time.sleep(600)

try_in_child(act)
"""


def test_sigterm_ends_the_child_too():
    with subprocess.Popen([sys.executable, "-c", TERMINATED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        process.terminate()
        assert process.stdout.read() == ""  # which ends when both have
        assert process.wait(20) == -signal.SIGTERM


@pytest.mark.parametrize("name", ["SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2"])
def test_the_child_ends_with_its_parent(name):
    number = getattr(signal, name)
    with subprocess.Popen(
        [sys.executable, "-c", f"import signal\nsignal.signal({number}, 0)\n" * (name != "SIGKILL") + TERMINATED],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert process.stdout.read() == ""  # which ends when both have
        assert process.wait(20) == -number


def test_sigterm_does_afterwards_what_it_did_before():
    before = signal.getsignal(signal.SIGTERM)
    try_in_child(lambda: None)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_process_that_the_applications_start_is_not_waited_for():
    reading, writing = os.pipe()

    def act():
        if os.fork() == 0:  # it inherits the pipe of the answer, and keeps it open
            os.close(writing)
            os.read(reading, 1)
            os._exit(0)

    try_in_child(act)
    os.close(writing)
    os.close(reading)


def test_no_file_descriptor_is_left_open():
    before = len(list(Path("/dev/fd").iterdir()))
    try_in_child(lambda: None)
    with pytest.raises(LoadError):
        try_in_child(raising(LoadError("no")))
    assert len(list(Path("/dev/fd").iterdir())) == before

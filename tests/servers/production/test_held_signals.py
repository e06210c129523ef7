"""Signals that come too early are held, and sent once more when they can be heeded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from multiserve.servers.production.held_signals import held_signals

NAMES = ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGTTIN", "SIGTTOU"]


@pytest.mark.parametrize("name", NAMES)
def test_a_signal_is_held_and_comes_once(name):
    number = getattr(signal, name)
    before, came = signal.getsignal(number), []
    with held_signals() as release:
        for _ in range(2):
            os.kill(os.getpid(), number)
        signal.signal(number, lambda *_: came.append(name))
        release()
        release()
    assert came == [name]
    signal.signal(number, before)


@pytest.mark.parametrize("name", NAMES)
def test_a_start_that_ends_leaves_no_handler(name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with held_signals():
        assert signal.getsignal(number) is not before
    assert signal.getsignal(number) is before


def test_programs_that_the_applications_start_hold_nothing():
    code = "import signal; print(signal.getsignal(signal.SIGUSR1).name, signal.pthread_sigmask(0, []))"
    with held_signals():
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "SIG_DFL set()\n"

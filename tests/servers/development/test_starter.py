"""Whether the process that has started this one is still there, and what is removed in its place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from multiserve.servers.development.starter import Starter


@pytest.fixture
def ended():
    """Give the id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def socket(tmp_path):
    """Give the path of a socket in a folder of its own."""
    folder = tmp_path / "multiserve-abc"
    folder.mkdir()
    (folder / "1.sock").touch()
    return folder / "1.sock"


@pytest.mark.parametrize("pid", [0, 1, os.getppid()], ids=["of no known process", "of another one", "of the parent"])
def test_it_has_not_ended_while_it_runs(socket, pid):
    assert not Starter(pid, str(socket)).has_ended()
    assert socket.exists()


def test_one_that_ended_before_this_process_looked_has_ended(socket, ended):
    assert Starter(ended, str(socket)).has_ended()
    assert not socket.parent.exists()


def test_one_that_ends_later_has_ended(socket, monkeypatch):
    starter = Starter(0, str(socket))
    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert starter.has_ended()
    assert not socket.parent.exists()
    assert starter.has_ended()


def test_without_sockets_nothing_is_removed(ended, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Starter(ended).has_ended()
    assert Path(tmp_path).exists()

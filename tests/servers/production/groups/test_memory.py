"""How much memory a process takes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from multiserve.servers.production.groups import memory
from multiserve.servers.production.groups.memory import resident


def test_memory_that_is_used_is_counted():
    before = resident(os.getpid())
    used = bytearray(os.urandom(1)) * (32 * 1024 * 1024)
    assert resident(os.getpid()) >= before + len(used) // 2
    assert before > 5 * 1024 * 1024


def test_a_process_that_has_ended_takes_none():
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert resident(ended.pid) == 0


def test_another_system_is_asked_by_its_own_program(monkeypatch):
    if not Path("/bin/ps").exists() and not Path("/usr/bin/ps").exists():
        pytest.skip("there is no ps")
    monkeypatch.setattr(memory, "_PROCESSES", Path("/nowhere"))
    assert resident(os.getpid()) > 5 * 1024 * 1024

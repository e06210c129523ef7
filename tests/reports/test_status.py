"""What a running server says of itself, as text."""

from __future__ import annotations

import time

import pytest

from multiserve.reports import status
from multiserve.styles import plain

MB = 1024 * 1024


@pytest.fixture(autouse=True)
def fixed_time(monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)


def process(pid, megabytes):
    return {"pid": pid, "memory": megabytes * MB}


def group(name, **changes):
    usual = {
        "name": name, "state": "up", "process": process(20, 30), "since": 999_000.0, "workers": [process(21, 50)],
        "restarts": 0, "last_failure": "",
    }  # fmt: skip
    return {**usual, **changes}


def test_a_server_with_groups():
    found = {
        "process": process(10, 40),
        "since": 800_000.0,
        "workers": [process(11, 60), process(12, 60)],
        "groups": [
            group("legacy", restarts=2, last_failure="its process was ended by SIGSEGV\nmore"),
            group("notes", state="down", process=None, since=None, workers=[], last_failure="\nno module"),
            group("late", state="starting", since=999_995.0, workers=[]),
        ],
        "mounts": [
            {"mount": "/", "target": "storefront:app", "group": "", "state": "ok", "reason": ""},
            {"mount": "/old", "target": "old:app", "group": "legacy", "state": "ok", "reason": ""},
            {"mount": "/notes", "target": "notes:app", "group": "notes", "state": "failed", "reason": "a\nb"},
        ],
    }
    assert status.text(found, plain) == (
        "PROCESS  STATE     PID  SINCE   WORKERS  MEMORY\n"
        "front    up        10   2 d     2        160 MB\n"
        "legacy   up        20   17 min  1        80 MB\n"
        "notes    down                   0\n"
        "late     starting  20   5 s     0        30 MB\n"
        "legacy has been started again 2 times.\n"
        "legacy failed last: its process was ended by SIGSEGV\n"
        "notes failed last: no module\n"
        "\n"
        "/       storefront:app          ok\n"
        "/old    old:app         legacy  ok\n"
        "/notes  notes:app       notes   failed  a"
    )


def test_a_server_without_groups_has_no_column_for_them():
    found = {
        "process": process(10, 40), "since": 993_000.0, "workers": [], "groups": [],
        "mounts": [{"mount": "/", "target": "a", "group": "", "state": "ok", "reason": ""}],
    }  # fmt: skip
    assert status.text(found, plain) == (
        "PROCESS  STATE  PID  SINCE  WORKERS  MEMORY\n"
        "front    up     10   2 h    0        40 MB\n"
        "\n"
        "/  a    ok"
    )  # fmt: skip

"""What systemd is told, over a real socket."""

from __future__ import annotations

import os
import re
import socket
import time

import pytest

from multiserve.servers.production import systemd
from multiserve.servers.production.systemd import Systemd, describe


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """A socket as systemd has it, and its address."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@multiserve-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        end.settimeout(0)
        yield end, address


def heard(end):
    found = []
    while True:
        try:
            found.append(end.recv(4096).decode())
        except BlockingIOError:
            return found


def test_all_reports(manager):
    end, address = manager
    reporter = Systemd({"NOTIFY_SOCKET": address})
    reporter.ready("Serving 1 mount")
    reporter.look("Serving 1 mount")
    reporter.look("Serving 0 of 1 mount; broken: /")
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    reporter.reloading()
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    reporter.ready("Serving 1 mount")
    reporter.stopping()
    reporter.ready("Serving 1 mount")
    ready = f"READY=1\nMAINPID={os.getpid()}\nSTATUS=Serving 1 mount"
    first, changed, reloading, again, last = heard(end)
    assert (first, changed) == (ready, "STATUS=Serving 0 of 1 mount; broken: /")
    assert before <= int(re.fullmatch("RELOADING=1\nMONOTONIC_USEC=([0-9]+)", reloading)[1]) <= after
    assert (again, last) == (ready, "STOPPING=1")


def test_a_second_master_is_named_in_place_of_an_end(manager):
    end, address = manager
    Systemd({"NOTIFY_SOCKET": address}).stopping(4711)
    assert heard(end) == ["MAINPID=4711\nWATCHDOG=1"]


def test_the_watchdog_is_told_at_half_of_its_time(manager, monkeypatch):
    end, address = manager
    now = 1000.0
    monkeypatch.setattr(systemd.time, "monotonic", lambda: now)
    reporter = Systemd({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "4000000", "WATCHDOG_PID": str(os.getpid())})
    reporter.beat()
    assert heard(end) == []  # systemd would begin to watch the start
    reporter.ready("")
    heard(end)
    told = []
    for moment in (1000.0, 1001.9, 1002.0, 1003.9, 1004.0):
        now = moment
        reporter.look("")
        told.append(heard(end))
    assert told == [["WATCHDOG=1"], [], ["WATCHDOG=1"], [], ["WATCHDOG=1"]]
    assert reporter.within(5.0) == 1.0


@pytest.mark.parametrize(
    "watched",
    [{}, {"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "-4"}, {"WATCHDOG_USEC": "²"}],
    ids=["without", "another-process", "negative", "no-digit"],
)
def test_no_watchdog(manager, watched):
    end, address = manager
    reporter = Systemd({"NOTIFY_SOCKET": address, **watched})
    reporter.ready("")
    heard(end)
    reporter.look("")
    assert heard(end) == []
    assert reporter.within(5.0) == 5.0


@pytest.mark.parametrize(
    ("environ", "successor", "expected"),
    [
        ({}, 0, ["STOPPING=1", "WATCHDOG=1", "WATCHDOG=1"]),
        ({}, 4711, ["MAINPID=4711\nWATCHDOG=1"]),
        ({"GUNICORN_PID": "1"}, 0, ["STOPPING=1", "WATCHDOG=1", "WATCHDOG=1"]),
    ],
    ids=["alone", "with-a-second-master", "second-master"],
)
def test_a_server_that_stops_is_alive(manager, monkeypatch, environ, successor, expected):
    end, address = manager
    now = 1000.0
    monkeypatch.setattr(systemd.time, "monotonic", lambda: now)
    reporter = Systemd({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "4000000", **environ})
    reporter.ready("")
    heard(end)
    reporter.stopping(successor)
    for moment in (1000.0, 1001.0, 1002.0):
        now = moment
        reporter.beat()
        reporter.stopping(successor)  # gunicorn stops twice after INT
    assert heard(end) == expected


def test_a_second_master_is_alive_before_it_is_ready(manager):
    end, address = manager
    reporter = Systemd({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "4000000", "GUNICORN_PID": "1"})
    reporter.beat()
    assert heard(end) == ["WATCHDOG=1"]


def test_the_variables_are_for_the_master_alone(manager):
    _, address = manager
    environ = {"HOME": "/", "NOTIFY_SOCKET": address, "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}
    reporter = Systemd(environ)
    assert environ == {"HOME": "/"}
    # The process id is that of another one, then.
    assert reporter.variables == {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "2000000"}


@pytest.mark.parametrize("address", ["", "vsock:2:1", "notify"], ids=["none", "vsock", "relative"])
def test_nothing_is_told_without_a_unix_socket(address):
    reporter = Systemd({"NOTIFY_SOCKET": address} if address else {})
    reporter.ready("Serving 1 mount")
    assert not reporter.is_asked
    assert reporter.variables == {}


def test_a_service_manager_that_is_gone_is_no_error(tmp_path):
    reporter = Systemd({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    reporter.ready("Serving 1 mount")
    assert reporter.is_ready


@pytest.mark.parametrize(
    ("mounts", "broken", "expected"),
    [
        (["/"], [], "Serving 1 mount"),
        (["/", "/a"], [], "Serving 2 mounts"),
        (["/", "/a", "/b"], ["/a", "/b"], "Serving 1 of 3 mounts; broken: /a, /b"),
        (
            list("abcdefghijkl"),
            list("abcdefghijk"),
            "Serving 1 of 12 mounts; broken: a, b, c, d, e, f, g, h, i, j, ...",
        ),
    ],
    ids=["one", "all", "some", "many"],
)
def test_describe(mounts, broken, expected):
    assert describe(mounts, broken) == expected

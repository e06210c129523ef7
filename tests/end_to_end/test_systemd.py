"""A production server under systemd's protocol: what it reports, when, and that its children cannot."""

from __future__ import annotations

import itertools
import re
import socket
import struct
import threading
import time

import pytest

NAMES = 'repr(sorted(name for name in os.environ if "NOTIFY" in name or "WATCHDOG" in name)).encode()'
FRONT = f"""
import asyncio, os, pathlib

folder = pathlib.Path(__file__).parent
if (folder / "fail").exists():
    raise RuntimeError("no database")

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        (folder / "waiting").touch()
        while (folder / "hold").exists():
            await asyncio.sleep(0.02)
        await send({{"type": "lifespan.startup.complete"}})
        await receive()
        await send({{"type": "lifespan.shutdown.complete"}})
    else:
        await send({{"type": "http.response.start", "status": 200, "headers": []}})
        await send({{"type": "http.response.body", "body": {NAMES}}})
"""
SLOW = """
import pathlib, time

def application(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        pathlib.Path("waiting").touch()
        while not pathlib.Path("go").exists():
            time.sleep(0.02)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
BLOG = f"""
import os

def application(environ, start_response):
    start_response("200 OK", [])
    return [{NAMES}]
"""
GROUPS = """
[mounts]
"/" = "front:application"
"/blog" = { app = "blog:application", group = "blog" }

[groups.blog]

[gunicorn]
pidfile = "server.pid"
workers = 2
"""


class Manager:
    """The socket of systemd, and all that has come."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{path[1:]}" if path.startswith("@") else path)
        self.socket.settimeout(0.02)
        self.heard = []

    def hear(self):
        try:
            while True:
                self.heard.append(self.socket.recv(4096).decode())
        except TimeoutError:
            return self.heard

    def count(self, text):
        return sum(text in each for each in self.hear())


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    address = str(tmp_path / "notify") if request.param == "path" else f"@multiserve-{tmp_path}"
    made = Manager(address)
    yield made
    made.socket.close()


@pytest.fixture
def site(write, run, manager):
    write("front.py", FRONT)
    write("blog.py", BLOG)
    write("multiserve.toml", GROUPS)
    write("hold", "")
    return run("--production", env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "1000000"})


def test_the_whole_life(site, manager, tmp_path, write):
    # The first line of the log is that of the master of the group, which loads and waits.
    site.until_logged("Booting worker")
    assert manager.count("READY=1") == 0
    (tmp_path / "hold").unlink()
    site.until(lambda: manager.count("READY=1"), "READY=1")
    assert manager.heard[0] == f"READY=1\nMAINPID={site.pid}\nSTATUS=Serving 2 mounts"
    site.ready()
    assert site.get("/").body == site.get("/blog").body == b"[]"
    site.until(lambda: manager.count("WATCHDOG=1") >= 3, "WATCHDOG=1")

    write("fail", "")
    site.signal("SIGHUP")
    site.until(lambda: manager.count("READY=1") == 2, "READY=1 after a reload that is refused")
    assert manager.count("RELOADING=1") == 1
    reloading = next(each for each in manager.heard if "RELOADING" in each)
    began = int(re.fullmatch("RELOADING=1\nMONOTONIC_USEC=([0-9]+)", reloading)[1])
    assert 0 < time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000 - began < 300_000_000
    states = [each.partition("\n")[0] for each in manager.heard if each.startswith(("READY", "RELOADING"))]
    assert states == ["READY=1", "RELOADING=1", "READY=1"]

    site.signal("SIGTERM")
    assert site.wait() == 0
    assert manager.count("STOPPING=1") == 1
    assert set(manager.heard[manager.heard.index("STOPPING=1") + 1 :]) <= {"WATCHDOG=1"}


def test_a_second_master_takes_over(site, manager, tmp_path):
    (tmp_path / "hold").unlink()
    site.until(lambda: manager.count("READY=1"), "READY=1")
    site.ready()
    site.signal("SIGUSR2")
    second = tmp_path / "server.pid.2"
    successor = int(site.until(lambda: second.exists() and second.read_text().strip(), "a second master"))
    site.until_logged("Using worker", times=4)  # two masters, and that of the group of each
    assert manager.count("READY=1") == 1
    site.signal("SIGTERM")
    site.wait()
    site.until(lambda: manager.count("READY=1") == 2, "READY=1 of the second master")
    assert manager.count("STOPPING=1") == 0
    told = [each for each in manager.heard if "MAINPID" in each]
    assert told[1:] == [f"MAINPID={successor}\nWATCHDOG=1", f"READY=1\nMAINPID={successor}\nSTATUS=Serving 2 mounts"]
    watched = manager.count("WATCHDOG=1")
    site.until(lambda: manager.count("WATCHDOG=1") > watched, "WATCHDOG=1 of the second master")


class Watchdog(threading.Thread):
    """The socket of systemd with NotifyAccess=main: it heeds the main process alone, and notes when that was alive."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(address)
        self.main = 0  # whoever says READY=1 first
        self.heard = []  # moment, process id and text

    def run(self):
        while True:
            data, ancillary, _, _ = self.socket.recvmsg(4096, 64)
            sender, _, _ = struct.unpack("3i", ancillary[0][2])
            if sender == (self.main or sender):
                text = data.decode()
                self.heard.append((time.monotonic(), sender, text))
                if found := re.search("^MAINPID=(.*)$", text, re.MULTILINE):
                    self.main = int(found[1])

    def beats(self, pid):
        return sum(sender == pid and text == "WATCHDOG=1" for _, sender, text in list(self.heard))

    def largest_gap(self):
        moments = [moment for moment, _, text in list(self.heard) if "WATCHDOG=1" in text]
        return max(after - before for before, after in itertools.pairwise(moments))


@pytest.mark.parametrize("has_second", [True, False], ids=["second-master", "alone"])
def test_the_watchdog_hears_of_a_server_that_stops_with_a_slow_request(write, run, tmp_path, has_second):
    watchdog = Watchdog(str(tmp_path / "notify"))
    watchdog.start()
    write("front.py", SLOW)
    write("multiserve.toml", '[mounts]\n"/" = "front:application"\n[gunicorn]\npidfile = "server.pid"')
    site = run("--production", env={"NOTIFY_SOCKET": watchdog.socket.getsockname(), "WATCHDOG_USEC": "4000000"}).ready()
    site.until(lambda: watchdog.beats(site.pid), "WATCHDOG=1")
    main = site.pid
    with site.connect() as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        site.until((tmp_path / "waiting").exists, "the slow request")
        if has_second:
            site.signal("SIGUSR2")
            second = tmp_path / "server.pid.2"
            main = int(site.until(lambda: second.exists() and second.read_text().strip(), "a second master"))
            site.until_logged("Booting worker", times=2)
        before = watchdog.beats(main)
        site.signal("SIGTERM")
        site.until(lambda: watchdog.beats(main) >= before + 3, "WATCHDOG=1 during the stop")
        write("go", "")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    site.wait()
    if has_second:
        site.until(lambda: any(f"READY=1\nMAINPID={main}" in text for *_, text in watchdog.heard), "READY=1")
        before = watchdog.beats(main)
        site.until(lambda: watchdog.beats(main) > before, "WATCHDOG=1 of the second master")
    assert watchdog.largest_gap() < 4.0


def test_what_is_broken_is_in_the_status(write, run, manager):
    write("front.py", FRONT)
    write("blog.py", "raise RuntimeError('no database')")
    write("multiserve.toml", '[mounts]\n"/" = "front:application"\n"/blog" = "blog:application"')
    site = run("--production", env={"NOTIFY_SOCKET": manager.path})
    site.until(lambda: manager.count("READY=1"), "READY=1")
    assert manager.heard[0] == f"READY=1\nMAINPID={site.pid}\nSTATUS=Serving 1 of 2 mounts; broken: /blog"

"""A production server under systemd's protocol: what it reports, when, and that its children cannot."""

from __future__ import annotations

import re
import socket
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
    assert manager.heard[-1] == "STOPPING=1"


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
    assert told[1:] == [f"MAINPID={successor}", f"READY=1\nMAINPID={successor}\nSTATUS=Serving 2 mounts"]
    watched = manager.count("WATCHDOG=1")
    site.until(lambda: manager.count("WATCHDOG=1") > watched, "WATCHDOG=1 of the second master")


def test_what_is_broken_is_in_the_status(write, run, manager):
    write("front.py", FRONT)
    write("blog.py", "raise RuntimeError('no database')")
    write("multiserve.toml", '[mounts]\n"/" = "front:application"\n"/blog" = "blog:application"')
    site = run("--production", env={"NOTIFY_SOCKET": manager.path})
    site.until(lambda: manager.count("READY=1"), "READY=1")
    assert manager.heard[0] == f"READY=1\nMAINPID={site.pid}\nSTATUS=Serving 1 of 2 mounts; broken: /blog"

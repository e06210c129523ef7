"""Mounts in maintenance: in every worker, over reloads and recycled workers, in groups and after a second master."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

APP = """
import os

def application(environ, start_response):
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""
LIVE = """
async def application(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
"""
TOML = """\
[mounts]
"/" = "answer"
"/shop" = "answer"
@more@
[server]
maintenance_page = "soon.html"
[gunicorn]
workers = 2
max_requests = @most@
pidfile = "pid"
@gunicorn@
"""


class Site:
    """A server, and what is said to it."""

    def __init__(self, folder: Path, start, more="", gunicorn="", most=0):
        self.folder = folder
        (folder / "answer.py").write_text(APP)
        (folder / "live.py").write_text(LIVE)
        (folder / "soon.html").write_text("<h1>Soon</h1>")
        toml = TOML.replace("@more@", more).replace("@gunicorn@", gunicorn).replace("@most@", str(most))
        (folder / "multiserve.toml").write_text(toml)
        self.server = start("run", "--production", "--port", "0", cwd=folder).ready()

    def command(self, *arguments):
        command = [sys.executable, "-m", "multiserve", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout + done.stderr

    def statuses(self, *paths, times=10):
        """Return all statuses that some requests get, each over a connection of its own, so that any worker answers."""
        return {path: {self.server.get(path).status for _ in range(times)} for path in paths}


def test_a_mount_answers_503_in_every_worker_until_it_is_served_again(start, tmp_path):
    group = '"/group" = { app = "answer", group = "apart" }\n[groups.apart]'
    site = Site(tmp_path, start, f'"/live" = "live"\n{group}')
    assert site.command("maintenance", "/shop", "on") == (0, "/shop is in maintenance.\n")
    assert site.command("maintenance", "/group", "on") == (0, "/group is in maintenance.\n")
    assert site.command("maintenance", "/live", "on") == (0, "/live is in maintenance.\n")
    assert site.statuses("/", "/shop", "/group") == {"/": {200}, "/shop": {503}, "/group": {503}}
    answer = site.server.get("/shop/x", Accept="text/html")
    assert (answer.text, answer.headers["Retry-After"]) == ("<h1>Soon</h1>", "60")
    assert site.server.get("/shop").text == "Service Unavailable: /shop is in maintenance.\n"
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{site.server.address}/live", proxy=None)
    assert refused.value.response.status_code == 503
    shown = [line.split() for line in site.command("status")[1].splitlines()]
    assert ["/shop", "answer", "maintenance"] in shown
    assert ["/group", "answer", "apart", "maintenance"] in shown
    (tmp_path / "own.html").write_text("<p>Until noon.")
    assert site.command("maintenance", "/shop", "on", "--page", "own.html")[0] == 0
    assert site.server.get("/shop", Accept="text/html").text == "<p>Until noon."
    for mount in ("/shop", "/group", "/live"):
        assert site.command("maintenance", mount, "off") == (0, f"{mount} is served.\n")
    assert site.statuses("/shop", "/group") == {"/shop": {200}, "/group": {200}}
    code, said = site.command("maintenance", "/shpo", "on")
    assert (code, said) == (3, 'Error: this server has no mount /shpo\n    Did you mean "/shop"?\n')


def test_it_stays_so_over_reloads_and_recycled_workers(start, tmp_path):
    site = Site(tmp_path, start, most=20)
    assert site.command("maintenance", "/shop", "on")[0] == 0
    assert site.command("reload")[0] == 0
    pids = set()
    with site.server.load(["/"]):
        site.server.until(lambda: pids.add(site.server.get("/").text) or len(pids) > 4, "recycled workers")
        assert site.statuses("/shop") == {"/shop": {503}}
    (tmp_path / "soon.html").write_text("<h1>Later</h1>")
    assert site.command("reload")[0] == 0
    assert site.server.get("/shop", Accept="text/html").text == "<h1>Later</h1>"
    assert site.command("maintenance", "/shop", "off")[0] == 0
    assert site.statuses("/shop") == {"/shop": {200}}


def test_a_second_master_has_the_same_mounts_in_maintenance(start, tmp_path):
    site = Site(tmp_path, start)
    assert site.command("maintenance", "/shop", "on")[0] == 0
    first = (tmp_path / "pid").read_text()
    site.server.signal("SIGUSR2")
    site.server.until((tmp_path / "pid.2").exists, "the second master")
    site.server.signal("SIGTERM")
    site.server.until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != first, "its promotion")
    assert site.statuses("/", "/shop") == {"/": {200}, "/shop": {503}}
    site.server.until(lambda: site.command("maintenance", "/shop", "off")[0] == 0, "the second master to answer")
    assert site.statuses("/shop") == {"/shop": {200}}


def test_gunicorns_own_workers_follow_as_well(start, tmp_path):
    site = Site(tmp_path, start, gunicorn='worker_class = "gthread"\nthreads = 2')
    assert site.command("maintenance", "/shop", "on") == (0, "/shop is in maintenance.\n")
    assert site.statuses("/", "/shop") == {"/": {200}, "/shop": {503}}
    assert site.command("maintenance", "/shop", "off") == (0, "/shop is served.\n")
    assert site.statuses("/shop") == {"/shop": {200}}

"""The management listener of a production server: health while workers are busy, over reloads and a second master."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import stat

import pytest

APP = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
BLOCKING = """
import pathlib, time

async def application(scope, receive, send):
    pathlib.Path(f"blocked-{scope['query_string'].decode()}").touch()
    while not pathlib.Path("go").exists():
        time.sleep(0.02)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})
"""
TOML = """[mounts]
"/" = { app = "answer", required = true }
"/bad" = "nosuch"
"/hold" = "blocking"
"/group" = { app = "answer", group = "apart", required = true }
[groups.apart]
[server]
manage = "unix:manage.sock"
[gunicorn]
workers = 2
pidfile = "pid"
"""


class Unix(http.client.HTTPConnection):
    """A client of a unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self.path))


def ask(path, url, **headers):
    with contextlib.closing(Unix(path)) as connection:
        connection.request("GET", url, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture
def site(write, run, tmp_path):
    write("answer.py", APP)
    write("blocking.py", BLOCKING)
    write("multiserve.toml", TOML)
    return run("--production").ready()


def test_health(site, tmp_path, write):
    manage = tmp_path / "manage.sock"
    assert stat.S_IMODE(manage.stat().st_mode) == 0o600
    site.until(lambda: ask(manage, "/readyz")[0] == 200, "readiness")
    status, body = ask(manage, "/readyz?verbose")
    first, second, *rest = body.splitlines()
    assert (status, first) == (200, "ok /")
    assert rest == ["ok /hold", "ok /group (group apart)", "ok group apart", "ready"]
    assert second.startswith("failed /bad (not required): ")
    assert site.get("/livez").text == "ok"  # the public origin has nothing of it
    assert ask(manage, "/readyz", Host="evil.example") == (421, "")

    held = []
    for number in range(2):  # one for each worker
        held.append(site.connect())
        held[-1].sendall(b"GET /hold?%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
        site.until((tmp_path / f"blocked-{number}").exists, "a blocked worker")
    assert [ask(manage, url)[0] for url in ("/livez", "/readyz")] == [200, 200]

    site.signal("SIGTERM")
    site.until(lambda: ask(manage, "/readyz") == (503, "not ready: the server is stopping\n"), "503")
    assert ask(manage, "/livez") == (200, "ok\n")
    write("go", "")
    for each in held:
        each.close()
    assert site.wait() == 0
    assert not manage.exists()


def test_a_reload_moves_the_listener(site, tmp_path, write):
    write("multiserve.toml", TOML.replace("manage.sock", "other.sock"))
    site.signal("SIGHUP")
    site.until(lambda: ask(tmp_path / "other.sock", "/readyz")[0] == 200, "the other socket")
    site.until(lambda: not (tmp_path / "manage.sock").exists(), "the end of the first one")
    write("multiserve.toml", TOML.replace("unix:manage.sock", "192.0.2.1:1"))
    site.signal("SIGHUP")
    site.until_logged("cannot listen on 192.0.2.1:1: Cannot assign requested address (manage)")
    assert ask(tmp_path / "other.sock", "/readyz")[0] == 200


def test_a_second_master_takes_it_over(site, tmp_path):
    manage = tmp_path / "manage.sock"
    site.signal("SIGUSR2")
    second = int(
        site.until(lambda: (tmp_path / "pid.2").exists() and (tmp_path / "pid.2").read_text(), "a second master")
    )
    site.signal("SIGTERM")
    assert site.wait() == 0
    site.until(lambda: ask(manage, "/readyz?format=json")[0] == 200, "the second master")
    assert json.loads(ask(manage, "/readyz?format=json")[1])["ready"] is True
    os.kill(second, signal.SIGTERM)
    site.until(lambda: not manage.exists(), "the end of the second master")


def test_a_second_master_without_a_listener_removes_the_socket(site, tmp_path, write):
    write("multiserve.toml", TOML.replace('manage = "unix:manage.sock"', ""))
    site.signal("SIGUSR2")
    site.until(lambda: (tmp_path / "pid.2").exists() and (tmp_path / "pid.2").read_text(), "a second master")
    site.signal("SIGTERM")
    assert site.wait() == 0
    site.until(lambda: not (tmp_path / "manage.sock").exists(), "the end of the socket")

"""`startup` and `shutdown` of WSGI mounts, in each server and with a real framework."""

from __future__ import annotations

import pytest

SITE = """
import os, pathlib
from flask import Flask

app = Flask(__name__)
ran = []

@app.get("/")
def index():
    return " ".join(ran)

def start():
    if (pathlib.Path(__file__).parent / "broken").exists():
        raise RuntimeError("no queue")
    ran.append("up")
    print("up", os.getpid(), flush=True)

def stop():
    print("down", os.getpid(), flush=True)
"""
LIVE = "async def app(scope, receive, send): ...\n"
MOUNT = '"/shop" = { app = "site_app:app", startup = "site_app:start", shutdown = "site_app:stop"@ }\n'

SERVERS = {
    "production": (("--production",), "", "[gunicorn]\nworkers = 2\n"),
    "production, with an ASGI mount": (("--production",), '"/live" = "live_app:app"\n', "[gunicorn]\nworkers = 2\n"),
    "production, middleware around all": (
        ("--production",),
        "",
        '[gunicorn]\nworkers = 2\n[server]\nmiddleware = ["werkzeug.middleware.proxy_fix:ProxyFix"]\n',
    ),
    "gthread": (("--production",), "", '[gunicorn]\nworkers = 2\nworker_class = "gthread"\n'),
    "development": (("--no-reload",), "", ""),
    "development, reloading": ((), "", ""),
    "development, with an ASGI mount": (("--no-reload",), '"/live" = "live_app:app"\n', ""),
}


@pytest.fixture
def site(write):
    write("site_app.py", SITE)
    write("live_app.py", LIVE)
    return lambda mounts="", settings="", options="": write(
        "multiserve.toml", f"[mounts]\n{MOUNT.replace('@', options)}{mounts}{settings}"
    )


@pytest.mark.parametrize("name", SERVERS)
def test_each_process_that_serves_runs_both_once(run, site, name):
    arguments, mounts, settings = SERVERS[name]
    site(mounts, settings)
    server = run(*arguments).ready()
    assert server.get("/shop/").text == "up"
    expected = 2 if settings else 1
    server.until(lambda: server.log.count("up ") == expected, "a start in each process")
    server.signal("SIGTERM")
    server.wait()
    started, stopped = (
        {line.split()[1] for line in server.log.splitlines() if line.startswith(word)} for word in ("up ", "down ")
    )
    assert len(started) == expected
    assert stopped == started
    assert server.log.count("down ") == expected


@pytest.mark.parametrize("name", [name for name in SERVERS if name != "development, reloading"])
def test_a_start_that_fails_breaks_its_mount_alone_and_the_server_where_it_is_required(run, site, write, name):
    arguments, mounts, settings = SERVERS[name]
    write("broken", "")
    site(mounts + '"/" = "site_app:app"\n', settings)
    server = run(*arguments).ready()
    response = server.get("/shop/")
    assert (response.status, server.get("/").status) == (503, 200)
    assert "the application at /shop could not be started" in response.text
    server.until_logged("RuntimeError: no queue")
    site(mounts, settings, ", required = true")
    refused = run(*arguments)
    assert refused.wait() == 3
    assert "RuntimeError: no queue" in refused.log

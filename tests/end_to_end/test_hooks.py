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
    os.write(1, f"up {os.getpid()}\\n".encode())  # whole lines, of two processes

def stop():
    os.write(1, f"down {os.getpid()}\\n".encode())
"""
LIVE = "async def app(scope, receive, send): ...\n"
MOUNT = '"/shop" = { app = "site_app:app", startup = "site_app:start", shutdown = "site_app:stop"@ }\n'

SERVERS = {
    "production": (("--production",), "", "[gunicorn]\nworkers = 2\n"),
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
    assert len(started) == expected, server.log
    assert stopped == started, server.log
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
    if name.startswith("development"):
        server.until_logged("  /shop  site_app:app  FAILED")
    server.until_logged("RuntimeError: no queue")
    site(mounts, settings, ", required = true")
    refused = run(*arguments)
    assert refused.wait() == 3
    assert "RuntimeError: no queue" in refused.log


def test_a_start_that_hangs_in_development_ends_with_its_repair(run, site, write):
    hanging = SITE.replace(
        "def start():", "def start():\n    import time; print('hanging', flush=True); time.sleep(1000)"
    )
    site()
    write("site_app.py", hanging)
    server = run("--port", "0")
    server.until_logged("hanging")
    write("site_app.py", SITE)
    server.until(lambda: "up " in server.log, "the start after the repair")
    assert server.ready().get("/shop/").text == "up"


def test_a_start_that_would_end_the_process_breaks_its_mount_alone(run, site, write):
    write("site_app.py", SITE.replace("def start():", "def start():\n    raise SystemExit('no database')"))
    site('"/" = "site_app:app"\n')
    for arguments in (("--no-reload",), ("--production",)):
        server = run(*arguments).ready()
        assert (server.get("/shop/").status, server.get("/").status) == (503, 200)
        server.until_logged("SystemExit: no database")

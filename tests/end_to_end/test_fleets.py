"""Fleets: every application of a folder is a mount, in both modes, and a new file is a new one."""

from __future__ import annotations

import pytest

FLASK = """\
from flask import Flask, request

app = Flask(__name__)

@app.get("/")
def home():
    return f"@name@ {request.script_root}"
"""
FASTAPI = """\
from fastapi import FastAPI, Request

service = FastAPI()

@service.get("/")
def home(request: Request):
    return f"fast {request.scope['root_path']}"
"""
TOML = '[mounts]\n"/reports" = { fleet = "reports" }\n[gunicorn]\nworkers = 1\npidfile = "run.pid"\n'


def flask(name):
    return FLASK.replace("@name@", name)


@pytest.fixture
def reports(write):
    write("reports/sales.py", flask("sales"))
    write("reports/stock/__init__.py", "")
    write("reports/stock/web.py", flask("stock"))
    write("reports/broken.py", f"1 / 0\n{flask('broken')}")
    write("reports/common.py", "X = 1\n")


@pytest.mark.parametrize("is_asgi", [False, True], ids=["WSGI", "ASGI"])
@pytest.mark.parametrize("mode", [(), ("--production", "--workers", "1")], ids=["development", "production"])
def test_each_application_is_served_and_listed(run, reports, write, mode, is_asgi):
    if is_asgi:
        write("reports/fast.py", FASTAPI)
    server = run(*mode, "reports/").ready()
    assert server.get("/sales/").text == "sales /sales"
    assert server.get("/stock/").text == "stock /stock"
    page = server.get("/", Accept="text/html").text
    assert '<li><a href="./sales/">sales</a></li>' in page
    assert '<li><a href="./stock/">stock</a></li>' in page
    assert "common" not in page
    assert ("ZeroDivisionError: division by zero" in page) is (not mode)
    assert server.get("/broken/").status == 503
    assert server.get("/nope").status == 404
    if is_asgi:
        assert server.get("/fast/").text == '"fast /fast"'
        assert '<li><a href="./fast/">fast</a></li>' in page


def test_a_new_file_is_a_new_mount_in_development(run, reports, write, tmp_path):
    write("multiserve.toml", TOML)
    server = run().ready()
    assert server.get("/reports").location == "./reports/"
    assert server.get("/reports/new/").status == 404
    write("reports/new.py", flask("new"))
    server.until(lambda: server.get("/reports/new/").text == "new /reports/new", "the new mount")
    assert '<a href="./new/">new</a>' in server.get("/reports/", Accept="text/html").text
    write("reports/broken.py", flask("repaired"))
    server.until(lambda: server.get("/reports/broken/").text == "repaired /reports/broken", "the repair")
    (tmp_path / "reports" / "new.py").unlink()
    server.until(lambda: server.get("/reports/new/").status == 404, "the end of the mount")
    assert "new" not in server.get("/reports/").text.split()


def test_a_first_file_in_a_folder_deep_below_is_noticed(run, write, tmp_path):
    (tmp_path / "some" / "deep" / "folder").mkdir(parents=True)
    write("multiserve.toml", '[mounts]\n"/" = { fleet = "some/deep/folder" }\n')
    server = run().ready()
    assert "There is none yet." in server.get("/").text
    write("some/deep/folder/first.py", flask("first"))
    server.until(lambda: server.get("/first/").text == "first /first", "the first mount")


def test_a_reload_in_production_takes_new_files(run, start, reports, write, tmp_path):
    write("multiserve.toml", TOML)
    server = run("--production", port=True).ready()
    write("reports/new.py", flask("new"))
    told = start("reload", cwd=tmp_path)
    assert told.wait() == 0
    assert server.get("/reports/new/").text == "new /reports/new"
    assert '<a href="./new/">new</a>' in server.get("/reports/", Accept="text/html").text


PID = """\
import os

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {environ['SCRIPT_NAME']}".encode()]
"""
LIVE = """\
import os

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["is_up"] = True
        os.write(1, b"up @name@\\n")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        os.write(1, b"down @name@\\n")
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    text = f"{os.getpid()} {scope['root_path']} {scope['state']}"
    await send({"type": "http.response.body", "body": text.encode()})
"""


@pytest.mark.parametrize("is_asgi", [False, True], ids=["WSGI", "ASGI"])
def test_files_come_and_go_without_a_restart(run, write, tmp_path, is_asgi):
    write("multiserve.toml", TOML)
    write("reports/one.py", PID)
    if is_asgi:
        write("reports/live.py", LIVE)
    server = run().ready()

    def pid(name="one"):
        return server.get(f"/reports/{name}/").text.partition(" ")[0]

    before = pid()
    write("reports/new.py", "")  # as an editor may do
    write("reports/new.py", PID)
    server.until(lambda: server.get("/reports/new/").text == f"{before} /reports/new", "the new mount")
    assert '<a href="./new/">new</a>' in server.get("/reports/", Accept="text/html").text
    assert "reports/new.py:app" in server.get("/nope").text
    write("reports/broken.py", f"1 / 0\n{PID}")
    server.until(lambda: "ZeroDivisionError" in server.get("/reports/broken/").text, "the one that fails")
    if is_asgi:
        write("reports/late.py", LIVE.replace("@name@", "late"))
        expected = f"{before} /reports/late {{'is_up': True}}"
        server.until(lambda: server.get("/reports/late/").text == expected, "the one with a lifespan")
        (tmp_path / "reports" / "late.py").unlink()
        server.until_logged("down late")
    (tmp_path / "reports" / "new.py").unlink()
    server.until(lambda: server.get("/reports/new/").status == 404, "the end of the mount")
    assert "new" not in server.get("/reports/").text.split()
    assert pid() == before
    assert "reloading" not in server.log
    server.until_logged(" * /reports/new was added\n")
    server.until_logged(" * /reports/new was removed\n")
    write("reports/broken.py", PID)
    server.until(lambda: server.get("/reports/broken/").status == 200, "the repair")
    assert pid() != before


def test_what_cannot_be_taken_in_restarts_the_server(run, write, tmp_path):
    write("multiserve.toml", TOML)
    write("reports/one.py", PID)
    write("reports/needs.py", f"import helper_of_needs\n{PID}")
    server = run().ready()
    assert server.get("/reports/needs/").status == 503
    first = server.get("/reports/one/").text
    write("helper_of_needs.py", "")
    server.until(lambda: server.get("/reports/needs/").status == 200, "the repair by another file")
    second = server.get("/reports/one/").text
    write("reports/live.py", LIVE)
    server.until(lambda: server.get("/reports/live/").status == 200, "an ASGI application")
    third = server.get("/reports/one/").text
    (tmp_path / "reports" / "live.py").unlink()
    server.until(lambda: server.get("/reports/live/").status == 404, "its end")
    assert server.get("/reports/one/").text == third
    write("reports/live.py", LIVE.replace("{scope", "again {scope"))
    server.until(lambda: "again" in server.get("/reports/live/").text, "another file of its name")
    fourth = server.get("/reports/one/").text
    assert len({first, second, third, fourth}) == 4

"""`multiserve run` with targets in place of a file, in both modes."""

from __future__ import annotations

import pytest

ASGI = """\
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": f"api {scope['root_path']}".encode()})
"""
FACTORY = """\
def create_app(name="office"):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{name} {environ['SCRIPT_NAME']}".encode()]

    return app
"""
MODES = pytest.mark.parametrize("mode", [(), ("--no-reload",), ("--production", "--workers", "1")], ids=" ".join)


@pytest.fixture
def shop(write, hello):
    write("storefront.py", hello("store"))
    write("backoffice.py", FACTORY)
    write("api.py", ASGI)
    write("static/app.css", "body {}")
    write("site/index.html", "the page")
    write("robots.txt", "User-agent: *")


def answers(server, path, text):
    server.until(lambda: server.get(path).text.startswith(text), f"{text} at {path}")


@MODES
def test_what_the_command_line_says_is_served(run, shop, mode):
    server = run(
        *mode,
        "storefront:application",
        "/admin=backoffice:create_app(name='staff')",
        "api.example.com=api:app",
        "/static=./static",
        "/robots.txt=robots.txt",
        "/old=https://example.com/new",
        '/docs={ static = "site", fallback = "index.html" }',
    ).ready()
    assert server.get("/x").text.startswith("store /x by")
    assert server.get("/admin/users").text == "staff /admin"
    assert server.get("/v1", Host="api.example.com").text == "api "
    assert server.get("/static/app.css").text == "body {}"
    assert server.get("/static/app.css").headers["Content-Type"] == "text/css; charset=utf-8"
    assert server.get("/robots.txt").text == "User-agent: *"
    assert (server.get("/old/x?y").status, server.get("/old/x?y").location) == (308, "https://example.com/new/x?y")
    assert server.get("/docs/a/page", Accept="text/html").text == "the page"
    assert "multiserve: 7 mounts from the command line\n" in server.log


@MODES
def test_a_set_of_wsgi_applications_is_served(run, shop, mode):
    server = run(*mode, "storefront:application", "/admin=backoffice:create_app()").ready()
    assert server.get("/x").text.startswith("store /x by")
    assert server.get("/admin/x").text == "office /admin"


@MODES
def test_a_target_that_cannot_be_loaded_is_named_as_it_was_typed(run, shop, mode):
    server = run(*mode, "storefront:application", "/admin=backoffice:create_ap()").ready()
    assert server.get("/").status == 200
    assert server.get("/admin").status == 503
    assert '/admin=backoffice:create_ap(): "backoffice" has no "create_ap"' in server.log + server.get("/admin").text


def test_a_module_that_is_edited_is_loaded_anew(run, shop, write, hello):
    server = run("storefront:application", "/admin=backoffice:create_app()").ready()
    answers(server, "/x", "store /x by")
    write("storefront.py", hello("edited"))
    answers(server, "/x", "edited /x by")
    assert server.get("/admin/x").text == "office /admin"


def test_a_file_in_the_folder_is_left_aside_and_one_line_says_so(run, shop, write, hello):
    write("multiserve.toml", '[mounts]\n"/" = "backoffice:create_app()"\n[server]\nport = 1\n')
    server = run("storefront:application").ready()
    answers(server, "/x", "store /x by")
    write("storefront.py", hello("edited"))
    answers(server, "/x", "edited /x by")
    assert server.log.count("Note: multiserve.toml is ignored: the mounts are those of the command line.\n") == 1
    assert server.log.count("multiserve: 1 mount from the command line\n") == 2


def test_a_folder_that_holds_files_only_later_is_served_after_a_restart(run, shop, write, hello):
    server = run("storefront:application", "/files=./files").ready()
    assert server.get("/files/a.txt").status == 503
    write("files/a.txt", "here")
    write("storefront.py", hello("edited"))
    answers(server, "/x", "edited /x by")
    assert server.get("/files/a.txt").text == "here"


def test_a_reload_in_production_loads_the_targets_anew(run, start, shop, write, hello, tmp_path):
    targets = ("storefront:application", "/admin=backoffice:create_app()")
    server = run("--production", "--workers", "1", "--pidfile", "run.pid", *targets).ready()
    answers(server, "/x", "store /x by")
    write("storefront.py", hello("edited"))
    told = start("reload", "--pid", "run.pid", cwd=tmp_path)
    assert (told.wait(), told.log) == (0, f"Process {server.pid} has reloaded.\n")
    assert server.get("/x").text.startswith("edited /x by")
    assert server.get("/admin/x").text == "office /admin"


def test_a_reload_that_breaks_a_target_is_refused(run, start, shop, write, tmp_path):
    targets = ("storefront:application", "/admin=backoffice:create_app()")
    server = run("--production", "--workers", "1", "--pidfile", "run.pid", *targets).ready()
    write("backoffice.py", "1 / 0\n")
    told = start("reload", "--pid", "run.pid", cwd=tmp_path)
    assert told.wait() == 3
    assert told.log.startswith(
        "Error: the reload is refused, and the workers stay as they were:\n/admin=backoffice:create_app(): "
    )
    assert server.get("/admin/x").text == "office /admin"


def test_the_rest_of_a_path_is_relative_to_the_folder_of_the_command(run, shop, write, tmp_path):
    write("deep/here.py", "import os\nos.chdir('/')\nfrom backoffice import *\n")
    write("deep/files/a.txt", "here")
    write("deep/backoffice.py", FACTORY)
    server = run("--no-reload", "here:create_app()", "/files=./files", cwd=tmp_path / "deep").ready()
    assert server.get("/").text == "office "
    assert server.get("/files/a.txt").text == "here"


def test_the_file_that_is_saved_serves_the_same(run, start, shop, tmp_path):
    targets = ("storefront:application", "/admin=backoffice:create_app(name='staff')", "/static=./static")
    saved = start("run", *targets, "--save", cwd=tmp_path)
    assert saved.wait() == 0
    server = run().ready()
    assert f"multiserve: 3 mounts from {tmp_path / 'multiserve.toml'}\n" in server.log
    assert server.get("/x").text.startswith("store /x by")
    assert server.get("/admin/users").text == "staff /admin"
    assert server.get("/static/app.css").text == "body {}"

"""Pages load again after a save: what the browser's script asks, through real servers and a restart."""

from __future__ import annotations

import re

import pytest

WSGI = """\
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html"), ("Content-Length", "9")])
    return [b"<p>one@tw"]
"""
ASGI = """\
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<p>one@tw", "more_body": True})
    await send({"type": "http.response.body"})
"""
TOML = '[mounts]\n"/shop" = "shop.py:app"\n[development]\nrefresh = true\n[gunicorn]\nworkers = 1\n'
TAG = re.compile(r'<p>one@tw<script src="(.+)" data-process="(\w+)" async></script>\n')


@pytest.mark.parametrize("application", [WSGI, ASGI], ids=["WSGI", "ASGI"])
def test_the_page_of_another_process_is_known_and_no_line_is_logged(run, write, application):
    write("shop.py", application)
    write("multiserve.toml", TOML)
    server = run().ready()
    script, process = TAG.fullmatch(server.get("/shop/", Accept="text/html").text).groups()
    assert "location.reload()" in server.get(script).text
    asked = script.replace("page.js", "process")
    waits = {"X-Multiserve-Waits": "1"}
    assert server.get(asked, **waits).text == process
    write("shop.py", f"{application}# saved\n")
    server.until(lambda: server.get(asked, **waits).text != process, "another process")
    assert server.get(asked, **waits).text == TAG.fullmatch(server.get("/shop/", Accept="text/html").text)[2]
    assert "/refresh/process" not in server.log
    assert "/refresh/page.js" in server.log


@pytest.mark.parametrize(
    "arguments",
    [pytest.param(("--no-refresh",), id="off"), pytest.param(("--production",), id="production")],
)
def test_otherwise_a_page_is_as_it_is(run, write, arguments):
    write("shop.py", WSGI)
    write("multiserve.toml", TOML)
    server = run(*arguments).ready()
    assert server.get("/shop/", Accept="text/html").text == "<p>one@tw"
    assert server.get("/__multiserve__/refresh/page.js").status == 404


@pytest.mark.parametrize("application", [WSGI, ASGI], ids=["WSGI", "ASGI"])
def test_the_page_of_the_debugger_loads_again_too(run, write, application):
    write("shop.py", application.replace(":\n", ":\n    1 / 0\n", 1))
    write("multiserve.toml", TOML)
    server = run().ready()
    page = server.get("/shop/", Accept="text/html")
    assert (page.status, "ZeroDivisionError" in page.text) == (500, True)
    assert re.search(r'<script src="(.+)" data-process="(\w+)" async></script>\n$', page.text)


def test_the_list_of_a_fleet_loads_again_for_a_new_application(run, write):
    write("multiserve.toml", TOML.replace('"shop.py:app"', '{ fleet = "boards" }'))
    write("boards/one.py", WSGI)
    server = run().ready()
    page = server.get("/shop/", Accept="text/html")
    script, process = re.search(r'<script src="(.+)" data-process="(\w+)" async></script>\n$', page.text).groups()
    assert "script-src 'self'; connect-src 'self'" in page.headers["Content-Security-Policy"]
    write("boards/two.py", WSGI)
    asked = script.replace("page.js", "process")
    server.until(lambda: server.get(asked).text != process, "the change")
    assert '<a href="./two/">two</a>' in server.get("/shop/", Accept="text/html").text
    assert "reloading" not in server.log

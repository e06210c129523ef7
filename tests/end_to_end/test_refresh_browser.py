"""A page loads again after a save, in a real browser: headless Chromium, over the Chrome DevTools Protocol."""

from __future__ import annotations

import pytest

WSGI = """\
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html"), ("ETag", '"1"')])
    return [b"<title>@title@</title>"]
"""
ASGI = """\
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    headers = [(b"content-type", b"text/html"), (b"etag", b'"1"')]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"<title>@title@</title>"})
"""


@pytest.mark.parametrize("application", [WSGI, ASGI], ids=["WSGI", "ASGI"])
def test_a_page_follows_each_save_and_stays_between_them(run, write, evaluate, application):
    write("shop.py", application.replace("@title@", "first"))
    write("multiserve.toml", '[mounts]\n"/shop" = "shop:app"\n[development]\nrefresh = true\n')
    server = run().ready()
    page = evaluate(f"{server.origin}/shop/")
    server.until(lambda: page("document.title") == "first", "the page")
    page("window.mark = 1")
    write("shop.py", application.replace("@title@", "second"))
    server.until(lambda: page("document.title") == "second", "the page after a save")
    assert page("window.mark") is None
    write("shop.py", f"1 / 0\n{application}")
    server.until(lambda: "could not be loaded" in (page("document.title") or ""), "the page that says why")
    write("shop.py", application.replace("@title@", "third"))
    server.until(lambda: page("document.title") == "third", "the page after the repair")
    write("shop.py", application.replace(":\n", ":\n    1 / 0\n", 1))
    server.until(lambda: "ZeroDivisionError" in (page("document.title") or ""), "the page of the debugger")
    write("shop.py", application.replace("@title@", "fourth"))
    server.until(lambda: page("document.title") == "fourth", "the page after another repair")
    page("window.mark = performance.now()")
    server.until(lambda: page("performance.now() - window.mark > 1500"), "two more questions of the script")
    assert page("document.title") == "fourth"


def test_the_list_of_a_fleet_and_the_page_where_no_mount_is_follow_a_new_application(run, write, evaluate):
    write("boards/one.py", WSGI.replace("@title@", "one"))
    write("multiserve.toml", '[mounts]\n"/b" = { fleet = "boards" }\n[development]\nrefresh = true\n')
    server = run().ready()
    page = evaluate(f"{server.origin}/b/")
    links = "[...document.links].map(each => each.textContent).join()"
    server.until(lambda: page(links) == "one", "the list")
    write("boards/two.py", WSGI.replace("@title@", "two"))
    server.until(lambda: page(links) == "one,two", "the list with the new one")
    assert "reloading" not in server.log
    page(f"location.href = '{server.origin}/nowhere'")
    server.until(lambda: "no mount" in (page("document.title") or ""), "the page of a missing mount")
    write("boards/three.py", WSGI.replace("@title@", "three"))
    server.until(lambda: "boards/three.py" in (page("document.body.textContent") or ""), "the page with the new mount")

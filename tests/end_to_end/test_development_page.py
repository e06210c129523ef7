"""The page of the development server, in a real browser."""

from __future__ import annotations

import re

import pytest

ASGI = """
async def application(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
"""
BROKEN = 'raise RuntimeError("<script>document.title = 1</script>")\n'


@pytest.mark.parametrize("kind", ["WSGI", "ASGI"])
def test_a_broken_mount_is_shown_until_it_is_repaired(run, write, hello, evaluate, kind):
    good = hello("good") if kind == "WSGI" else ASGI
    write("good.py", good)
    write("shop.py", good)
    write("multiserve.toml", '[mounts]\n"/" = "good"\n"/shop" = "shop"\n')
    server = run().ready()
    [url] = re.findall(r"^State of the mounts: (\S+)$", server.log, re.MULTILINE)
    page = evaluate(url)

    def shows(state):
        return page("document.querySelector('tr[data-mount=\"/shop\"] .state')?.textContent") == state

    server.until(lambda: shows("ok"), "the mount")
    page("window.mark = 1")
    write("shop.py", BROKEN)
    server.until(lambda: shows("failed"), "its failure")
    assert "<script>document.title = 1</script>" in page("document.querySelector('tr.reason').textContent")
    write("shop.py", good)
    server.until(lambda: shows("ok"), "its repair")
    assert page("[document.title, window.mark].join()") == "multiserve: serving,1"
    assert server.log.count("GET /__multiserve__/") == 1  # that of the first time, and not those that look again


def test_it_can_be_turned_off(run, write, hello):
    write("good.py", hello("good"))
    write("multiserve.toml", '[mounts]\n"/" = "good"\n[development]\npage = false\n')
    server = run().ready()
    assert "State of the mounts" not in server.log
    assert server.get("/__multiserve__/").text.startswith("good /__multiserve__/ by ")

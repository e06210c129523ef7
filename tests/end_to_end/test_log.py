"""The log of whole servers: every line as JSON, one id for each request, and the same path for every worker."""

from __future__ import annotations

import json
import re

import pytest
from websockets.sync.client import connect

WSGI = """
import logging, warnings

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.endswith("/warn"):
        logging.getLogger("shop").warning("low stock:\\n%s", "tea")
        warnings.warn("old")
    if path.endswith("/boom"):
        raise ValueError("no\\nway")
    start_response("200 OK", [])
    return [environ.get("HTTP_X_REQUEST_ID", "").encode()]
"""
ASGI = """
async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": dict(scope["headers"]).get(b"x-request-id", b"")})
"""
MOUNTS = """
[mounts]
"/" = "front:application"
"/shop" = "front:application"
"/blog" = { app = "front:application", group = "blog" }
"/live" = "live:application"

[groups.blog]
"""
SETTINGS = """
[server]
log = "json"
trusted_proxies = 1

[gunicorn]
accesslog = "-"
workers = 1
"""
NEW = re.compile("[0-9a-f]{32}")


@pytest.fixture
def site(write):
    write("front.py", WSGI)
    write("live.py", ASGI)

    def site(mounts=MOUNTS, settings=SETTINGS):
        write("multiserve.toml", mounts + settings)

    return site


def lines(server):
    return [json.loads(line) for line in server.log.splitlines()]


def of_path(server, path, count=1):
    """Return the access lines of a path, once there are as many."""

    def found():
        there = [json.loads(line) for line in server.log.splitlines() if '"multiserve.access"' in line]
        return [line for line in there if line["path"] == path][count - 1 :] and [
            line for line in there if line["path"] == path
        ]

    return server.until(found, f"{count} lines of {path}")


WSGI_MOUNTS = '[mounts]\n"/" = "front:application"\n"/shop" = "front:application"\n'
SERVERS = [
    pytest.param(MOUNTS, ("--production",), id="production"),
    pytest.param(MOUNTS, (), id="development"),
    pytest.param(MOUNTS, ("--no-reload", "--no-debugger"), id="one-process"),
    pytest.param(WSGI_MOUNTS, (), id="development-wsgi"),
    pytest.param(WSGI_MOUNTS, ("--production",), id="bridged"),
]


@pytest.mark.parametrize(("mounts", "arguments"), SERVERS)
def test_every_line_is_json(site, run, mounts, arguments):
    site(mounts)
    server = run(*arguments).ready()
    answer = server.get("/shop/warn?q=%0A", **{"X-Request-ID": "from-the-proxy", "X-Forwarded-For": "192.0.2.7"})
    assert answer.text == answer.headers["X-Request-ID"] == "from-the-proxy"
    assert server.get("/shop/boom").status == 500
    odd = server.ask(b"GET /shop/%ff%0a\xff HTTP/1.0\r\nHost: a\r\nX-Request-ID: \xff\r\n\r\n")
    server.raw(b"\xff\x00 nothing\r\n\r\n")
    (line,) = of_path(server, "/shop/warn")
    expected = {
        "mount": "/shop",
        "request_id": "from-the-proxy",
        "client": "192.0.2.7",
        "method": "GET",
        "query": "q=%0A",
    }
    assert {name: line[name] for name in expected} == expected
    assert (line["status"], line["bytes"], line["level"]) == (200, len("from-the-proxy"), "info")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    (failed,) = of_path(server, "/shop/boom")
    assert failed["status"] == 500
    server.signal("SIGTERM")
    server.wait()
    found = lines(server)
    (stock,) = [each for each in found if each["logger"] == "shop"]
    assert stock["message"] == "low stock:\ntea"
    assert (stock["mount"], stock["request_id"]) == ("/shop", "from-the-proxy")
    (warning,) = [each for each in found if each["logger"] == "py.warnings"]
    assert "UserWarning: old" in warning["message"]
    texts = [each.get("exception", each["message"]) for each in found if each["level"] == "error"]
    assert [text for text in texts if text.endswith("ValueError: no\nway")]
    if odd.status == 200:
        assert NEW.fullmatch(odd.headers["X-Request-ID"])


@pytest.mark.parametrize("arguments", [("--production",), ()], ids=["production", "development"])
def test_websockets_and_groups(site, run, arguments):
    site()
    server = run(*arguments).ready()
    with connect(f"ws://{server.address}/live/a%20b") as websocket:
        (opened,) = of_path(server, "/live/a%20b")
        websocket.close(4001)
    _, closed = of_path(server, "/live/a%20b", 2)
    assert (opened["method"], opened["status"], opened["mount"]) == ("WEBSOCKET", 101, "/live")
    assert "close_code" not in opened
    assert (closed["method"], closed["status"], closed["close_code"]) == ("WEBSOCKET", 101, 4001)
    assert closed["duration"] >= opened["duration"]
    assert closed["request_id"] == opened["request_id"]
    # What the application of a group logs in its own process has the id of the request in front.
    answer = server.get("/blog/warn", **{"X-Request-ID": "of-the-proxy"})
    assert answer.text == answer.headers["X-Request-ID"] == "of-the-proxy"
    (front,) = of_path(server, "/blog/warn")
    stock = server.until(lambda: [each for each in lines(server) if each["logger"] == "shop"], "the warning")[0]
    for line in (front, stock):
        assert (line["mount"], line["group"], line["request_id"]) == ("/blog", "blog", "of-the-proxy")
    assert stock["pid"] != front["pid"]


def test_an_id_of_a_client_counts_for_nothing_without_a_trusted_proxy(site, run):
    form = "%({multiserve.request_id}e)s"
    site(settings=f'[server]\nrequest_id = true\n[gunicorn]\naccesslog = "-"\naccess_log_format = "{form}"\n')
    server = run("--production").ready()
    for path in ("/shop/", "/live/", "/blog/"):
        answer = server.get(path, **{"X-Request-ID": "forged"})
        assert NEW.fullmatch(answer.text)
        assert answer.headers["X-Request-ID"] == answer.text
        server.until_logged(answer.text)


WORKERS = [
    pytest.param(WSGI_MOUNTS, "", id="wsgi"),
    pytest.param(MOUNTS, "", id="mixed-and-groups"),
    pytest.param('[mounts]\n"/" = "live:application"\n"/shop" = "live:application"\n', "", id="asgi"),
    pytest.param(WSGI_MOUNTS, 'worker_class = "gthread"', id="gthread"),
    pytest.param(WSGI_MOUNTS, 'worker_class = "sync"', id="sync"),
    pytest.param(WSGI_MOUNTS, 'worker_class = "gevent"', id="gevent"),
    pytest.param(MOUNTS, 'worker_class = "asgi"', id="asgi-of-gunicorn"),
]


@pytest.mark.parametrize(("mounts", "worker"), WORKERS)
def test_the_path_in_the_access_log_is_the_same_for_every_worker(site, run, mounts, worker):
    site(mounts, f'[gunicorn]\naccesslog = "-"\naccess_log_format = "<%(U)s>"\n{worker}\n')
    server = run("--production").ready()
    paths = ["/shop/caf%C3%A9", "/shop", "/a%2Fb", *(["/blog/x"] if "/blog" in mounts else [])]
    for path in paths:
        server.get(f"{path}?q=/c")
        server.until_logged(f"<{path}>\n")


def test_a_reload_takes_over_another_shape_of_the_log(site, run):
    text = '[gunicorn]\naccesslog = "-"\nworkers = 1\n'
    site(WSGI_MOUNTS, text)
    server = run("--production").ready()
    assert server.get("/shop/a").headers["X-Request-ID"] is None
    server.until_logged('"GET /shop/a HTTP/1.1" 200 ')
    site(WSGI_MOUNTS, f'[server]\nlog = "json"\n{text}')
    server.signal("SIGHUP")
    server.until(lambda: server.get("/shop/b").headers["X-Request-ID"], "an id")
    server.until_logged('"message": "GET /shop/b 200"')
    site(WSGI_MOUNTS, text)
    server.signal("SIGHUP")
    server.until(lambda: server.get("/shop/c").headers["X-Request-ID"] is None, "no id")
    server.until_logged('"GET /shop/c HTTP/1.1" 200 ')

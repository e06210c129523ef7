"""The client sends what a browser would, and returns what the applications answer."""

from __future__ import annotations

import threading

import pytest

from multiserve import LoadError, load_config
from multiserve.testing import Client, calls

APPS = """
import json
from http.cookies import SimpleCookie

def describe(method, path, query, host, headers, body):
    return json.dumps({"method": method, "path": path, "query": query, "host": host, "headers": headers, "body": body})

def wsgi(environ, start_response):
    headers = {name: environ.get(name) for name in ("CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_COOKIE", "HTTP_X_MARK")}
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length).decode()
    text = describe(environ["REQUEST_METHOD"], environ["SCRIPT_NAME"] + "|" + environ["PATH_INFO"],
                    environ["QUERY_STRING"], environ["HTTP_HOST"], headers, body)
    start_response("200 OK", [("Content-Type", "application/json"), ("Set-Cookie", "seen=1; Path=/wsgi")])
    return [text.encode()]

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        raise RuntimeError
    names = {"CONTENT_TYPE": b"content-type", "CONTENT_LENGTH": b"content-length", "HTTP_COOKIE": b"cookie",
             "HTTP_X_MARK": b"x-mark"}
    given = dict(scope["headers"])
    headers = {key: given[name].decode() if name in given else None for key, name in names.items()}
    message = await receive()
    path = scope["root_path"] + "|" + scope["path"].removeprefix(scope["root_path"])
    text = describe(scope["method"], path, scope["query_string"].decode(), given[b"host"].decode(), headers,
                    message["body"].decode())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"),
                (b"set-cookie", b"seen=1; Path=/asgi")]})
    for each in text:
        await send({"type": "http.response.body", "body": each.encode(), "more_body": True})
    await send({"type": "http.response.body"})

def fails(environ, start_response):
    raise ValueError("the application is wrong")

async def fails_too(scope, receive, send):
    raise ValueError("the application is wrong")

def latin(environ, start_response):
    start_response("404 No Such Coffee", [("Content-Type", "text/plain; charset=latin-1")])(b"no ")
    return ["caf\\xe9".encode("latin-1")]

async def silent(scope, receive, send):
    if scope["type"] == "lifespan":
        raise RuntimeError
    await receive()
    while (await receive())["type"] != "http.disconnect":
        pass

async def starts(scope, receive, send):
    await receive()
    await receive()

def lives(fails=False, log=[]):
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            log.append((await receive())["type"])
            await send({"type": "lifespan.startup.failed", "message": "no database"} if fails else
                       {"type": "lifespan.startup.complete"})
            log.append((await receive())["type"])
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": " ".join(log).encode()})
    app.log = log
    return app
"""
WSGI = '[mounts]\n"/wsgi" = "web:wsgi"\n"/latin" = "web:latin"\n"/fails" = "web:fails"\n'
ASGI = f'{WSGI}"/asgi" = "web:asgi"\n"/fails/too" = "web:fails_too"\n'
NOTHING = {"CONTENT_TYPE": None, "CONTENT_LENGTH": None, "HTTP_COOKIE": None, "HTTP_X_MARK": None}

pytestmark = pytest.mark.usefixtures("clean_process")


@pytest.fixture
def write(write_config):
    """Write a configuration beside the applications."""

    def write_both(text):
        path = write_config(text)
        (path.parent / "web.py").write_text(APPS)
        return path

    return write_both


# A WSGI application alone, one behind the bridge, and an ASGI application.
BOTH = pytest.mark.parametrize(
    ("file", "mount"),
    [
        pytest.param(WSGI, "/wsgi", id="WSGI"),
        pytest.param(ASGI, "/wsgi", id="bridge"),
        pytest.param(ASGI, "/asgi", id="ASGI"),
    ],
)


@BOTH
@pytest.mark.parametrize(
    ("send", "expected"),
    [
        pytest.param(lambda client, url: client.get(url), {"method": "GET"}, id="get"),
        pytest.param(
            lambda client, url: client.request("DELETE", f"{url}/%20x?y=1&z=a%20b#f"),
            {"method": "DELETE", "path": "|/ x", "query": "y=1&z=a%20b"},
            id="a method, an escape and a query",
        ),
        pytest.param(
            lambda client, url: client.get(f"https://shop.test:8443{url}"), {"host": "shop.test:8443"}, id="a whole URL"
        ),
        pytest.param(
            lambda client, url: client.get(url, headers={"X-Mark": "m", "Host": "other.test"}),
            {"host": "other.test", "headers": {"HTTP_X_MARK": "m"}},
            id="headers",
        ),
        pytest.param(
            lambda client, url: client.post(url, body=b"plain", headers={"Content-Type": "text/x"}),
            {"method": "POST", "body": "plain", "headers": {"CONTENT_TYPE": "text/x", "CONTENT_LENGTH": "5"}},
            id="a body",
        ),
        pytest.param(
            lambda client, url: client.post(url, form={"a": "1 2", "b": "&"}),
            {
                "method": "POST",
                "body": "a=1+2&b=%26",
                "headers": {"CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": "11"},
            },
            id="a form",
        ),
        pytest.param(
            lambda client, url: client.post(url, json={"a": [1]}),
            {
                "method": "POST",
                "body": '{"a": [1]}',
                "headers": {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "10"},
            },
            id="JSON",
        ),
    ],
)
def test_what_is_sent_arrives(write, file, mount, send, expected):
    with Client(write(file)) as client:
        response = send(client, mount)
    assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
    nothing = {"method": "GET", "path": "|", "query": "", "host": "localhost", "body": ""}
    whole = {**nothing, **expected, "headers": {**NOTHING, **expected.get("headers", {})}}
    assert response.json() == {**whole, "path": f"{mount}{whole['path']}"}


@BOTH
def test_cookies_are_sent_where_a_browser_would_send_them(write, file, mount):
    with Client(write(file)) as client:
        cookies = [client.get(url).json()["headers"]["HTTP_COOKIE"] for url in (mount, f"{mount}/x")]
        assert (cookies, [(each.name, each.path) for each in client.cookies]) == ([None, "seen=1"], [("seen", mount)])
        if file == ASGI:
            other = "/asgi" if mount == "/wsgi" else "/wsgi"
            assert client.get(other).json()["headers"]["HTTP_COOKIE"] is None
        client.cookies.clear()
        assert client.get(mount).json()["headers"]["HTTP_COOKIE"] is None


@pytest.mark.parametrize("file", [WSGI, ASGI], ids=["WSGI", "bridge"])
def test_a_response_has_its_text_in_its_charset_and_what_was_written_before(write, file):
    with Client(write(file), origin="http://shop.test") as client:
        response = client.get("/latin")
    assert (response.status, response.text, response.body) == (404, "no café", b"no caf\xe9")


@pytest.mark.parametrize(
    ("file", "url"), [(WSGI, "/fails"), (ASGI, "/fails"), (ASGI, "/fails/too")], ids=["WSGI", "bridge", "ASGI"]
)
def test_what_an_application_raises_is_raised_in_the_test(write, file, url):
    with Client(write(file)) as client, pytest.raises(ValueError, match=r"^the application is wrong$"):
        client.get(url)


def test_a_configuration_may_be_read_already(write):
    with Client(load_config(write(WSGI))) as client:
        assert client.get("/wsgi").status == 200


@pytest.mark.parametrize("file", [WSGI, ASGI], ids=["WSGI", "ASGI"])
def test_a_mount_that_cannot_be_loaded_answers_503_as_in_production(write, file):
    with Client(write(f'{file}"/gone" = "web:gone"')) as client:
        assert client.get("/gone").status == 503
        assert client.get("/wsgi").status == 200


def test_a_required_mount_that_cannot_be_loaded_is_an_error(write):
    path = write(f'{WSGI}"/gone" = {{ app = "web:gone", required = true }}')
    with pytest.raises(LoadError) as caught, Client(path):
        pass
    assert [problem.message for problem in caught.value.problems] == [f'"web" has no "gone" ({path.parent / "web.py"})']


def clients_running():
    return [thread for thread in threading.enumerate() if thread.name == "multiserve client"]


def test_lifespans_run_as_long_as_the_client_is_entered(write):
    import sys

    with Client(write('[mounts]\n"/" = "web:lives()"')) as client:
        assert client.get("/").text == "lifespan.startup"
        assert len(clients_running()) == 1
    assert sys.modules["web"].lives.__defaults__[1] == ["lifespan.startup", "lifespan.shutdown"]
    assert clients_running() == []


def test_a_start_up_that_fails_answers_503(write):
    with Client(write(f'{WSGI}"/lives" = "web:lives(fails=True)"')) as client:
        assert client.get("/lives").status == 503
        assert client.get("/wsgi").status == 200


def test_a_required_start_up_that_fails_is_an_error_and_nothing_keeps_running(write):
    path = write(f'{WSGI}"/lives" = {{ app = "web:lives(fails=True)", required = true }}')
    with pytest.raises(LoadError, match=r"^the start-up failed: /lives: no database$"), Client(path):
        pass
    assert clients_running() == []


def test_an_application_that_does_not_answer_is_given_up(write, monkeypatch):
    message = r"^the application has not answered after 0\.2 seconds$"
    with Client(write('[mounts]\n"/silent" = { app = "web:silent", interface = "asgi" }')) as client:
        monkeypatch.setattr(calls, "_TIMEOUT", 0.2)
        with pytest.raises(TimeoutError, match=message):
            client.get("/silent")
        monkeypatch.undo()
        assert client.get("/other").status == 404
    assert clients_running() == []


def test_a_start_up_that_does_not_end_is_given_up_and_nothing_keeps_running(write, monkeypatch):
    stop = calls.RunningASGI.stop

    def stop_without_haste(running):
        monkeypatch.setattr(calls, "_TIMEOUT", 30.0)
        stop(running)

    monkeypatch.setattr(calls, "_TIMEOUT", 0.2)
    monkeypatch.setattr(calls.RunningASGI, "stop", stop_without_haste)
    path = write('[mounts]\n"/" = { app = "web:starts", interface = "asgi" }')
    with pytest.raises(TimeoutError, match=r"^the application has not answered after 0\.2 seconds$"), Client(path):
        pass
    assert clients_running() == []


def test_outside_of_its_block_a_client_refuses(write):
    client = Client(write(WSGI))
    with pytest.raises(RuntimeError, match=r"^the client is used outside of its with block$"):
        client.get("/")
    with client:
        pass
    with pytest.raises(RuntimeError):
        client.get("/")

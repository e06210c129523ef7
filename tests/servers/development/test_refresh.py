"""Pages that load again after a save."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from multiserve.dispatch.pages import POLICY, WAITING_POLICY
from multiserve.servers.development.refresh import Refresh

HTML = ("Content-Type", "text/html; charset=utf-8")
PAGE = {"Accept": "text/html,*/*;q=0.8"}
BODY = "<p>é</p>".encode()
POLICY_OF_WAITING = ("Content-Security-Policy", WAITING_POLICY)


@pytest.fixture
def refresh():
    return Refresh()


def tag(refresh, prefix=""):
    source = f"{prefix}/__multiserve__/refresh/page.js"
    return f'<script src="{source}" data-process="{refresh.process}" async></script>\n'.encode()


def ask_wsgi(refresh, status, headers, parts, asked, *, method="GET", prefix="", path="/"):
    """Return what a client gets of an application that answers this, and the headers that the application sees."""
    seen, started, closed = {}, [], []

    class Body(list):
        def close(self):
            closed.append(True)

    def application(environ, start_response):
        seen.update(environ)
        start_response(f"{status} OK", headers)
        return Body(parts)

    environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": prefix, "PATH_INFO": path}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in asked.items()}
    found = refresh.wrap_wsgi(application)(environ, lambda *started_with: started.append(started_with))
    body = list(found)
    if hasattr(found, "close"):
        found.close()
    assert closed == ([True] if seen else [])
    conditions = {name for name in seen if name in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")}
    return int(started[0][0][:3]), {name.lower(): value for name, value in started[0][1]}, body, len(conditions)


def ask_asgi(refresh, status, headers, parts, asked, *, method="GET", prefix="", path="/"):
    """Do the same over ASGI."""
    sent, seen = [], []

    async def application(scope, receive, send):
        seen.extend(name for name, _ in scope["headers"] if name.startswith(b"if-"))
        raw = [(name.lower().encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    async def send(message):
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in asked.items()]
    scope = {"type": "http", "method": method, "root_path": prefix, "path": prefix + path, "headers": raw}
    asyncio.run(refresh.wrap_asgi(application)(scope, None, send))
    fields = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    bodies = [message["body"] for message in sent[1:] if message.get("body")]
    return sent[0]["status"], fields, bodies, len(seen)


both = pytest.mark.parametrize("ask", [ask_wsgi, ask_asgi], ids=["WSGI", "ASGI"])


@both
@pytest.mark.parametrize("prefix", ["", "/out"])
def test_the_script_is_behind_a_page_and_the_page_is_in_no_cache(refresh, ask, prefix):
    length = str(len(BODY))
    headers = [HTML, ("Content-Length", length), ("ETag", '"1"'), ("Last-Modified", "x"), ("Cache-Control", "public")]
    asked = {**PAGE, "If-None-Match": '"1"', "If-Modified-Since": "x"}
    status, fields, body, conditions = ask(refresh, 200, [*headers, ("X-A", "1")], [BODY], asked, prefix=prefix)
    added = tag(refresh, prefix)
    assert (status, body, conditions) == (200, [BODY, added], 0)
    assert fields == {
        "content-type": HTML[1],
        "x-a": "1",
        "content-length": str(len(BODY) + len(added)),
        "cache-control": "no-store",
    }


@both
@pytest.mark.parametrize("wrong", [404, 500])
def test_the_script_is_behind_the_page_of_an_error(refresh, ask, wrong):
    status, _, body, _ = ask(refresh, wrong, [HTML], [BODY], PAGE)
    assert (status, body) == (wrong, [BODY, tag(refresh)])


@both
@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(POLICY, f"{POLICY}; script-src 'self'; connect-src 'self'", id="our own"),
        pytest.param("default-src 'none'", "default-src 'none'", id="of an application"),
    ],
)
def test_our_own_pages_allow_the_script(refresh, ask, policy, expected):
    _, fields, body, _ = ask(refresh, 404, [HTML, ("Content-Security-Policy", policy)], [BODY], PAGE)
    assert (fields["content-security-policy"], body) == (expected, [BODY, tag(refresh)])


@both
def test_a_page_that_is_streamed_is_not_held_back(refresh, ask):
    _, fields, body, _ = ask(refresh, 200, [HTML], [b"<p>", b"a", b"</p>"], {"Sec-Fetch-Dest": "document"})
    assert "content-length" not in fields
    assert body == [b"<p>", b"a", b"</p>", tag(refresh)]


@both
@pytest.mark.parametrize(
    ("status", "headers", "asked", "method"),
    [
        pytest.param(302, [HTML], PAGE, "GET", id="a redirect, which no browser shows"),
        pytest.param(503, [HTML, POLICY_OF_WAITING], PAGE, "GET", id="a page that loads again by itself"),
        pytest.param(200, [("Content-Type", "text/plain")], PAGE, "GET", id="no HTML"),
        pytest.param(200, [], PAGE, "GET", id="no type"),
        pytest.param(200, [("Content-Type", "text/html; charset=UTF-16")], PAGE, "GET", id="two bytes a character"),
        pytest.param(200, [HTML, ("Content-Encoding", "gzip")], PAGE, "GET", id="compressed"),
        pytest.param(200, [HTML, ("Content-Disposition", "attachment")], PAGE, "GET", id="a download"),
        pytest.param(200, [HTML], {"Accept": "*/*"}, "GET", id="no page is asked for"),
        pytest.param(200, [HTML], {**PAGE, "Sec-Fetch-Dest": "empty"}, "GET", id="a part of a page, for a script"),
        pytest.param(200, [HTML], PAGE, "POST", id="the answer to a form"),
        pytest.param(200, [HTML], PAGE, "HEAD", id="HEAD"),
    ],
)
def test_anything_else_stays_as_it_is(refresh, ask, status, headers, asked, method):
    headers = [*headers, ("ETag", '"1"'), ("Content-Length", "8")]
    found, fields, body, _ = ask(refresh, status, headers, [BODY], asked, method=method)
    assert (found, body) == (status, [BODY])
    assert fields == {name.lower(): value for name, value in headers}


@both
def test_a_request_for_no_page_keeps_its_conditions(refresh, ask):
    asked = {"Accept": "image/png", "If-None-Match": '"1"'}
    assert ask(refresh, 304, [("ETag", '"1"')], [], asked) == (304, {"etag": '"1"'}, [], 1)


@both
def test_the_script_compares_the_process_of_the_page_with_that_of_the_server(refresh, ask):
    def get(name):
        return ask(refresh, 200, [], [b"the application"], {}, path=f"/__multiserve__/refresh/{name}")

    status, fields, body, _ = get("page.js")
    assert (status, fields["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert b'new URL("process", src)' in body[0]
    before = refresh.process
    status, fields, body, _ = get("process")
    assert (status, fields["cache-control"], body) == (200, "no-store", [before.encode()])
    refresh.renew()
    assert get("process")[2] == [refresh.process.encode()] != [before.encode()]
    assert get("else")[0] == 404


@pytest.mark.parametrize(
    ("first", "second", "is_sent", "is_page"),
    [
        pytest.param("text/html", "text/html", False, True, id="a page in place of a page"),
        pytest.param("text/html", "text/plain", False, False, id="a text in place of a page"),
        pytest.param("text/plain", "text/html", True, False, id="a page that comes too late behind a text"),
    ],
)
def test_a_page_may_start_late_and_have_an_error_in_its_place(refresh, first, second, is_sent, is_page):
    started = []

    def start(status, headers, exc_info=None):
        if exc_info and is_sent:
            raise exc_info[1]
        started.append((status, dict(headers)["Content-Type"]))

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", first)])
        try:
            {}["missing"]
        except KeyError as error:
            with contextlib.suppress(KeyError):
                start_response("500 Oh", [("Content-Type", second)], (KeyError, error, None))
        yield BODY

    environ = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT": "text/html"}
    assert list(refresh.wrap_wsgi(application)(environ, start)) == [BODY, *([tag(refresh)] if is_page else [])]
    assert started == [("200 OK", first), *([] if is_sent else [("500 Oh", second)])]


def test_a_websocket_passes(refresh):
    seen = []

    async def application(scope, receive, send):
        seen.append((scope, receive, send))

    asyncio.run(refresh.wrap_asgi(application)({"type": "websocket"}, 1, 2))
    assert seen == [({"type": "websocket"}, 1, 2)]

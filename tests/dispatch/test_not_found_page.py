"""The 404 of a development server."""

from __future__ import annotations

import asyncio

import pytest

from multiserve.dispatch.not_found_page import ListedMount, not_found_in
from multiserve.keys import parse_key

MOUNTS = [
    ListedMount(parse_key("/admin"), "backoffice:create_app()", "ok"),
    ListedMount(parse_key("api.localhost/v1"), "api", "FAILED"),
]
TEXT = """\
Not Found: no mount answers this URL.

Asked for: {}

The mounts are:
    /admin            backoffice:create_app()  ok
    api.localhost/v1  api                      FAILED
"""


def over_wsgi(answer, accept="", **environ):
    sent = []
    parts = answer.wsgi({"HTTP_ACCEPT": accept, **environ}, lambda status, _headers: sent.append(status))
    return sent[0], b"".join(parts).decode()


def over_asgi(answer, **scope):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(answer.asgi({"type": "http", "method": "GET", "headers": [], **scope}, None, send))
    return f"{sent[0]['status']} Not Found", sent[1]["body"].decode()


ASKED = [
    pytest.param(
        {"HTTP_HOST": "x:8000", "SCRIPT_NAME": "/a", "PATH_INFO": "/b c", "QUERY_STRING": "d=<"},
        {"headers": [(b"host", b"x:8000")], "path": "/a/b c", "query_string": b"d=<", "scheme": "http"},
        "http://x:8000/a/b%20c?d=<",
        id="everything",
    ),
    pytest.param({"wsgi.url_scheme": "https"}, {"scheme": "https"}, "/", id="nothing"),
    pytest.param(
        {"HTTP_HOST": "x", "wsgi.url_scheme": "https", "PATH_INFO": "/caf\xc3\xa9\xff"},
        {"headers": [(b"host", b"x")], "path": "/caf\xe9", "scheme": "https"},
        None,
        id="what is not ASCII",
    ),
]


@pytest.mark.parametrize(("environ", "scope", "url"), ASKED)
def test_it_says_what_was_asked_and_lists_the_mounts(environ, scope, url):
    answer = not_found_in(MOUNTS, development=True)
    assert over_wsgi(answer, **environ) == ("404 Not Found", TEXT.format(url or "https://x/caf%C3%A9%FF"))
    assert over_asgi(answer, **scope) == ("404 Not Found", TEXT.format(url or "https://x/caf%C3%A9"))


def test_a_browser_gets_a_page_with_links():
    answer = not_found_in(MOUNTS, development=True)
    _, page = over_wsgi(answer, "text/html", HTTP_HOST="x:8000", PATH_INFO="/<script>")
    assert "<p>Asked for: http://x:8000/%3Cscript%3E</p>" in page
    assert '<td><a href="/admin/"><code>/admin</code></a></td><td><code>backoffice:create_app()</code></td>' in page
    assert '<a href="//api.localhost:8000/v1/"><code>api.localhost/v1</code></a>' in page


@pytest.mark.parametrize(
    ("key", "host", "url"),
    [
        pytest.param("/", "x", "/", id="the root"),
        pytest.param("/caf\xe9 x", "x", "/caf%C3%A9%20x/", id="a prefix that a URL escapes"),
        pytest.param("/u/{user}", "x", "", id="a placeholder"),
        pytest.param("*.example.com/blog", "x", "", id="any host"),
        pytest.param("example.com", "x:81", "//example.com:81/", id="a host on the port that was asked"),
        pytest.param("example.com:82", "x:81", "//example.com:82/", id="a host with a port"),
        pytest.param("example.com", "[::1]", "//example.com/", id="a host without a port"),
    ],
)
def test_a_mount_with_one_url_has_a_link(key, host, url):
    assert ListedMount(parse_key(key), "a", "ok").url(host) == url


@pytest.mark.parametrize(("mounts", "development"), [(MOUNTS, False), ([], True)], ids=["production", "no mounts"])
def test_otherwise_it_says_nothing_of_the_mounts(mounts, development):
    expected = ("404 Not Found", "Not Found: no mount answers this URL.\n")
    assert over_wsgi(not_found_in(mounts, development=development), HTTP_HOST="x") == expected

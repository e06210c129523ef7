"""Answers in place of an application, over WSGI as its validator wants them, and over ASGI event by event."""

from __future__ import annotations

import asyncio
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from multiserve.dispatch.answers import (
    Answer,
    accepts_html,
    broken,
    ended,
    failed,
    in_maintenance,
    not_found,
    not_started,
    starting,
)
from multiserve.dispatch.pages import WAITING_POLICY
from multiserve.errors import Problem

NOT_FOUND = "Not Found: no mount answers this URL.\n"
BROKEN = "Service Unavailable: the application at /admin could not be loaded.\n"
STARTING = "Service Unavailable: the application at /admin is still starting.\n"
FAILED = "Internal Server Error: the application at /u/{user} could not be made for this tenant.\n"
UNAVAILABLE = "503 Service Unavailable"
NO_STORE = {"Cache-Control": "no-store"}
MENDED = {**NO_STORE, "Retry-After": "60"}
STARTED = {**NO_STORE, "Retry-After": "10"}
VARY = {"Vary": "Accept"}
PROBLEM = Problem(key='mounts."/admin"', message='"backoffice" has no "ap"', hint='Did you mean "app"?')
PROBLEM_TEXT = 'mounts."/admin": "backoffice" has no "ap"\n    Did you mean "app"?'

ANSWERS = [
    pytest.param(not_found(), "404 Not Found", {}, NOT_FOUND, id="no mount"),
    pytest.param(broken("/admin"), UNAVAILABLE, MENDED, BROKEN, id="a broken mount"),
    pytest.param(
        broken("/admin", [PROBLEM], "ZeroDivisionError: é"), UNAVAILABLE, MENDED | VARY,
        f"{BROKEN}\n{PROBLEM_TEXT}\nZeroDivisionError: é\n", id="a broken mount, in development",
    ),
    pytest.param(
        broken("/admin", [PROBLEM, Problem(message="no \udcff")]), UNAVAILABLE, MENDED | VARY,
        f"{BROKEN}\n{PROBLEM_TEXT}\nno ?\n", id="details that are not UTF-8",
    ),
    pytest.param(
        not_started("/admin"), UNAVAILABLE, MENDED, BROKEN.replace("loaded", "started"), id="a start-up that fails"
    ),
    pytest.param(
        not_started("/admin", "no database\n"), UNAVAILABLE, MENDED | VARY,
        f"{BROKEN.replace('loaded', 'started')}\nno database\n", id="a start-up that fails, in development",
    ),
    pytest.param(
        ended("was ended by SIGKILL"), UNAVAILABLE, MENDED | VARY,
        "Service Unavailable: the process that served was ended by SIGKILL.\n\nThe terminal may say why.\n",
        id="a process that has ended",
    ),
    pytest.param(starting("/admin"), UNAVAILABLE, STARTED | VARY, STARTING, id="a mount that starts"),
    pytest.param(
        in_maintenance("/admin"), UNAVAILABLE, MENDED | VARY, "Service Unavailable: /admin is in maintenance.\n",
        id="maintenance",
    ),
    pytest.param(failed("/u/{user}"), "500 Internal Server Error", NO_STORE, FAILED, id="a tenant that failed"),
    pytest.param(
        failed("/u/{user}", "KeyError: é\n"), "500 Internal Server Error", {**NO_STORE, "Vary": "Accept"},
        f"{FAILED}\nKeyError: é\n", id="a tenant that failed, in development",
    ),
]  # fmt: skip


def whole(headers: dict[str, str], text: str) -> dict[str, str]:
    """Give all headers of an answer with this text."""
    return {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(text.encode())),
        "X-Content-Type-Options": "nosniff",
        **headers,
    }


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize(("answer", "status", "headers", "text"), ANSWERS)
def test_the_answer_over_wsgi(answer: Answer, status: str, headers: dict[str, str], text: str, method: str) -> None:
    environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = "/"
    started: list[tuple[str, dict[str, str]]] = []
    response = validator(answer.wsgi)(environ, lambda status, headers, _=None: started.append((status, dict(headers))))  # type: ignore[arg-type,func-returns-value]
    body = b"".join(response)
    response.close()  # type: ignore[attr-defined]
    assert started == [(status, whole(headers, text))]
    assert body.decode() == ("" if method == "HEAD" else text)


def responded(answer: Answer, accept: str) -> tuple[dict[str, str], str]:
    """Give the headers and the body that a client gets which accepts this."""
    responses: list[dict[str, str]] = []

    def start_response(_: str, headers: list[tuple[str, str]]) -> None:
        responses.append(dict(headers))
        headers.append(("X-Added", "by a server"))  # PEP 3333 lets it

    body = b"".join(answer.wsgi({"HTTP_ACCEPT": accept}, start_response))  # type: ignore[arg-type]
    return responses[0], body.decode()


@pytest.mark.parametrize("accept", ["", "text/html"])
def test_the_headers_of_one_answer_are_not_those_of_the_next(accept: str) -> None:
    answer = broken("/", [PROBLEM])
    assert responded(answer, accept) == responded(answer, accept)


def test_the_page_of_a_mount_in_maintenance_is_as_it_was_written() -> None:
    headers, body = responded(in_maintenance("/admin", "<h1>Soon</h1>"), "text/html")
    assert body == "<h1>Soon</h1>"
    assert headers == whole({"Content-Type": "text/html; charset=utf-8", **MENDED, **VARY}, body)


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

ACCEPTED = [
    pytest.param("", False, id="nothing said"),
    pytest.param("*/*", False, id="anything, as curl says"),
    pytest.param("text/*", False, id="any text"),
    pytest.param("application/json", False, id="JSON"),
    pytest.param(BROWSER, True, id="a browser"),
    pytest.param("application/json, TEXT/HTML ;q=0.1", True, id="HTML among others"),
    pytest.param("text/html;q=0, */*", False, id="anything but HTML"),
    pytest.param("text/html; q=0.000", False, id="no HTML, at length"),
    pytest.param("text/html;level=1;q=1", True, id="a parameter"),
    pytest.param("text/html;q=", False, id="no number"),
    pytest.param("text/htmlx, ;;, \xff", False, id="garbage"),
]


@pytest.mark.parametrize(("accept", "is_page"), ACCEPTED)
def test_a_client_that_asks_for_html_by_name_gets_a_page(accept: str, is_page: bool) -> None:
    assert accepts_html(accept) is is_page
    answer = broken("/admin", [PROBLEM], 'File "<x>", line 1')
    headers, body = responded(answer, accept)
    kind = "html" if is_page else "plain"
    policy = {"Content-Security-Policy": WAITING_POLICY} if is_page else {}
    assert headers == whole({"Content-Type": f"text/{kind}; charset=utf-8", **MENDED, **VARY, **policy}, body)
    assert body.startswith("<!doctype html>" if is_page else BROKEN)
    accepted = [(b"accept", part.encode("latin-1")) for part in accept.split(",")]  # ASGI keeps repeated ones apart
    start, sent = events(answer, {"type": "http", "method": "GET", "headers": [(b"host", b"x"), *accepted]})
    assert start["headers"] == [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    assert sent["body"].decode() == body


def test_the_page_of_a_broken_mount_shows_the_line_that_is_meant() -> None:
    _, body = responded(broken("/admin", [Problem(message="wrong", hint="Mend it.", excerpt="3 | <b>")]), "text/html")
    assert '<p>wrong</p>\n<pre>3 | &lt;b&gt;</pre>\n<p class="hint">Mend it.</p>\n' in body


def test_the_page_of_a_broken_mount_says_what_failed_and_what_to_do() -> None:
    _, body = responded(broken("/admin", [PROBLEM], 'File "<x>", line 1'), "text/html")
    text, script, _ = body.partition("<body>\n")[2].partition("<script>")
    assert script
    assert text == (
        "<h1>Service Unavailable: the application at /admin could not be loaded.</h1>\n"
        "<p>mounts.&quot;/admin&quot;: &quot;backoffice&quot; has no &quot;ap&quot;</p>\n"
        '<p class="hint">Did you mean &quot;app&quot;?</p>\n'
        "<pre>File &quot;&lt;x&gt;&quot;, line 1</pre>\n"
        "<footer>Saving the repair restarts the server, unless it runs with --no-reload. "
        "Then this page loads again.</footer>\n"
    )


@pytest.mark.parametrize("answer", [not_found(), broken("/"), not_started("/"), failed("/{user}")])
def test_an_answer_without_details_is_text_for_everybody(answer: Answer) -> None:
    headers, _ = responded(answer, "text/html")
    assert (headers["Content-Type"], headers.get("Vary")) == ("text/plain; charset=utf-8", None)


def events(answer: Answer, scope: dict[str, Any]) -> list[dict[str, Any]]:
    """Give what the answer sends over ASGI; it may wait for one event, as every server has one."""
    waiting = [{"type": "websocket.connect" if scope["type"] == "websocket" else "http.request"}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(answer.asgi(scope, receive, send))
    return sent


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize(("answer", "status", "headers", "text"), ANSWERS)
def test_the_answer_over_asgi(answer: Answer, status: str, headers: dict[str, str], text: str, method: str) -> None:
    lower = [(name.lower().encode(), value.encode()) for name, value in whole(headers, text).items()]
    assert events(answer, {"type": "http", "method": method}) == [
        {"type": "http.response.start", "status": int(status[:3]), "headers": lower},
        {"type": "http.response.body", "body": b"" if method == "HEAD" else text.encode()},
    ]


@pytest.mark.parametrize(
    "extensions",
    [
        pytest.param({}, id="without extensions"),
        pytest.param({"extensions": None}, id="no extensions"),
        pytest.param({"extensions": {"http.response.push": {}}}, id="another extension"),
    ],
)
def test_a_websocket_is_closed_before_it_is_accepted(extensions: dict[str, Any]) -> None:
    assert events(not_found(), {"type": "websocket", **extensions}) == [{"type": "websocket.close"}]


@pytest.mark.parametrize(("answer", "status", "headers", "text"), ANSWERS)
def test_a_websocket_is_denied_where_the_server_can_do_it(
    answer: Answer, status: str, headers: dict[str, str], text: str
) -> None:
    lower = [(name.lower().encode(), value.encode()) for name, value in whole(headers, text).items()]
    assert events(answer, {"type": "websocket", "extensions": {"websocket.http.response": {}}}) == [
        {"type": "websocket.http.response.start", "status": int(status[:3]), "headers": lower},
        {"type": "websocket.http.response.body", "body": text.encode()},
    ]

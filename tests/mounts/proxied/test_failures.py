from __future__ import annotations

import pytest

from multiserve.mounts.proxied.failures import Failures, UpstreamError, bad_host, loop


def text_of(answer):
    said = []
    environ = {"REQUEST_METHOD": "GET"}
    body = b"".join(answer.wsgi(environ, lambda status, headers: said.extend((status, dict(headers)))))
    return said[0], said[1].get("Cache-Control"), body.decode()


@pytest.mark.parametrize(
    ("is_late", "details", "status", "text"),
    [
        pytest.param(
            False, False, "502 Bad Gateway", "Bad Gateway: the server behind /app did not answer.\n", id="502"
        ),
        pytest.param(
            True,
            False,
            "504 Gateway Timeout",
            "Gateway Timeout: the server behind /app did not answer in time.\n",
            id="504",
        ),
        pytest.param(
            False,
            True,
            "502 Bad Gateway",
            "Bad Gateway: the server behind /app did not answer.\n\nhttp://a:1 was rude.\n"
            "Start that server, or correct the target of the mount.\n",
            id="in development",
        ),
    ],
)
def test_the_answer_names_the_mount_and_in_development_the_server(is_late, details, status, text):
    failures = Failures("/app", details=details)
    answer = failures.answer("http://a:1", UpstreamError("was rude", is_late=is_late))
    assert text_of(answer) == (status, "no-store", text)


def test_a_browser_gets_a_page_that_waits_for_the_server():
    answer = Failures("/app", details=True).answer("http://a:1", UpstreamError("was <rude>"))
    said = []
    environ = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT": "text/html"}
    page = b"".join(answer.wsgi(environ, lambda *given: said.extend(given))).decode()
    assert "http://a:1 was &lt;rude&gt;." in page
    assert "This page loads again when it answers." in page
    assert "[502, 503, 504].includes" in page


def test_the_other_answers():
    assert text_of(bad_host())[0] == "400 Bad Request"
    assert text_of(loop("/app"))[0] == "508 Loop Detected"


def test_servers_that_clients_make_up_do_not_fill_the_log(caplog):
    failures = Failures("/{app}", details=False)
    for number in range(300):
        failures.answer(f"http://a{number}:1", UpstreamError("takes no connections"))
    assert len(caplog.messages) == 257
    assert caplog.messages[-1] == "/{app}: more than 256 servers do not answer; no others are named."
    failures.has_answered("http://a7:1")
    failures.answer("http://real:1", UpstreamError("takes no connections"))
    assert caplog.messages[-1] == "/{app}: http://real:1 takes no connections."

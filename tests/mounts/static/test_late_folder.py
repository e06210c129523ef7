"""A static folder that appears after the start."""

from __future__ import annotations

import asyncio

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config

FILE = """
[mounts]
"/s" = { static = "build", fallback = "index.html", middleware = ["marks:mark"] }
"""
MARKS = """
def mark(application):
    def marking(environ, start_response):
        return application(environ, lambda status, headers: start_response(status, [*headers, ("X-Marked", "1")]))
    return marking
"""


def ask_wsgi(application, accept):
    sent = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/s/page.txt", "HTTP_ACCEPT": accept}
    parts = application(environ, lambda status, headers: sent.append((status, dict(headers))))
    body = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    return int(sent[0][0][:3]), sent[0][1].get("X-Marked"), body.decode()


def ask_asgi(application, accept):
    sent = []
    scope = {"type": "http", "method": "GET", "path": "/s/page.txt", "raw_path": b"/s/page.txt", "query_string": b""}
    scope |= {"headers": [(b"accept", accept.encode())], "http_version": "1.1", "scheme": "http"}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    marked = dict(sent[0]["headers"]).get(b"x-marked")
    return sent[0]["status"], marked and marked.decode(), b"".join(each.get("body", b"") for each in sent[1:]).decode()


@pytest.mark.usefixtures("clean_process")
@pytest.mark.parametrize("development", [True, False], ids=["development", "production"])
@pytest.mark.parametrize(("interface", "ask"), [("wsgi", ask_wsgi), ("asgi", ask_asgi)], ids=["wsgi", "asgi"])
def test_it_answers_inside_its_middleware_as_soon_as_it_is_there(write_config, tmp_path, interface, ask, development):
    (tmp_path / "marks.py").write_text(MARKS)
    composition = compose(load_config(write_config(FILE)), interface=interface, development=development)
    assert [each.mount.name for each in composition.failures] == ["/s"]
    status, marked, text = ask(composition.application, "")
    assert (status, marked) == (503, "1")
    assert (f"there is no folder {tmp_path / 'build'}" in text) is development
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "page.txt").write_text("the page")
    assert ask(composition.application, "")[0] == 503  # its fallback is still missing
    (tmp_path / "build" / "index.html").touch()
    assert ask(composition.application, "") == (200, "1", "the page")

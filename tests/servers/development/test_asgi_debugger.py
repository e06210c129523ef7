"""The debugger around ASGI applications; its console is tested in tests/end_to_end."""

from __future__ import annotations

import asyncio
import io
import re
import sys
import threading

import pytest

from multiserve.config.file import load_config
from multiserve.loading.django_static import _serve_asgi
from multiserve.mounts.redirects import with_slash_asgi
from multiserve.mounts.stripping import strip_asgi
from multiserve.servers.development import asgi_debugger
from multiserve.servers.development.asgi_debugger import ASGIDebugger
from multiserve.servers.development.debugger import Debugger

SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/shop/x",
    "raw_path": b"/shop/x",
    "root_path": "/shop",
    "query_string": b"",
    "http_version": "1.1",
    "headers": [(b"host", b"localhost")],
    "multiserve.mount": "/shop",
}


def start(status):
    return {"type": "http.response.start", "status": status, "headers": [(b"x-app", b"1")]}


def body(data, *, more=False):
    return {"type": "http.response.body", "body": data, "more_body": more}


def sending(*messages, error=None):
    async def application(scope, receive, send):
        for message in messages:
            await send(message)
        if error:
            raise error

    return application


class Log(io.StringIO):
    """Stands in for stderr, and says when a traceback has been written."""

    def __init__(self):
        super().__init__()
        self.has_traceback = threading.Event()

    def write(self, text):
        written = super().write(text)
        if "Traceback" in text:
            self.has_traceback.set()
        return written


@pytest.fixture
def ask(write_config, monkeypatch):
    monkeypatch.setenv("WERKZEUG_DEBUG_PIN", "off")
    debugger = Debugger(load_config(write_config('[mounts]\n"/" = "a:b"\n')))

    def ask(application, **scope):
        """Return the messages that the client gets, and what the application raises nevertheless."""
        sent, raised = [], []

        async def receive():
            return {"type": "http.disconnect"}

        arrived = asyncio.Event()

        async def send(message):
            sent.append(message)
            arrived.set()

        async def has_arrived(number):
            while len(sent) < number:
                arrived.clear()
                await arrived.wait()

        async def call():
            whole = {**SCOPE, **scope, "has_arrived": has_arrived}
            try:
                await ASGIDebugger(debugger.wrap_wsgi).wrap(application)(whole, receive, send)
            except KeyError as error:
                raised.append(repr(error))

        asyncio.run(call())
        return sent, raised

    return ask


@pytest.mark.parametrize(
    "application",
    [
        pytest.param(sending(error=KeyError("oh")), id="before the response"),
        pytest.param(sending(start(500), body(b"sorry"), error=KeyError("oh")), id="behind a response of 500"),
        pytest.param(sending(start(500), error=KeyError("oh")), id="behind the head of a response of 500"),
    ],
)
def test_an_exception_is_answered_with_the_page_and_logged_with_the_mount(ask, monkeypatch, application):
    log = Log()
    monkeypatch.setattr(sys, "stderr", log)
    sent, raised = ask(application)
    assert raised == []
    page = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    assert (sent[0]["status"], "KeyError: 'oh'" in page, "sorry" in page) == (500, True, False)
    assert "/asgi_debugger.py" not in page
    assert "/debugger.py" not in page
    assert log.has_traceback.wait(30)  # the debugger writes it behind its page
    text = log.getvalue()
    assert text.startswith("The application at /shop failed:\nTraceback (most recent call last):\n")
    assert text.endswith("KeyError: 'oh'\n")


def test_the_page_shows_no_frame_of_ours(ask):
    application = sending(error=KeyError("oh"))
    sent, _ = ask(with_slash_asgi(strip_asgi(_serve_asgi(application, None, "/static/"))))
    page = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    assert re.findall(r'class="filename">"([^"]+)"', page) == [__file__]


LARGE = b"x" * 2**20
PASSED_ON = [
    pytest.param([start(200), body(b"a", more=True), body(b"b")], id="a response"),
    pytest.param([start(500), body(b"a", more=True), body(b"b")], id="a response of 500"),
    pytest.param([start(500), body(LARGE, more=True), body(LARGE)], id="a large response of 500"),
    pytest.param([], id="no response"),
]


@pytest.mark.parametrize("messages", PASSED_ON)
def test_a_response_reaches_the_client_as_it_is(ask, messages):
    assert ask(sending(*messages)) == (messages, [])


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param([start(500), body(b"a", more=True)], id="the first part of a stream"),
        pytest.param([start(500), body(b"a")], id="a whole response, behind which it works on"),
        pytest.param([start(500)], id="a head alone"),
    ],
)
def test_a_response_of_500_does_not_wait_for_the_end_of_the_application(ask, monkeypatch, messages):
    monkeypatch.setattr(asgi_debugger, "_PATIENCE", 0.01)

    async def application(scope, receive, send):
        for message in messages:
            await send(message)
        await asyncio.wait_for(scope["has_arrived"](len(messages)), 10)
        await send(body(b"b"))

    assert ask(application) == ([*messages, body(b"b")], [])


def test_an_exception_behind_the_head_is_the_matter_of_the_server(ask):
    messages = [start(200), body(b"a", more=True)]
    assert ask(sending(*messages, error=KeyError("oh"))) == (messages, ["KeyError('oh')"])


@pytest.mark.parametrize("type_", ["lifespan", "websocket"])
def test_lifespans_and_websockets_are_left_alone(ask, type_):
    message = {"type": f"{type_}.whatever"}
    assert ask(sending(message, error=KeyError("oh")), type=type_) == ([message], ["KeyError('oh')"])


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param(b"__debugger__=yes&cmd=resource&f=style.css", 200, id="a file of the page"),
        pytest.param(b"__debugger__=yes&cmd=1&frm=1&s=wrong", 404, id="a console of another process"),
        pytest.param(b"__debugger__=no", 204, id="the application's own"),
    ],
)
def test_the_requests_of_a_page_are_not_for_the_application(ask, query, status):
    assert ask(sending(start(204), body(b"")), query_string=query)[0][0]["status"] == status

"""examples/mixed in a real browser: headless Chromium, driven over the Chrome DevTools Protocol."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import re
import time
import urllib.request
from importlib.metadata import distribution
from pathlib import PurePosixPath

import pytest
from websockets.sync.client import connect

PATIENCE = 30.0  # seconds: for a machine that is busy with other things
TYPES = {".js": "text/javascript", ".css": "text/css"}

NAVIGATED = "Inspected target navigated or closed"  # what a click leads to, if the answer comes too late


class Page:
    """A tab. What it requests from a public server is answered from installed files, or refused."""

    def __init__(self, connection, until) -> None:
        self.connection = connection
        self.wait_until = until
        self.numbers = itertools.count(1)
        self.statuses: dict[str, int] = {}
        self.sockets: set[str] = set()
        self.refused: set[str] = set()
        self.call("Network.enable")
        self.call("Fetch.enable", patterns=[{"urlPattern": "https://*"}])

    def send(self, method: str, **params: object) -> int:
        number = next(self.numbers)
        self.connection.send(json.dumps({"id": number, "method": method, "params": params}))
        return number

    def call(self, method: str, **params: object) -> dict:
        number = self.send(method, **params)
        end = time.monotonic() + PATIENCE
        while True:
            message = json.loads(self.connection.recv(timeout=end - time.monotonic()))
            if message.get("id") == number:
                if message.get("error", {}).get("message") == NAVIGATED:
                    return {"result": {}}
                assert "error" not in message, (method, message)
                return message["result"]
            self.notice(message)

    def notice(self, message: dict) -> None:
        match message:
            case {"method": "Network.responseReceived", "params": {"response": {"url": url, "status": status}}}:
                self.statuses[url] = status
            case {"method": "Network.webSocketCreated", "params": {"url": url}}:
                self.sockets.add(url)
            case {"method": "Fetch.requestPaused", "params": {"requestId": request, "request": {"url": url}}}:
                self.stand_in(request, PurePosixPath(url))

    def stand_in(self, request: str, url: PurePosixPath) -> None:
        """Answer in place of FastAPI's CDN with the Swagger UI that the package fastapi-offline has in it."""
        file = distribution("fastapi-offline").locate_file(f"fastapi_offline/static/{url.name}")
        if url.suffix in TYPES and file.is_file():
            headers = [{"name": "Content-Type", "value": TYPES[url.suffix]}]
            body = base64.b64encode(file.read_bytes()).decode()
            self.send("Fetch.fulfillRequest", requestId=request, responseCode=200, responseHeaders=headers, body=body)
        else:
            self.refused.add(url.name)
            self.send("Fetch.failRequest", requestId=request, errorReason="BlockedByClient")

    def go(self, url: str) -> None:
        assert "errorText" not in self.call("Page.navigate", url=url)

    def evaluate(self, script: str) -> object:
        """Give the value of an expression; None where there is no such element yet."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def until(self, script: str) -> object:
        return self.wait_until(lambda: self.evaluate(script), script)

    def click(self, selector: str) -> None:
        self.until(f"{element(selector)} !== null")
        self.evaluate(f"{element(selector)}.click()")


def element(selector: str) -> str:
    return f"document.querySelector({json.dumps(selector)})"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((), id="development", marks=pytest.mark.xdist_group("mixed-development")),
        pytest.param(("--production",), id="production", marks=pytest.mark.xdist_group("mixed")),
    ],
)
def server(request, start_for_module, copy_example):
    """The example, with the Flask site once more under a prefix."""
    folder, env = copy_example("mixed")
    config = folder / "multiserve.toml"
    again = """[mounts]\n"/site" = "website:create_app(chat_url='/api/', admin_url='/admin/')"\n"""
    config.write_text(config.read_text("utf-8").replace("[mounts]\n", again), "utf-8")
    return start_for_module("run", "--port", "0", *request.param, cwd=folder, env=env).ready()


@pytest.fixture
def open_page(start, chromium, tmp_path):
    """Open a tab in a browser that has been nowhere before."""
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    browser = start(profile, "about:blank", cwd=tmp_path, command=chromium, env={"HOME": str(tmp_path)})
    address = re.compile(r"^DevTools listening on ws://([\d.:]+)/", re.MULTILINE)
    origin = f"http://{browser.until(lambda: address.search(browser.log), 'the browser')[1]}"
    with contextlib.ExitStack() as connections:

        def open_page(url: str) -> Page:
            new = urllib.request.Request(f"{origin}/json/new?about:blank", method="PUT")
            with urllib.request.urlopen(new, timeout=PATIENCE) as response:
                target = json.load(response)["webSocketDebuggerUrl"]
            connection = connections.enter_context(connect(target, proxy=None, max_size=None))
            page = Page(connection, browser.until)
            page.go(url)
            return page

        yield open_page


CHAT = "document.querySelector('iframe').contentDocument.querySelector('#messages').innerText"


def test_what_one_window_says_the_other_shows(server, open_page):
    listener = open_page(f"{server.origin}/")
    listener.until(f"{CHAT}.includes('Chat: Welcome!')")
    assert listener.sockets == {f"ws://{server.address}/api/talk?name=guest"}

    speaker = open_page(f"{server.origin}/api/?name=Ada")
    speaker.until(f"{element('output')}.textContent === 'connected'")
    speaker.evaluate(f"{element('#talk input')}.value = 'Grüße'")
    speaker.click("#talk button")
    listener.until(f"{CHAT}.includes('Ada: Grüße')")
    assert speaker.sockets == {f"ws://{server.address}/api/talk?name=Ada"}


def test_the_documentation_loads_its_own_schema_and_tries_it_out(server, open_page):
    page = open_page(f"{server.origin}/api/docs")
    page.until(f"{element('.opblock-get .opblock-summary-description')}.innerText === 'Read what was said'")
    assert page.statuses[f"{server.origin}/api/openapi.json"] == 200
    assert page.refused <= {"favicon.png"}

    page.click(".opblock-get .opblock-summary-control")
    page.click(".opblock-get .try-out__btn")
    page.click(".opblock-get button.execute")
    page.until(f"{element('.opblock-get .live-responses-table .response')}.innerText.includes('Welcome!')")
    assert page.statuses[f"{server.origin}/api/messages"] == 200


@pytest.mark.parametrize("prefix", [pytest.param("", id="the root"), pytest.param("/site", id="a prefix")])
def test_links_forms_and_static_files_of_flask_carry_its_prefix(server, open_page, prefix):
    page = open_page(f"{server.origin}{prefix}/")
    page.until("document.readyState === 'complete'")
    assert page.statuses[f"{server.origin}{prefix}/static/style.css"] == 200

    page.click("#about")
    page.until(f"location.href === '{server.origin}{prefix}/about' && document.readyState === 'complete'")
    page.go(f"{server.origin}{prefix}/")
    page.until("document.readyState === 'complete'")
    page.evaluate(f"{element('form input')}.value = 'Grace'")
    page.click("form button")
    page.until(f"{element('iframe')}.src === '{server.origin}/api/?name=Grace'")
    assert page.evaluate("location.href") == f"{server.origin}{prefix}/"


def test_a_login_in_django_leaves_the_session_of_flask_alone(server, open_page):
    page = open_page(f"{server.origin}/")
    page.until("document.readyState === 'complete'")
    page.evaluate(f"{element('form input')}.value = 'Grace'")
    page.click("form button")
    page.until(f"{element('iframe')}.src.endsWith('?name=Grace')")

    page.click("#admin")
    page.until(f"location.pathname === '/admin/login/' && {element('#login-form')} !== null")
    page.evaluate(f"{element('#id_username')}.value = {element('#id_password')}.value = 'demo'")
    page.click("#login-form [type=submit]")
    page.until(f"location.pathname === '/admin/' && {element('#user-tools')} !== null")
    assert page.statuses[f"{server.origin}/admin/static/admin/css/base.css"] == 200

    page.go(f"{server.origin}/site/")
    page.until(f"{element('iframe')}.src.endsWith('?name=Grace')")
    cookies = {cookie["name"] for cookie in page.call("Network.getCookies")["cookies"]}
    assert cookies == {"website_session", "staff_session", "staff_csrftoken"}

"""The page of a production server, over its management listener and in a real browser."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import subprocess
import sys

import pytest

TOML = """[mounts]
"/" = "answer"
"/bad" = "broken"
"/raise" = "raising"
"/group" = { app = "answer", group = "apart" }
"/apart" = { app = "raising", group = "apart" }
[groups.apart]
[server]
manage = "127.0.0.1:0"
[gunicorn]
workers = 1
pidfile = "pid"
"""
RAISING = """
import flask

application = flask.Flask("shop")

@application.get("/<name>")
def fail(name):
    raise RuntimeError(f"<script>{name}</script>")
"""
BROKEN = 'raise RuntimeError("<script>document.title = 1</script>")\n'


class Site:
    """A server, and its page."""

    def __init__(self, server, folder):
        self.server = server
        command = [sys.executable, "-m", "multiserve", "status", "--page"]
        told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
        self.url = told
        self.address, self.token = re.fullmatch(r"http://([\d.:]+)/#token=([\w-]+)", told).groups()

    def ask(self, method, path, form="", **headers):
        with contextlib.closing(http.client.HTTPConnection(self.address, timeout=30)) as connection:
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
            connection.request(method, path, form or None, {**kind, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def act(self, form):
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        status, body = self.ask("POST", "/act", form, **headers)
        return status, json.loads(body)

    def states(self):
        shown = json.loads(self.ask("GET", "/status.json")[1])
        return {each["mount"]: each["state"] for each in shown["mounts"]}


@pytest.fixture
def site(write, run, hello, tmp_path):
    write("answer.py", hello("answer"))
    write("broken.py", BROKEN)
    write("raising.py", RAISING)
    write("multiserve.toml", TOML)
    server = run("--production").ready()
    made = Site(server, tmp_path)
    server.until(
        lambda: made.states() == {"/": "ok", "/bad": "failed", "/raise": "ok", "/group": "ok", "/apart": "ok"},
        "the states",
    )
    return made


def test_programs(site):
    assert site.ask("GET", "/", Host="evil.example")[0] == 421
    assert site.ask("POST", "/act", "action=maintenance&name=/&state=on")[0] == 403
    assert site.act("action=maintenance&name=/&state=on") == (200, {"done": True, "message": "/ is in maintenance."})
    assert site.server.get("/").status == 503
    assert site.act("action=maintenance&name=/&state=off") == (200, {"done": True, "message": "/ is served."})
    assert site.server.get("/").status == 200
    before = site.server.get("/group").text
    assert site.act("action=restart&name=apart") == (200, {"done": True, "message": "The group apart was restarted."})
    site.server.until(lambda: site.server.get("/group").text != before, "the answer of another process")


def test_tracebacks_and_findings(site):
    until = site.server.until
    for path in ("/raise/front", "/apart/back"):
        assert site.server.get(path).status == 500

    def shown():
        headers = {"Authorization": f"Bearer {site.token}"}
        return json.loads(site.ask("GET", "/status.json", **headers)[1])

    def last_lines():
        return {(each["mount"], each["group"], each["text"].splitlines()[-1]) for each in shown()["tracebacks"]}

    expected = {
        ("/raise", "", "RuntimeError: <script>front</script>"),
        ("", "apart", "RuntimeError: <script>back</script>"),
        ("/bad", "", "RuntimeError: <script>document.title = 1</script>"),
    }
    until(lambda: len(last_lines()) == len(expected), "the tracebacks")
    assert last_lines() == expected
    assert json.loads(site.ask("GET", "/status.json")[1])["tracebacks"] == []
    status, answer = site.act("action=check")
    assert (status, answer["done"]) == (200, True)
    findings = shown()["findings"]
    assert answer["message"] == findings["message"]
    assert [each["key"] for each in findings["findings"]][:1] == ['mounts."/bad"']
    assert "exited with code" not in site.server.log


def test_the_page_in_a_browser(site, evaluate, hello, write):
    page = evaluate(site.url)
    until = site.server.until

    def state(mount):
        return page(f"document.querySelector('tr[data-mount=\"{mount}\"] .state')?.textContent")

    def press(selector):
        until(lambda: page(f"!!document.querySelector('{selector}')"), f"the button {selector}")
        page(f"document.querySelector('{selector}').click()")

    until(lambda: page("document.querySelectorAll('form[action=act]').length"), "the buttons")
    assert page("location.hash + document.cookie") == ""
    assert [state(each) for each in ("/", "/bad", "/group")] == ["ok", "failed", "ok"]
    assert "<script>document.title" in page("document.querySelector('tr.reason').textContent")
    assert page("document.title") == "multiserve: serving"

    press('tr[data-mount="/"] form button')
    until(lambda: state("/") == "maintenance", "maintenance")
    assert site.server.get("/").status == 503
    press('tr[data-mount="/"] form button')
    until(lambda: state("/") == "ok", "the end of maintenance")
    assert site.server.get("/").status == 200

    assert "<script>document.title" in page("document.querySelector('details pre').textContent")

    write("broken.py", hello("repaired"))
    press("form[action=act] button")
    until(lambda: state("/bad") == "ok", "the repair")
    assert site.server.get("/bad").text.startswith("repaired /bad by ")

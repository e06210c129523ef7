import json
import os

import pytest

from multiserve.errors import ServeError
from multiserve.servers.management.exchange import Request
from multiserve.servers.management.site import Site
from multiserve.servers.management.state import State
from multiserve.servers.page.samples import Samples

MOUNT = {"mount": "/", "target": "shop:app", "group": "", "state": "failed", "reason": "first\nsecond"}
GROUPED = {"mount": "/blog", "target": "blog:app", "group": "blog", "state": "ok", "reason": ""}
STATUS = {"mounts": [MOUNT, GROUPED], "groups": [{"name": "blog", "state": "down"}], "workers": [1], "since": 0.0}


class Asked:
    """What can be asked, and what was."""

    def __init__(self):
        self.questions = []

    def __call__(self, *question):
        self.questions.append(question)
        if question[1] == "missing":
            raise ServeError("there is no such thing")


@pytest.fixture
def state():
    return State(status=STATUS, is_serving=True, urls={"/": "http://x/"})


@pytest.fixture
def site(state):
    made = Site(state, Samples())
    made.ask = Asked()
    return made


def bearer(site, **headers):
    return {"authorization": f"Bearer {site.access.token}", **headers}


def act(site, accept="application/json", **form):
    return site.pages["POST /act"](Request(method="POST", path="/act", form=form, accept=accept, headers=bearer(site)))


def test_json(site):
    response = site.pages["/status.json"](Request(path="/status.json"))
    shown = json.loads(response.body)
    assert response.content_type == "application/json"
    assert (shown["state"], shown["is_owner"], shown["workers"]) == ("serving", False, 1)
    assert [(each["mount"], each["state"], each["url"]) for each in shown["mounts"]] == [
        ("/", "failed", "http://x/"),
        ("/blog", "down", ""),
    ]
    assert json.loads(site.pages["/"](Request(path="/", accept="application/json")).body) == shown


def test_the_owner_alone_reads_everything(site, state):
    state.last_reload = {"time": 0.0, "refused": True, "reason": "why"}
    for headers, reasons in (({}, ["first", ""]), (bearer(site), ["first\nsecond", "why"])):
        shown = json.loads(site.pages["/status.json"](Request(path="/status.json", headers=headers)).body)
        assert [shown["mounts"][0]["reason"], shown["last_reload"]["reason"]] == reasons


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}, {"cookie": "multiserve_page=x"}])
def test_nothing_is_changed_without_the_token(site, headers):
    form = {"action": "restart", "name": "blog", "token": "x"}
    response = site.pages["POST /act"](Request(method="POST", path="/act", form=form, headers=headers))
    assert (response.status, site.ask.questions) == (403, [])
    assert response.body == "Forbidden: this takes the token. Ask multiserve status --page.\n"


@pytest.mark.parametrize(
    ("form", "question", "message"),
    [
        ({"action": "restart", "name": "blog"}, ("restart", "blog"), "The group blog was restarted."),
        ({"action": "reload", "name": "blog"}, ("reload", "blog"), "The group blog has reloaded."),
        (
            {"action": "maintenance", "name": "/", "state": "on"},
            ("maintenance", "/", "on", ""),
            "/ is in maintenance.",
        ),
        ({"action": "maintenance", "name": "/", "state": "off"}, ("maintenance", "/", "off", ""), "/ is served."),
    ],
    ids=["restart", "reload a group", "maintenance", "the end of maintenance"],
)
def test_actions(site, form, question, message):
    response = act(site, **form)
    assert (response.status, json.loads(response.body)) == (200, {"done": True, "message": message})
    assert site.ask.questions == [question]
    assert act(site, accept="text/html", **form).status == 303


def test_a_reload_is_asked_for_by_its_signal(site, monkeypatch):
    sent = []
    monkeypatch.setattr(os, "kill", lambda *call: sent.append(call))
    assert json.loads(act(site, action="reload").body)["message"] == "A reload was asked for."
    assert sent == [(os.getpid(), 1)]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"action": "restart", "name": "missing"}, "there is no such thing"),
        ({"action": "maintenance", "name": "/", "state": "x"}, "there is no such action"),
        ({}, "there is no such action"),
    ],
)
def test_what_is_refused(site, form, message):
    response = act(site, **form)
    assert (response.status, json.loads(response.body)) == (409, {"done": False, "message": message})
    assert message in site.pages["/"](Request(path="/", headers=bearer(site))).body


def test_the_owner_alone_reads_tracebacks_and_findings(site, state):
    found = {"time": 0.0, "mount": "/", "message": "it failed", "text": "Traceback"}
    state.tracebacks.add([found], 7)
    site.findings.last = {"time": 0.0, "message": "check has found nothing.", "findings": []}
    for headers, expected in (
        ({}, ([], None)),
        (bearer(site), ([{**found, "pid": 7, "group": ""}], site.findings.last)),
    ):
        shown = json.loads(site.pages["/status.json"](Request(path="/status.json", headers=headers)).body)
        assert (shown["tracebacks"], shown["findings"]) == expected


def test_check_is_run_where_it_can_be(site):
    assert act(site, action="check").status == 409
    site.check = lambda: "check has found nothing."
    assert json.loads(act(site, action="check").body)["message"] == "check has found nothing."


def test_log_in(site):
    for token, status in ((site.access.token, 303), ("x", 403)):
        asked = Request(method="POST", path="/login", form={"token": token})
        assert site.pages["POST /login"](asked).status == status


def test_no_page_may_frame_it(site):
    headers = dict(site.pages["/"](Request(path="/")).headers)
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"].endswith("base-uri 'none'; frame-ancestors 'none'")
    assert "Access-Control-Allow-Origin" not in headers

"""What is known about mounts goes to another process and back."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from multiserve.errors import Problem
from multiserve.findings import Finding
from multiserve.frameworks import (
    AllowedHosts,
    Cookie,
    Facts,
    InnerAnswer,
    InnerRequest,
    InnerRoute,
    Secret,
    Setting,
    StaticFiles,
)
from multiserve.loading.process_state import Change, Patch
from multiserve.loading.side_effects import SideEffects, Variable
from multiserve.survey.values import from_plain, to_plain

ROUTE = InnerRoute(path="/caf\udce9", methods=("GET", "POST"), name="x", view="a:b", file="/a.py", line=3)
APPLICATION = object()
FACTS = Facts(
    application=APPLICATION,
    framework="Django",
    version="5.2",
    wrappers=("a:B",),
    routes=(ROUTE, InnerRoute(path="/")),
    cookies=(Cookie("sessionid", "/", setting="SESSION_COOKIE_NAME"),),
    secret=Secret("SECRET_KEY", "set", "abc"),
    debug=False,
    own_prefix=(Setting("FORCE_SCRIPT_NAME", "/x"),),
    hosts=AllowedHosts("ALLOWED_HOSTS", ("*", ".example.com")),
    static_files=StaticFiles("/static/", "/srv/static", ""),
    thread_hints=("a.db",),
)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(FACTS, id="facts"),
        pytest.param(Facts(application=APPLICATION, framework="Bottle", version=""), id="hardly any facts"),
        pytest.param(SideEffects(seconds=1.5, threads=("a", "b"), socket_timeout=2.0), id="effects"),
        pytest.param(
            SideEffects(
                changes=(Change("recursion", "1000", "9000"),),
                patches=(Patch("socket.getaddrinfo", "blog", is_wrapper=True),),
                variables=(Variable("MODE", None, "caf\udce9"), Variable("CACHE", "a", None)),
                search_path=("/srv/parts",),
                modules=frozenset({"blog", "blog.parts"}),
            ),
            id="effects on the process",
        ),
        pytest.param(Problem(key="a", message="b", hint="c", excerpt="d"), id="a problem"),
        pytest.param(
            Finding(code="MS1", severity="note", mounts=("/", "/a"), key="k", message="m", consequence="c", cure="d"),
            id="a finding",
        ),
        pytest.param(InnerAnswer(outcome="view", route=ROUTE), id="an answer with a route"),
        pytest.param(InnerAnswer(outcome="method not allowed", status=405, methods=("GET",)), id="an answer without"),
        pytest.param(InnerRequest("/x", "POST", "a.test:1", "/p", "https"), id="a request"),
    ],
)
def test_what_is_sent_is_what_arrives(value):
    known = {"application": APPLICATION} if isinstance(value, Facts) else {}
    arrived = from_plain(type(value), json.loads(json.dumps(to_plain(value))), **known)
    assert arrived == value
    assert getattr(arrived, "application", None) is getattr(value, "application", None)


def test_a_setting_that_is_no_text_is_sent_as_one():
    class Lazy:
        def __str__(self):
            return "/static/"

    assert to_plain(Setting("STATIC_URL", Lazy())) == {"name": "STATIC_URL", "value": "/static/"}


def test_what_a_newer_release_sends_beside_is_left_out():
    @dataclass
    class Known:
        name: str

    assert from_plain(Problem, {"message": "m", "colour": "red"}) == Problem(message="m")

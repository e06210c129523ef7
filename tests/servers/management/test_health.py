import json
import time

import pytest

from multiserve.servers.management.exchange import Request
from multiserve.servers.management.health import live, ready
from multiserve.servers.management.state import State


def mount(name, state="ok", group="", reason=""):
    return {"mount": name, "target": "app", "group": group, "state": state, "reason": reason}


def served(*mounts, groups=(), required=(), **fields):
    return State(status={"mounts": mounts, "groups": groups}, required=required, is_serving=True, **fields)


BROKEN = mount("/old", "failed", "old", "no such module\nand more")


def test_live():
    assert (live(State(), None).status, live(State(), None).body) == (200, "ok\n")
    late = live(State(beat=time.monotonic() - 60), None)
    assert (late.status, late.body) == (503, "The main loop of the server does not run.\n")


@pytest.mark.parametrize(
    ("state", "status", "body"),
    [
        (served(mount("/")), 200, "ready\n"),
        (served(mount("/"), BROKEN), 200, "ready\n"),
        (served(mount("/"), BROKEN, required=["/old"]), 503, "not ready: /old is required and not up\n"),
        (served(mount("/", "maintenance"), required=["/"]), 200, "ready\n"),
        (
            served(mount("/", group="g"), groups=[{"name": "g", "state": "starting"}], required=["/"]),
            503,
            "not ready: / is required and not up\n",
        ),
        (served(mount("/"), is_stopping=True), 503, "not ready: the server is stopping\n"),
        (State(), 503, "not ready: no worker serves yet\n"),
    ],
    ids=["ok", "not required", "required", "maintenance", "group", "stopping", "starting"],
)
def test_ready(state, status, body):
    answer = ready(state, Request(path="/readyz", query={}))
    assert (answer.status, answer.body) == (status, body)


def test_verbose():
    groups = [{"name": "old", "state": "up"}, {"name": "new", "state": "down"}]
    state = served(mount("/"), BROKEN, mount("/new", group="new"), groups=groups, required=["/new"])
    assert ready(state, Request(path="/readyz", query={"verbose": ""})).body.splitlines() == [
        "ok /",
        "failed /old (group old) (not required): no such module",
        "down /new (group new)",
        "ok group old",
        "down group new",
        "not ready: /new is required and not up",
    ]


def test_json():
    answer = ready(served(BROKEN, required=["/old"]), Request(path="/readyz", query={}, accept="application/json"))
    assert (answer.status, answer.content_type) == (503, "application/json")
    assert json.loads(answer.body) == {
        "ready": False,
        "reasons": ["/old is required and not up"],
        "mounts": [{**BROKEN, "reason": "no such module"}],
        "groups": [],
    }


def test_lines_of_the_source_are_not_told_to_anybody():
    broken = mount("/old", "failed", reason="ValueError: no\n2 | connect('postgres://user:secret@db')")
    for request in (
        Request(path="/readyz", query={"verbose": ""}),
        Request(path="/", query={}, accept="application/json"),
    ):
        assert "secret" not in ready(served(broken), request).body

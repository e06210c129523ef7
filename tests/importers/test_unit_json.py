from __future__ import annotations

import json
from pathlib import Path

import pytest

from multiserve.importers import unit_json

WSGI = {"type": "python", "module": "shop"}


def read(routes, applications=None, **others):
    document = {
        "listeners": {"*:80": {"pass": "routes"}},
        "routes": routes,
        "applications": applications or {"shop": WSGI},
    }
    draft = unit_json.read(Path("unit.json"), json.dumps({**document, **others}))
    return {mount.key: mount.options for mount in draft.mounts}, [(note.what, note.reason) for note in draft.notes]


@pytest.mark.parametrize(
    ("route", "mounts"),
    [
        (
            {"match": {"uri": ["/a", "/a/*"]}, "action": {"pass": "applications/shop"}},
            {"/a": {"app": "shop:application"}},
        ),
        ({"match": {"uri": "*"}, "action": {"pass": "applications/shop"}}, {"/": {"app": "shop:application"}}),
        (
            {"match": {"host": ["a.test", "*.b.test"]}, "action": {"pass": "applications/shop"}},
            {"a.test": {"app": "shop:application"}, "*.b.test": {"app": "shop:application"}},
        ),
        ({"match": {"uri": "/x/*"}, "action": {"share": "/www$uri"}}, {"/x": {"static": "/www/x"}}),
        (
            {"match": {"uri": "/x/*"}, "action": {"return": 302, "location": "https://y.test$request_uri"}},
            {"/x": {"redirect": "https://y.test/x", "status": 302}},
        ),
    ],
    ids=["a prefix", "everything", "hosts", "a folder", "a redirect"],
)
def test_what_becomes_a_mount(route, mounts):
    assert read([route])[0] == mounts


@pytest.mark.parametrize(
    ("routes", "applications"),
    [
        pytest.param([3, {"match": 5, "action": 7}, {"action": {"share": []}}], None, id="routes"),
        pytest.param({"a": "x"}, None, id="named routes"),
        pytest.param([{"action": {"pass": "routes"}}], None, id="routes that contain themselves"),
        pytest.param([{"action": {"pass": "applications/shop"}}], {"shop": 3}, id="an application"),
        pytest.param([{"action": {"return": 301, "location": "elsewhere"}}], None, id="a redirect to no path"),
        pytest.param(
            [{"action": {"pass": "applications/shop/x"}}], {"shop": {"type": "python", "targets": 3}}, id="targets"
        ),
    ],
)
def test_what_makes_no_sense_is_no_mount(routes, applications):
    assert read(routes, applications)[0] == {}


def test_routes_that_contain_themselves_are_noted():
    assert ('pass "routes"', "It contains itself.") in read([{"action": {"pass": "routes"}}])[1]

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
        ({"match": {"uri": "/robots.txt"}, "action": {"share": "/www/r.txt"}}, {"/robots.txt": {"file": "/www/r.txt"}}),
        ({"match": {"uri": "/a.ico"}, "action": {"share": "/www$uri"}}, {"/a.ico": {"file": "/www/a.ico"}}),
    ],
    ids=["a prefix", "everything", "hosts", "a folder", "a redirect", "a file", "a file that the URL names"],
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


@pytest.mark.parametrize(
    ("uri", "action", "notes"),
    [
        pytest.param("/robots.txt", {"share": "/www/r.txt"}, [], id="one URL, one file"),
        pytest.param("/a.ico", {"share": "/www$uri"}, [], id="one URL, which names a file"),
        pytest.param(
            "/x/*",
            {"share": "/www/x.html", "fallback": {"pass": "applications/shop"}},
            [
                ('match uri "/x/*"', "A file answers at one URL: what is below gets 404."),
                ("fallback of share /www/x.html", "Where there is no such file the answer is 404."),
            ],
            id="many URLs, one file",
        ),
        pytest.param(
            "*",
            {"share": "/www/x.html"},
            [("share /www/x.html", "A file answers at one URL: what is below gets 404.")],
            id="all URLs, one file",
        ),
        pytest.param(
            "/x",
            {"share": "/www/$host/"},
            [
                ('match uri "/x"', "It matched this URL alone; the mount answers what is below, too."),
                ("share /www/$host/", "It has variables, or names no file: a mount is one folder, or one file."),
            ],
            id="neither",
        ),
    ],
)
def test_what_is_said_of_files(uri, action, notes):
    unused = ("applications/shop", "Nothing passes requests to it.")
    assert read([{"match": {"uri": uri}, "action": action}])[1] == [*notes, unused]

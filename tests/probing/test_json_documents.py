from __future__ import annotations

import json

import pytest

from multiserve.probing.json_documents import read_manifest, read_openapi


def test_what_a_manifest_refers_to():
    manifest = {
        "start_url": "/app",
        "scope": "/",
        "icons": [{"src": "x.png"}, {"src": 3}, "y.png"],
        "shortcuts": [{"url": "/new"}, {}],
        "screenshots": None,
    }
    assert [(each.kind, each.what, each.url) for each in read_manifest(json.dumps(manifest))] == [
        ("link", "the start_url", "/app"),
        ("scope", "the scope of the manifest", "/"),
        ("link", "the shortcut", "/new"),
        ("asset", "the icon", "x.png"),
    ]


PATHS = {"/items/{id}": {"get": {}}, "/orders": {"post": {}}, "/items": {"get": {}}, "/more": {"get": {}}}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({"openapi": "3.1.0"}, ["/items"], id="no servers"),
        pytest.param({"openapi": "3.1.0", "servers": [{"url": "/api/"}, {"url": "/x"}]}, ["/api/items"], id="servers"),
        pytest.param({"openapi": "3.1.0", "servers": [{"url": "."}]}, ["./items"], id="a relative server"),
        pytest.param({"openapi": "3.1.0", "servers": [{"url": "/{v}"}]}, [], id="a server with variables"),
        pytest.param({"swagger": "2.0", "basePath": "/v1"}, ["/v1/items"], id="version 2"),
        pytest.param({}, [], id="something else"),
    ],
)
def test_the_first_path_of_openapi(more, expected):
    document = json.dumps({**more, "paths": PATHS})
    assert [each.url for each in read_openapi(document)] == expected


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"openapi": "3", "paths": []}', '{"icons": {}}'])
def test_what_is_something_else_refers_to_nothing(text):
    assert [*read_manifest(text), *read_openapi(text)] == []

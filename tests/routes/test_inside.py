"""What the composition in apps/inside holds, asked of real frameworks."""

from __future__ import annotations

from pathlib import Path

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.config.mounts import Mount
from multiserve.routes.inside import read_contents, select_contents

pytest.importorskip("flask")
pytest.importorskip("starlette.applications")
FILE = Path(__file__).parents[1] / "apps" / "inside" / "multiserve.toml"


@pytest.fixture
def contents(clean_process):
    return {str(each.loaded.mount.key): each for each in read_contents(compose(load_config(FILE)))}


def key_of(mount: Mount | None) -> str:
    return str(mount.key) if mount else "nobody"


ROUTES = [
    pytest.param(
        "/",
        [
            ("/", "home", "/"),
            ("/admin/login", "login", "/admin"),
            ("/admin/<page>", "page", "/admin"),
            ("/u/me", "me", "/"),  # a factory may leave it to the next mount
            ("/<path:rest>", "rest", "/"),
        ],
        id="the root, and what others hide of it",
    ),
    pytest.param("/admin", [("/admin/users/", "users", "/admin")], id="a prefix"),
    pytest.param("/wrapped", [("/wrapped/users/", "users", "/wrapped")], id="middleware around"),
    pytest.param(
        "/api",
        [
            ("/api/items/{number}", "item", "/api"),
            ("/api/talk/", "talk", "/api"),
            ("inner.example.com/api/inner", "inner", "/api"),
        ],
        id="a host inside",
    ),
    pytest.param(
        "api.example.com:81",
        [
            ("api.example.com:81/items/{number}", "item", "api.example.com:81"),
            ("api.example.com:81/talk/", "talk", "api.example.com:81"),
            ("inner.example.com:81/inner", "inner", "/"),
        ],
        id="a host inside that never comes to the host of the mount",
    ),
    pytest.param(
        "*.example.com/café",
        [
            ("*.example.com/café/", "home", "*.example.com/café"),
            ("*.example.com/café/admin/login", "login", "*.example.com/café"),
            ("*.example.com/café/admin/<page>", "page", "*.example.com/café"),
            ("*.example.com/café/u/me", "me", "*.example.com/café"),
            ("*.example.com/café/<path:rest>", "rest", "*.example.com/café"),
        ],
        id="a wildcard",
    ),
]


@pytest.mark.parametrize(("mount", "routes"), ROUTES)
def test_routes_are_told_as_urls_from_the_outside_with_the_mount_that_answers(contents, mount, routes):
    found = [(each.url, each.inner.name, key_of(each.answered_by)) for each in contents[mount].routes]
    assert found == routes


@pytest.mark.parametrize("mount", ["/bare", "/u/{user}", "/files", "/old", "/gone"])
def test_nothing_is_told_about_what_cannot_be_seen_into(contents, mount):
    assert (contents[mount].facts, contents[mount].routes) == (None, None)


def test_the_mounts_stand_in_the_order_of_matching(contents):
    assert list(contents) == [
        "api.example.com:81",
        "*.example.com/café",
        "/u/{user}",
        "/admin",
        "/api",
        "/bare",
        "/files",
        "/gone",
        "/old",
        "/wrapped",
        "/",
    ]


@pytest.mark.usefixtures("clean_process")
def test_routes_that_do_not_begin_with_the_prefix_are_not_reached_where_the_framework_takes_the_whole_path(
    tmp_path, write_config
):
    pytest.importorskip("falcon.asgi")
    (tmp_path / "whole_paths.py").write_text(
        "import falcon.asgi\n"
        "class View:\n    async def on_get(self, request, response): ...\n"
        "app = falcon.asgi.App()\napp.add_route('/api/x', View())\napp.add_route('/x', View())\n"
    )
    [contents] = read_contents(compose(load_config(write_config('[mounts]\n"/api" = "whole_paths:app"'))))
    assert {each.url: key_of(each.answered_by) for each in contents.routes} == {"/api/x": "/api", "/x": "nobody"}


SELECTED = [
    pytest.param("", 11, 18, id="nothing asked"),
    pytest.param("/GONE", 1, 0, id="the key of a mount"),
    pytest.param("staff_inside:wrapped", 1, 1, id="a target"),
    pytest.param("/items", 2, 2, id="a URL"),
    pytest.param("LOGIN", 2, 2, id="a name, in capitals"),
    pytest.param("locals", 2, 2, id="a view"),
    pytest.param("qqq", 0, 0, id="nothing found"),
]


@pytest.mark.parametrize(("text", "mounts", "routes"), SELECTED)
def test_a_text_selects_mounts_with_all_inside_and_routes(contents, text, mounts, routes):
    selected = select_contents(contents.values(), text)
    assert (len(selected), sum(len(each.routes or ()) for each in selected)) == (mounts, routes)

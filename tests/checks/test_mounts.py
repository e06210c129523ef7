from __future__ import annotations

import pytest

from multiserve.checks import find_all, look_at
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.frameworks import Facts, InnerRoute

PLAIN = """
def app(environ, start_response): ...
async def live(scope, receive, send): ...
def make(user): ...
"""
FLASK = InnerRoute(path="/static/<path:filename>", name="static", view="flask.app:Flask.send_static_file")


def facts(framework="Flask", **known):
    return Facts(application=object(), framework=framework, version="", **known)


SILENT = [
    pytest.param(
        '"/" = "plain:app"\n"/static" = "other:app"',
        {"/": facts(routes=(InnerRoute(path="/statics"), InnerRoute(path="/static<x>"), InnerRoute(path="/<x>")))},
        id="routes that only look as if they were below a mount",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/static" = { static = "files" }',
        {"/": facts(routes=(FLASK,))},
        id="a folder for static files",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/static" = { redirect = "https://cdn.example.com" }',
        {"/": facts(routes=(FLASK,))},
        id="static files that are elsewhere",
    ),
    pytest.param(
        '"/" = "plain:app"\n"api.example.com/a" = "other:app"',
        {"/": facts(routes=(InnerRoute(path="/a/b"),))},
        id="a route below the prefix of a mount at another host",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"',
        {"/": facts(routes=(InnerRoute(path="/a/b", host="x.example.com"),))},
        id="a route that the application has at a host alone",
    ),
    pytest.param(
        '"/a" = "plain:app"',
        {"/a": facts(routes=(InnerRoute(path="/a/b"),), wrappers=("prefix:Middleware",))},
        id="routes that repeat the prefix behind middleware",
    ),
    pytest.param(
        '"/a" = "plain:app"',
        {"/a": facts("Falcon", takes_whole_path=True, routes=(InnerRoute(path="/<rest>"),))},
        id="whole paths that a route for everything takes",
    ),
    pytest.param(
        '"example.com/new" = "plain:app"\n"/old" = { redirect = "/new" }', {}, id="a redirect to a mount at a host"
    ),
    pytest.param(
        '"/" = "plain:app"\n"*.example.com/old" = { redirect = "/older" }\n"/older" = { redirect = "/new" }',
        {},
        id="redirects that come to an end",
    ),
]


@pytest.mark.parametrize(("mounts", "known"), SILENT)
def test_nothing_is_said(look, mounts, known):
    assert look(f"[mounts]\n{mounts}", known) == []


SAID = [
    pytest.param(
        '"/" = "plain:app"\n"/docs" = { static = "files" }',
        {"/": facts("FastAPI", routes=(InnerRoute(path="/docs", name="swagger_ui_html"),))},
        [("MS102", "note", ("/docs", "/"), "it hides a route of the application at /: /docs")],
        id="a page that the framework adds",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/old" = { redirect = "/" }',
        {"/": facts(routes=(InnerRoute(path="/old/"), InnerRoute(path="/old/<x>")))},
        [("MS102", "note", ("/old", "/"), "it hides 2 routes of the application at /: /old/, /old/<x>")],
        id="a redirect in place of routes",
    ),
    pytest.param(
        '"/a" = "plain:app"\n"/a/b" = "other:app"',
        {"/a": facts(routes=tuple(InnerRoute(path=f"/b/{n}", methods=(m,)) for n in range(5) for m in ("GET", "PUT")))},
        [
            (
                "MS102",
                "warning",
                ("/a/b", "/a"),
                "it hides 5 routes of the application at /a: /a/b/0, /a/b/1, /a/b/2 and 2 more",
            )
        ],
        id="many routes, each with two methods",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/static" = "other:app"',
        {"/": facts(routes=(FLASK,))},
        [("MS102", "warning", ("/static", "/"), "it hides a route of the application at /: /static/<path:filename>")],
        id="an application in place of static files",
    ),
    pytest.param(
        '"/api" = "plain:app"',
        {"/api": facts("Falcon", takes_whole_path=True, routes=(InnerRoute(path="/api/x"), InnerRoute(path="/y")))},
        [("MS104", "warning", ("/api",), "Falcon matches whole paths: /y is not below /api")],
        id="whole paths, of which some fit",
    ),
    pytest.param(
        '"/" = { redirect = "/new" }',
        {},
        [("MS105", "error", ("/",), "it redirects / -> /")],
        id="a redirect that is its own target",
    ),
    pytest.param(
        '"*.example.com/old" = { redirect = "/old" }',
        {},
        [("MS105", "error", ("*.example.com/old",), "it redirects *.example.com/old -> *.example.com/old")],
        id="a circle at many hosts",
    ),
]


@pytest.mark.parametrize(("mounts", "known", "expected"), SAID)
def test_what_is_said_is_as_certain_as_the_reading(look, mounts, known, expected):
    assert look(f"[mounts]\n{mounts}", known) == expected


def test_mounts_that_are_left_out_are_still_there(look):
    text = '[mounts]\n"/old" = { redirect = "/new" }\n"/new" = { redirect = "/old" }\n"/a" = { redirect = "/b" }'
    assert look(text, only=["/a"]) == [("MS106", "warning", ("/a",), "no mount answers /b")]
    assert look(text, only=["/new"]) == [("MS105", "error", ("/new",), "it redirects /new -> /old -> /new")]
    assert look(f'{text}\n"/b" = "plain:app"', only=["/a"]) == []


@pytest.mark.usefixtures("kept_process")
@pytest.mark.parametrize(
    ("code", "paths"),
    [
        pytest.param("STATIC = None", [], id="no static files"),
        pytest.param("STATIC = 'files'", ["/static/<path:filename>"], id="static files"),
        pytest.param("STATIC = 'none'", [], id="a folder that is not there"),
    ],
)
def test_flask_has_a_route_for_static_files_that_may_not_be_there(tmp_path, write_config, code, paths):
    pytest.importorskip("flask")
    (tmp_path / "files").mkdir()
    (tmp_path / "shop.py").write_text(
        f"import flask\n{code}\napp = flask.Flask('shop', static_folder=STATIC, static_url_path='/static')"
    )
    (tmp_path / "plain.py").write_text(PLAIN)
    path = write_config('[mounts]\n"/" = "shop:app"\n"/static" = "plain:app"')
    messages = [each.message.partition(" (")[0] for each in find_all(look_at(compose(load_config(path)), {}))]
    assert messages == [f"it hides a route of the application at /: {each}" for each in paths]

from __future__ import annotations

from dataclasses import replace

import pytest

from multiserve.checks import find_all, look_at, settle
from multiserve.composition import compose
from multiserve.config.file import load_config, select
from multiserve.frameworks import AllowedHosts, Cookie, Facts, InnerRoute, Secret, Setting

PLAIN = """
def app(environ, start_response): ...
async def live(scope, receive, send): ...
def make(user): ...
"""
DJANGO = """
import os
def set_up():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "{}")
"""
SESSION = Cookie("session", "/", "", "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH")
ONE, TWO = Secret("SECRET_KEY", "set", "1111"), Secret("SECRET_KEY", "set", "2222")


def facts(framework="Flask", **known):
    return Facts(application=object(), framework=framework, version="", **known)


def project(actual="shop.settings", **known):
    return facts("Django", settings_module=actual, **known)


@pytest.fixture
def look(tmp_path, write_config, kept_process):
    """Look at mounts of plain applications, about which the given facts are known."""

    def run(text, known=None, *, only=(), modules=None, is_production=False, **more):
        for name, settings in {"plain": "", "other": "", **(modules or {})}.items():
            (tmp_path / f"{name}.py").write_text(PLAIN + (DJANGO.format(settings) if settings else ""))
        (tmp_path / "files").mkdir(exist_ok=True)
        whole = load_config(write_config(text))
        composition = compose(select(whole, only) if only else whole)
        subject = look_at(composition, {}, mounts=whole.mounts, is_production=is_production, **more)
        known = known or {}
        members = tuple(replace(each, facts=known.get(str(each.mount.key))) for each in subject.members)
        return [
            (each.code, each.severity, each.mounts, each.message)
            for each in settle(find_all(replace(subject, members=members)), subject.config)
        ]

    return run


FLASK = InnerRoute(path="/static/<path:filename>", name="static", view="flask.app:Flask.send_static_file")
SILENT = [
    pytest.param('"/" = "plain:app"\n"/a" = "other:app"', {}, id="applications of which nothing is known"),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"',
        dict.fromkeys(("/", "/a"), facts(cookies=(SESSION,), secret=ONE, logger="x", debug=True)),
        id="one application at two mounts",
    ),
    pytest.param(
        '"a.example.com" = "plain:app"\n"b.example.com" = "other:app"',
        {
            "a.example.com": facts(cookies=(SESSION,), secret=ONE),
            "b.example.com": facts(cookies=(SESSION,), secret=TWO),
        },
        id="one cookie at two hosts",
    ),
    pytest.param(
        '"/" = "plain:app"\n"api.example.com" = "other:app"',
        {"/": facts(cookies=(SESSION,), secret=ONE), "api.example.com": facts(cookies=(SESSION,), secret=TWO)},
        id="one cookie, at a host that has a root of its own",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"',
        {"/": facts(cookies=(SESSION,), secret=ONE), "/a": facts("Starlette", secret=ONE)},
        id="one key for frameworks that sign in different ways",
    ),
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
    pytest.param(
        '"/a" = "plain:app"', {"/a": facts(own_prefix=(Setting("APPLICATION_ROOT", "/a/"),))}, id="the very prefix"
    ),
    pytest.param(
        '"/a" = "plain:app"\n[server]\ntrusted_proxies = 1',
        {"/a": facts(own_prefix=(Setting("APPLICATION_ROOT", "/outer/a"),))},
        id="the prefix behind that of a proxy",
    ),
    pytest.param(
        '"/sales" = "plain:app"\n[server]\ntrusted_proxies = 1',
        {
            "/sales": facts(
                "Dash",
                own_prefix=(
                    Setting("requests_pathname_prefix", "/outer/sales/"),
                    Setting("routes_pathname_prefix", "/"),
                ),
            )
        },
        id="Dash behind a proxy with a prefix",
    ),
    pytest.param(
        '"/a" = "plain:app"\n"/static" = { static = "files" }',
        {"/a": project(absolute_urls=(Setting("STATIC_URL", "/static/"),))},
        id="an absolute URL that a folder answers",
    ),
    pytest.param(
        '"/a" = "plain:app"',
        {"/a": project(absolute_urls=(Setting("STATIC_URL", "/a/static/"),))},
        id="an absolute URL inside the mount",
    ),
    pytest.param(
        '"x.example.com:8000" = "plain:app"',
        {"x.example.com:8000": project(hosts=AllowedHosts("ALLOWED_HOSTS", (".example.com",)))},
        id="a host among those of a domain",
    ),
    pytest.param('"/" = "plain:app"', {"/": facts(debug=True)}, id="debug mode in development"),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "plain:app"',
        {"/": facts(logger="plain"), "/a": facts(logger="plain")},
        id="one module that makes an application twice",
    ),
    pytest.param(
        '"/" = "plain:live"', {"/": facts("FastAPI", thread_hints=("x.db",))}, id="threads of no WSGI application"
    ),
]


@pytest.mark.parametrize(("mounts", "known"), SILENT)
def test_nothing_is_said(look, mounts, known):
    assert look(f"[mounts]\n{mounts}", known) == []


UNTOLD = "cannot check whether APPLICATION_ROOT is not the prefix: AttributeError:"
SAID = [
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"\n"/a/b" = "plain:live"',
        {
            "/": facts(cookies=(SESSION,), secret=ONE),
            "/a": facts(cookies=(SESSION,), secret=TWO),
            "/a/b": facts("Starlette", cookies=(SESSION,), secret=ONE),
        },
        [("MS121", "warning", ("/a/b", "/a", "/"), 'all of them set the cookie "session" for the path /')],
        id="one cookie of three applications",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"\n"/b" = "plain:app"',
        {path: facts(cookies=(), secret=ONE) for path in ("/", "/a", "/b")},
        [("MS122", "note", ("/", "/a", "/b"), "SECRET_KEY of all of them is the same")],
        id="one key of three applications",
    ),
    pytest.param(
        '"a.example.com" = "plain:app"\n"b.example.com" = "other:app"',
        {
            "a.example.com": facts(cookies=(SESSION._replace(domain="example.com"),), secret=ONE),
            "b.example.com": facts(cookies=(SESSION._replace(domain=".example.com"),), secret=TWO),
        },
        [("MS121", "warning", ("b.example.com", "a.example.com"), 'both set the cookie "session" for the path /')],
        id="one cookie in one domain of two hosts",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"',
        {path: facts(cookies=(SESSION,), secret=Secret("SECRET_KEY", "default", "3333")) for path in ("/", "/a")},
        [
            ("MS121", "warning", ("/a", "/"), 'both set the cookie "session" for the path /'),
            ("MS123", "note", ("/",), "its SECRET_KEY comes from a template or a tutorial"),
            ("MS123", "note", ("/a",), "its SECRET_KEY comes from a template or a tutorial"),
        ],
        id="one session that nobody can mean, with a key that everybody knows",
    ),
    pytest.param(
        '"/a" = "plain:app"',
        {"/a": facts(logger="x", own_prefix=(Setting("APPLICATION_ROOT", 5),), debug=True)},
        [
            (
                "MS130",
                "note",
                (),
                f"{UNTOLD} 'int' object has no attribute 'rstrip'",
            )
        ],
        id="a fact that no check expects",
    ),
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
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"',
        {"/": facts("Pyramid", cookies=(SESSION,)), "/a": facts(cookies=(SESSION,), secret=ONE)},
        [("MS121", "note", ("/a", "/"), 'both may set the cookie "session" for the path /')],
        id="one cookie, and keys that are not known",
    ),
    pytest.param(
        '"/" = "plain:app"\n"/a" = "other:app"',
        {"/": facts("Starlette", cookies=(SESSION,), secret=ONE), "/a": facts(cookies=(SESSION,), secret=ONE)},
        [("MS121", "warning", ("/a", "/"), 'both set the cookie "session" for the path /')],
        id="one cookie and one key, signed in different ways",
    ),
    pytest.param(
        '"a.example.com" = "plain:app"\n"b.example.com" = "other:app"',
        {
            "a.example.com": facts(cookies=(SESSION._replace(domain="example.com"),), secret=ONE),
            "b.example.com": facts(cookies=(SESSION._replace(domain=".example.com"),), secret=ONE),
        },
        [("MS122", "note", ("a.example.com", "b.example.com"), "SECRET_KEY of both is the same")],
        id="one session on purpose",
    ),
    pytest.param(
        '"/" = "plain:app"\n"api.example.com/v1" = "other:app"',
        {"/": facts(cookies=(SESSION,), secret=ONE), "api.example.com/v1": facts(cookies=(SESSION,), secret=TWO)},
        [("MS121", "warning", ("api.example.com/v1", "/"), 'both set the cookie "session" for the path /')],
        id="one cookie, at a host that hands the rest on",
    ),
    pytest.param(
        '"localhost:8000" = "plain:app"\n"localhost:9000" = "other:app"\n[server]\nport = 0',
        {
            "localhost:8000": facts(cookies=(SESSION,), secret=ONE),
            "localhost:9000": facts(cookies=(SESSION,), secret=TWO),
        },
        [("MS121", "warning", ("localhost:9000", "localhost:8000"), 'both set the cookie "session" for the path /')],
        id="one cookie at two ports",
    ),
    pytest.param(
        '"/a" = "plain:app"',
        {"/a": facts(own_prefix=(Setting("APPLICATION_ROOT", "/outer/a"),))},
        [
            (
                "MS130",
                "note",
                ("/a",),
                'it has APPLICATION_ROOT = "/outer/a", but is mounted at /a: that can only be right behind a proxy',
            )
        ],
        id="a prefix that a proxy may take off",
    ),
    pytest.param(
        '"/" = "plain:app"',
        {"/": facts("FastAPI", own_prefix=(Setting("root_path", "/outer"),))},
        [
            (
                "MS132",
                "note",
                ("/",),
                'it has root_path = "/outer", but is mounted at /: that can only be right behind a proxy',
            )
        ],
        id="a prefix at the root",
    ),
    pytest.param(
        '"/a" = "plain:app"\n[server]\ntrusted_proxies = 1',
        {"/a": facts("FastAPI", own_prefix=(Setting("root_path", "/outer/a"),))},
        [("MS132", "error", ("/a",), 'it has root_path = "/outer/a", but is mounted at /a')],
        id="a prefix behind that of a proxy, with which FastAPI finds nothing",
    ),
    pytest.param(
        '"/a" = "plain:app"\n[server]\ntrusted_proxies = 1',
        {"/a": project(absolute_urls=(Setting("STATIC_URL", "/static/"),))},
        [("MS140", "note", ("/a",), 'it has STATIC_URL = "/static/", which is not below /a')],
        id="an absolute URL that a proxy may answer",
    ),
    pytest.param(
        '"/a" = "plain:app"',
        {"/a": project(absolute_urls=(Setting("LOGIN_URL", "/login/"),))},
        [("MS140", "note", ("/a",), 'it has LOGIN_URL = "/login/", which is not below /a')],
        id="an absolute URL that may be meant",
    ),
    pytest.param(
        '"*.example.com" = "plain:app"',
        {"*.example.com": project(hosts=AllowedHosts("ALLOWED_HOSTS", ("www.example.com",)))},
        [
            (
                "MS141",
                "note",
                ("*.example.com",),
                "its ALLOWED_HOSTS has www.example.com, which may not be every host of *.example.com",
            )
        ],
        id="some of many hosts",
    ),
    pytest.param(
        '"/" = "plain:app"',
        {"/": project(hosts=AllowedHosts("ALLOWED_HOSTS", ()))},
        [("MS141", "error", ("/",), "its ALLOWED_HOSTS is empty, or has no valid host")],
        id="no host at all",
    ),
    pytest.param(
        '"/" = { app = "plain:app", threads = 2 }\n"/live" = "other:live"',
        {"/": facts(thread_hints=("x.db",))},
        [("MS170", "note", ("/",), "its views may share x.db between 2 threads")],
        id="threads beside ASGI",
    ),
]


@pytest.mark.parametrize(("mounts", "known", "expected"), SAID)
def test_what_is_said_is_as_certain_as_the_reading(look, mounts, known, expected):
    assert look(f"[mounts]\n{mounts}", known) == expected


TWO_PROJECTS = '[mounts]\n"/" = "plain:app"\n"/a" = "other:app"'
MAY_BE_OTHER = "it may be another project than the one at /"
PROJECTS = [
    pytest.param({"plain": "shop.settings", "other": "shop.settings"}, "shop.settings", [], id="one project"),
    pytest.param({"plain": "shop.settings", "other": "shop.settings"}, "live.settings", [], id="settings from outside"),
    pytest.param(
        {"plain": "shop.settings", "other": "blog.settings"},
        "blog.settings",
        [("error", ("/", "/a"), "it needs the settings shop.settings, but the process has blog.settings")],
        id="the second one has brought its settings",
    ),
    pytest.param(
        {"plain": "shop.settings", "other": "blog.settings"},
        "shop.settings_live",
        [("error", ("/a", "/"), "it needs the settings blog.settings, but the process has shop.settings_live")],
        id="other settings of the first one",
    ),
    pytest.param(
        {"plain": "shop.settings", "other": "shop.settings_staff"},
        "shop.settings",
        [
            (
                "note",
                ("/a", "/"),
                "it needs the settings shop.settings_staff, but the process has shop.settings, which may be intended",
            )
        ],
        id="two settings of one package",
    ),
    pytest.param({}, "shop.settings", [("note", ("/a", "/"), MAY_BE_OTHER)], id="modules that name none"),
    pytest.param(
        {"plain": "shop.settings"}, "shop.settings", [("note", ("/a", "/"), MAY_BE_OTHER)], id="one names none"
    ),
]


@pytest.mark.parametrize(("modules", "actual", "expected"), PROJECTS)
def test_a_second_project_is_told_from_the_first(look, modules, actual, expected):
    known = {
        "/": project(actual, cookies=(SESSION,), secret=ONE),
        "/a": project(actual, cookies=(SESSION,), secret=ONE),
    }
    assert look(TWO_PROJECTS, known, modules=modules) == [("MS110", *each) for each in expected]


def test_one_handler_at_two_mounts_is_one_project(look):
    assert look(TWO_PROJECTS, dict.fromkeys(("/", "/a"), project())) == []


def test_what_production_would_not_show_is_not_said_without_it(look):
    known = {"/": facts("Django", debug=True, secret=Secret("SECRET_KEY", "default", "3333"))}
    text, secret = '[mounts]\n"/" = "plain:app"', "its SECRET_KEY comes from a template or a tutorial"
    assert look(text, known) == [("MS123", "note", ("/",), secret)]
    debug = ("MS150", "error", ("/",), "Django is in debug mode")
    assert look(text, known, is_production=True) == [debug, ("MS123", "warning", ("/",), secret)]


def test_mounts_that_are_left_out_are_still_there(look):
    text = '[mounts]\n"/old" = { redirect = "/new" }\n"/new" = { redirect = "/old" }\n"/a" = { redirect = "/b" }'
    assert look(text, only=["/a"]) == [("MS106", "warning", ("/a",), "no mount answers /b")]
    assert look(text, only=["/new"]) == [("MS105", "error", ("/new",), "it redirects /new -> /old -> /new")]
    assert look(f'{text}\n"/b" = "plain:app"', only=["/a"]) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('ignore = ["MS104"]\n[mounts]\n"/a" = "plain:app"', id="globally"),
        pytest.param('[mounts]\n"/a" = { app = "plain:app", ignore = ["MS104"] }', id="on the mount"),
    ],
)
def test_what_is_ignored_is_not_said(look, text):
    known = {"/a": facts("Falcon", takes_whole_path=True, routes=(InnerRoute(path="/x"),))}
    assert [code for code, *_ in look(text.replace("MS104", "MS999"), known)] == ["MS104", "MS100"]
    assert look(text, known) == []


def test_tenants_and_mounts_that_failed_are_left_alone(look):
    text = '[mounts]\n"/u/{user}" = "plain:make"\n"/a" = "no_such_module:app"\n"/a/b" = "plain:app"'
    assert look(text, {"/a/b": facts(cookies=(SESSION,), secret=ONE)}) == []


@pytest.mark.usefixtures("kept_process")
def test_keys_are_those_of_pyproject(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text('[tool.multiserve]\nignore = ["MS999"]\n[tool.multiserve.mounts]\n"/" = { redirect = "/" }')
    config = load_config(path)
    found = settle(find_all(look_at(compose(config), {})), config)
    assert [(each.code, each.key) for each in found] == [
        ("MS105", 'tool.multiserve.mounts."/"'),
        ("MS100", "tool.multiserve.ignore"),
    ]


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

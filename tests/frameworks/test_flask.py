from __future__ import annotations

import functools

import pytest

from multiserve.frameworks import (
    AllowedHosts,
    Cookie,
    InnerAnswer,
    InnerRequest,
    InnerRoute,
    Setting,
    find_route,
    inspect_application,
)
from multiserve.frameworks.reading import secret_of, version_of
from multiserve.frameworks.views import place_of

flask = pytest.importorskip("flask")
views = pytest.importorskip("flask.views")
dispatcher = pytest.importorskip("werkzeug.middleware.dispatcher")
proxy_fix = pytest.importorskip("werkzeug.middleware.proxy_fix")
CALLED = "no view may be called"


def page(name):
    raise AssertionError(CALLED)


def login():
    raise AssertionError(CALLED)


@functools.wraps(login)
def guarded():
    raise AssertionError(CALLED)


class Method(views.MethodView):
    def get(self):
        raise AssertionError(CALLED)

    def put(self):
        raise AssertionError(CALLED)


def at(view):
    return place_of(view)._asdict()


def make(**config):
    site = flask.Flask("site", subdomain_matching=config.pop("subdomain_matching", False))
    admin = flask.Blueprint("admin", "admin", url_prefix="/admin")
    admin.add_url_rule("/login/", "login", guarded, methods=["GET", "POST"])
    site.add_url_rule("/page/<name>", "page", page)
    site.add_url_rule("/method", view_func=Method.as_view("method"))
    site.register_blueprint(admin)
    site.config.update(config)
    return site


STATIC = InnerRoute(path="/static/<path:filename>", methods=("GET",), name="static", **at(flask.Flask.send_static_file))
PAGE = InnerRoute(path="/page/<name>", methods=("GET",), name="page", **at(page))
METHOD = InnerRoute(path="/method", methods=("GET", "PUT"), name="method", **at(Method))
LOGIN = InnerRoute(path="/admin/login/", methods=("GET", "POST"), name="admin.login", **at(login))


def test_a_whole_application_is_read():
    site = make(SECRET_KEY="b24ae1f9c0d7")
    facts = inspect_application(site)
    assert (facts.framework, facts.version, facts.application) == ("Flask", version_of("flask"), site)
    assert facts.routes == (STATIC, PAGE, METHOD, LOGIN)
    assert facts.cookies == (Cookie("session", "/", "", "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH"),)
    assert facts.secret == secret_of("SECRET_KEY", "b24ae1f9c0d7")
    assert (facts.logger, facts.debug, facts.own_prefix, facts.hosts) == ("site", False, (), None)
    assert (facts.absolute_urls, facts.settings_module, facts.thread_hints) == ((), None, ())
    assert "logger" not in vars(site), "reading it would add a handler"


SETTINGS = [
    pytest.param({}, "cookies", (), id="no key, so no session"),
    pytest.param(
        {"SECRET_KEY": "k", "SESSION_COOKIE_NAME": "shop", "APPLICATION_ROOT": "/shop"}, "cookies",
        (Cookie("shop", "/shop", "", "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH"),),
        id="a cookie that follows APPLICATION_ROOT",
    ),
    pytest.param(
        {"SECRET_KEY": "k", "SESSION_COOKIE_PATH": "/a", "SESSION_COOKIE_DOMAIN": "example.com"}, "cookies",
        (Cookie("session", "/a", "example.com", "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH"),),
        id="a cookie with path and domain",
    ),
    pytest.param({"APPLICATION_ROOT": "/shop"}, "own_prefix", (Setting("APPLICATION_ROOT", "/shop"),), id="a prefix"),
    pytest.param({"APPLICATION_ROOT": "/"}, "own_prefix", (), id="the root is no prefix"),
    pytest.param({"DEBUG": True}, "debug", True, id="debug"),
    pytest.param(
        {"TRUSTED_HOSTS": ["example.com"]}, "hosts", AllowedHosts("TRUSTED_HOSTS", ("example.com",)),
        id="trusted hosts",
    ),
    pytest.param(
        {"TRUSTED_HOSTS": "a.example.com"}, "hosts", AllowedHosts("TRUSTED_HOSTS", ("a.example.com",)),
        id="one trusted host",
    ),
    pytest.param(
        {"TRUSTED_HOSTS": [None, "b.example.com:8000", "*.example.com", "*"]}, "hosts",
        AllowedHosts("TRUSTED_HOSTS", ("b.example.com",)), id="a port, and patterns that Flask has not",
    ),
    pytest.param({"TRUSTED_HOSTS": []}, "hosts", None, id="no trusted hosts, which are all"),
    pytest.param({"APPLICATION_ROOT": 5}, "own_prefix", (), id="a prefix that is no text"),
    pytest.param({"SERVER_NAME": "example.com"}, "hosts", None, id="a server name, which refuses nothing"),
    pytest.param(
        {"SERVER_NAME": "example.com:8000", "subdomain_matching": True}, "hosts",
        AllowedHosts("SERVER_NAME", (".example.com",)), id="a server name with subdomains",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("config", "name", "value"), SETTINGS)
def test_a_setting_is_read(config, name, value):
    assert getattr(inspect_application(make(**config)), name) == value


ROUTES = [
    pytest.param(InnerRequest("/page/x"), InnerAnswer(outcome="view", route=PAGE), id="a view"),
    pytest.param(InnerRequest("/page/é"), InnerAnswer(outcome="view", route=PAGE), id="not ASCII"),
    pytest.param(InnerRequest("/page/x", "HEAD"), InnerAnswer(outcome="view", route=PAGE), id="HEAD"),
    pytest.param(InnerRequest("/static/a.css"), InnerAnswer(outcome="view", route=STATIC), id="static files"),
    pytest.param(InnerRequest("/method", "PUT"), InnerAnswer(outcome="view", route=METHOD), id="a class-based view"),
    pytest.param(
        InnerRequest("/admin/login", prefix="/shop", host="example.com:8000"),
        InnerAnswer(outcome="redirect", status=308, route=LOGIN, location="http://example.com:8000/shop/admin/login/"),
        id="a slash is added, under a prefix",
    ),
    pytest.param(
        InnerRequest("/page/x", "DELETE"), InnerAnswer(outcome="method not allowed", status=405, methods=("GET",)),
        id="another method",
    ),
    pytest.param(InnerRequest("/nothing"), InnerAnswer(outcome="not found", status=404), id="nothing"),
    pytest.param(InnerRequest(""), InnerAnswer(outcome="not found", status=404), id="the bare prefix"),
    pytest.param(InnerRequest("/page/x", "WEBSOCKET"), None, id="a WebSocket"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "answer"), ROUTES)
def test_the_url_map_answers(request_, answer):
    assert find_route(make(), request_) == answer


def test_the_bare_prefix_gets_a_slash_where_the_root_has_a_view():
    site = make()
    site.add_url_rule("/", "home")
    answer = find_route(site, InnerRequest("", prefix="/shop"))
    assert (answer.outcome, answer.status, answer.location) == ("redirect", 308, "http://localhost/shop/")
    assert answer.route.name == "home"


def test_a_host_that_is_not_trusted_is_refused():
    site = make(TRUSTED_HOSTS=["example.com"])
    assert find_route(site, InnerRequest("/page/x", host="other.com")) == InnerAnswer(
        outcome="host refused", status=400
    )


def test_host_matching_is_asked():
    site = flask.Flask("site", host_matching=True, static_folder=None)
    site.add_url_rule("/", "login", login, host="a.example.com")
    site.add_url_rule("/", "page", page, host="b.example.com")
    expected = InnerRoute(path="/", methods=("GET",), name="page", host="b.example.com", **at(page))
    assert inspect_application(site).routes[1] == expected
    assert find_route(site, InnerRequest("/", host="b.example.com")) == InnerAnswer(outcome="view", route=expected)


def test_subdomains_are_asked():
    site = flask.Flask("site", subdomain_matching=True, static_folder=None)
    site.config["SERVER_NAME"] = "example.com"
    site.add_url_rule("/", "login", login, subdomain="www")
    expected = InnerRoute(path="/", methods=("GET",), name="login", host="www.example.com", **at(login))
    assert inspect_application(site).routes == (expected,)
    assert find_route(site, InnerRequest("/", host="www.example.com")) == InnerAnswer(outcome="view", route=expected)
    assert find_route(site, InnerRequest("/", host="example.com")) == InnerAnswer(outcome="not found", status=404)


def test_middleware_in_place_of_wsgi_app_is_seen():
    site = make()
    site.wsgi_app = proxy_fix.ProxyFix(site.wsgi_app)
    facts = inspect_application(site)
    assert facts.wrappers == ("werkzeug.middleware.proxy_fix:ProxyFix",)
    assert facts.routes == (STATIC, PAGE, METHOD, LOGIN)


def test_a_dispatcher_in_place_of_wsgi_app_makes_the_routes_unknown():
    site = make(SECRET_KEY="k")
    site.wsgi_app = dispatcher.DispatcherMiddleware(site.wsgi_app, {"/page": make()})
    facts = inspect_application(site)
    assert (facts.routes, [cookie.name for cookie in facts.cookies]) == (None, ["session"])
    assert find_route(site, InnerRequest("/page/x")) is None


def test_what_views_share_between_threads_is_named(monkeypatch):
    sqlite3 = pytest.importorskip("sqlite3")
    monkeypatch.setitem(globals(), "database", sqlite3.connect(":memory:"))
    try:
        assert inspect_application(make()).thread_hints == (f"{__name__}.database",)
    finally:
        globals()["database"].close()


def test_quart_is_read_and_asked():
    quart = pytest.importorskip("quart")
    site = quart.Quart("site", static_folder=None)
    site.secret_key = "k"
    site.add_url_rule("/login/", "login", login)
    site.add_websocket("/live", "live", page)
    route = InnerRoute(path="/login/", methods=("GET",), name="login", **at(login))
    live = InnerRoute(path="/live", methods=("WEBSOCKET",), name="live", **at(page))
    facts = inspect_application(site.asgi_app)
    assert (facts.framework, facts.version, facts.routes) == ("Quart", version_of("quart"), (route, live))
    assert facts.cookies == (Cookie("session", "/", "", "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH"),)
    redirect = InnerAnswer(outcome="redirect", status=308, route=route, location="http://localhost/shop/login/")
    assert find_route(site, InnerRequest("/login", prefix="/shop")) == redirect
    assert find_route(site, InnerRequest("/live", "WEBSOCKET")) == InnerAnswer(outcome="view", route=live)


def test_quart_answers_the_bare_prefix_with_404():
    quart = pytest.importorskip("quart")
    site = quart.Quart("site", static_folder=None)
    site.add_url_rule("/", "home", page)
    home = InnerRoute(path="/", methods=("GET",), name="home", **at(page))
    assert find_route(site, InnerRequest("", prefix="/shop")) == InnerAnswer(outcome="not found", status=404)
    assert find_route(site, InnerRequest("/", prefix="/shop")) == InnerAnswer(outcome="view", route=home)

from __future__ import annotations

import warnings

import pytest

from multiserve.frameworks import Cookie, InnerAnswer, InnerRequest, InnerRoute, find_route, inspect_application
from multiserve.frameworks.reading import version_of
from multiserve.frameworks.views import place_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    config = pytest.importorskip("pyramid.config")
    session = pytest.importorskip("pyramid.session")
    static = pytest.importorskip("pyramid.static")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
CALLED = "no view and no predicate may be called"


def page(request):
    raise AssertionError(CALLED)


class Item:
    def __init__(self, request):
        raise AssertionError(CALLED)

    def save(self):
        raise AssertionError(CALLED)


class Custom:
    """A predicate of the application's own."""

    def __init__(self, *args):
        pass

    def text(self):
        return "custom"

    phash = text

    def __call__(self, *args):
        raise AssertionError(CALLED)


def at(view):
    return place_of(view)._asdict()


def make(configure=lambda builder: None):
    with config.Configurator() as builder:
        builder.add_route("item", "/items/{id}")
        builder.add_view(page, route_name="item", request_method="GET")
        builder.add_view(Item, attr="save", route_name="item", request_method=("PUT", "POST"))
        builder.add_route("list", "items/", request_method="GET")
        builder.add_view(page, route_name="list")
        builder.add_static_view("assets", "/")
        configure(builder)
        return builder.make_wsgi_app()


ITEM = InnerRoute(path="/items/{id}", methods=("GET",), name="item", **at(page))
SAVE = InnerRoute(path="/items/{id}", methods=("POST", "PUT"), name="item", **at(Item.save))
LIST = InnerRoute(path="/items/", methods=("GET",), name="list", **at(page))
ASSETS = InnerRoute(path="/assets/*subpath", name="__assets/", **at(static.static_view))


def test_a_whole_application_is_read():
    site = make()
    facts = inspect_application(site)
    assert (facts.framework, facts.version, facts.application) == ("Pyramid", version_of("pyramid"), site)
    assert facts.routes == (ITEM, SAVE, LIST, ASSETS)
    assert (facts.cookies, facts.secret, facts.logger, facts.debug) == ((), None, None, None)


def test_the_cookie_of_a_session_is_read():
    factory = session.SignedCookieSessionFactory("k", cookie_name="shop", path="/shop", domain="example.com")
    facts = inspect_application(make(lambda builder: builder.set_session_factory(factory)))
    assert facts.cookies == (Cookie("shop", "/shop", "example.com", "cookie_name", "path"),)


def test_a_session_of_another_kind_is_unknown():
    facts = inspect_application(make(lambda builder: builder.set_session_factory(lambda request: {})))
    assert facts.cookies is None


ROUTES = [
    pytest.param(InnerRequest("/items/1"), InnerAnswer(outcome="view", route=ITEM), id="a view"),
    pytest.param(InnerRequest("/items/1", "HEAD"), InnerAnswer(outcome="view", route=ITEM), id="HEAD"),
    pytest.param(InnerRequest("/items/1", "POST"), InnerAnswer(outcome="view", route=SAVE), id="a method of a class"),
    pytest.param(
        InnerRequest("/items/1", "DELETE"), InnerAnswer(outcome="not found", status=404), id="a method without a view"
    ),
    pytest.param(InnerRequest("/items/"), InnerAnswer(outcome="view", route=LIST), id="a route for one method"),
    pytest.param(InnerRequest("/items/", "POST"), InnerAnswer(outcome="not found", status=404), id="another method"),
    pytest.param(InnerRequest("/assets/a.css"), InnerAnswer(outcome="view", route=ASSETS), id="static files"),
    pytest.param(InnerRequest("/items"), InnerAnswer(outcome="not found", status=404), id="without the slash"),
    pytest.param(InnerRequest(""), InnerAnswer(outcome="not found", status=404), id="the bare prefix"),
]


@pytest.mark.parametrize(("request_", "answer"), ROUTES)
def test_the_routes_answer(request_, answer):
    assert find_route(make(), request_) == answer


def test_a_slash_is_added_where_the_application_has_it():
    site = make(lambda builder: builder.add_notfound_view(page, append_slash=True))
    expected = InnerAnswer(outcome="redirect", status=307, route=LIST, location="/shop/items/")
    assert find_route(site, InnerRequest("/items", prefix="/shop")) == expected
    assert find_route(site, InnerRequest("/nothing")) == InnerAnswer(outcome="not found", status=404)


def custom_predicate(builder):
    builder.add_route_predicate("tenant", Custom)
    builder.add_route("custom", "/custom", tenant="one")
    builder.add_view(page, route_name="custom")


def view_predicate(builder):
    builder.add_route("custom", "/custom")
    builder.add_view(page, route_name="custom", request_param="x")


def custom_view_predicate(builder):
    builder.add_view_predicate("tenant", Custom)
    builder.add_route("custom", "/custom")
    builder.add_view(page, route_name="custom", tenant="one")


def traversal(builder):
    builder.add_view(page, name="custom")


def context(builder):
    builder.add_route("custom", "/custom", factory=Custom)
    builder.add_view(page, route_name="custom")


@pytest.mark.parametrize("configure", [custom_predicate, view_predicate, custom_view_predicate, traversal, context])
def test_what_else_decides_is_not_guessed(configure):
    assert find_route(make(configure), InnerRequest("/custom")) is None

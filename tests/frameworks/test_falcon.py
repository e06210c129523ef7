from __future__ import annotations

import pytest

from multiserve.frameworks import InnerAnswer, InnerRequest, InnerRoute, find_route, inspect_application
from multiserve.frameworks.reading import version_of
from multiserve.frameworks.views import place_of

falcon = pytest.importorskip("falcon")
asgi = pytest.importorskip("falcon.asgi")
static = pytest.importorskip("falcon.routing.static")
CALLED = "no view may be called"


class Item:
    def on_get(self, req, resp, number):
        raise AssertionError(CALLED)

    def on_put(self, req, resp, number):
        raise AssertionError(CALLED)

    def on_get_list(self, req, resp):
        raise AssertionError(CALLED)


class Live:
    async def on_websocket(self, req, ws):
        raise AssertionError(CALLED)


def sink(req, resp):
    raise AssertionError(CALLED)


def at(view):
    return place_of(view)._asdict()


def make(folder):
    site = falcon.App()
    site.add_route("/items", Item(), suffix="list")
    site.add_route("/items/{number:int}", Item())
    site.add_sink(sink, r"/old/\d+")
    site.add_static_route("/files", str(folder))
    return site


LIST = InnerRoute(path="/items", methods=("GET",), **at(Item.on_get_list))
ITEM = InnerRoute(path="/items/{number:int}", methods=("GET",), **at(Item.on_get))
PUT = InnerRoute(path="/items/{number:int}", methods=("PUT",), **at(Item.on_put))
OLD = InnerRoute(path=r"/old/<\d+><rest>", **at(sink))
FILES = InnerRoute(path="/files/{path}", methods=("GET",), **at(static.StaticRoute))


OPTIONS = at(falcon.responders.create_default_options([]))


def test_a_whole_application_is_read(tmp_path):
    facts = inspect_application(make(tmp_path))
    assert (facts.framework, facts.version) == ("Falcon", version_of("falcon"))
    assert facts.routes == (LIST, ITEM, PUT, OLD, FILES)
    assert (facts.cookies, facts.secret, facts.debug) == ((), None, None)


ROUTES = [
    pytest.param(InnerRequest("/items"), InnerAnswer(outcome="view", route=LIST), id="a suffix"),
    pytest.param(InnerRequest("/items/1", "PUT"), InnerAnswer(outcome="view", route=PUT), id="a method"),
    pytest.param(
        InnerRequest("/items/1", "POST"), InnerAnswer(outcome="method not allowed", status=405, methods=("GET", "PUT")),
        id="another method",
    ),
    pytest.param(
        InnerRequest("/items", "OPTIONS"),
        InnerAnswer(outcome="view", route=InnerRoute(path="/items", methods=("OPTIONS",), **OPTIONS)),
        id="what Falcon answers itself",
    ),
    pytest.param(
        InnerRequest("/items/x"), InnerAnswer(outcome="not found", status=404),
        id="a converter that does not fit",
    ),
    pytest.param(InnerRequest("/items/"), InnerAnswer(outcome="not found", status=404), id="a slash at the end"),
    pytest.param(InnerRequest("/old/1/x", "PUT"), InnerAnswer(outcome="view", route=OLD), id="a sink"),
    pytest.param(InnerRequest("/files/a.css"), InnerAnswer(outcome="view", route=FILES), id="static files"),
    pytest.param(InnerRequest(""), InnerAnswer(outcome="not found", status=404), id="the bare prefix"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "answer"), ROUTES)
def test_the_router_answers(tmp_path, request_, answer):
    assert find_route(make(tmp_path), request_) == answer


def test_a_slash_at_the_end_is_taken_away_where_the_application_has_it(tmp_path):
    site = make(tmp_path)
    site.req_options.strip_url_path_trailing_slash = True
    assert find_route(site, InnerRequest("/items/")) == InnerAnswer(outcome="view", route=LIST)


def test_falcon_over_asgi_has_websockets():
    site = asgi.App()
    site.add_route("/live", Live())
    route = InnerRoute(path="/live", methods=("WEBSOCKET",), **at(Live.on_websocket))
    assert inspect_application(site).routes == (route,)
    assert find_route(site, InnerRequest("/live", "WEBSOCKET")) == InnerAnswer(outcome="view", route=route)


def test_falcon_over_asgi_keeps_the_prefix_in_its_paths():
    site = asgi.App()
    site.add_route("/shop/live", Live())
    route = InnerRoute(path="/shop/live", methods=("WEBSOCKET",), **at(Live.on_websocket))
    assert inspect_application(site).takes_whole_path
    assert not inspect_application(falcon.App()).takes_whole_path
    assert find_route(site, InnerRequest("/live", "WEBSOCKET", prefix="/shop")) == InnerAnswer(
        outcome="view", route=route
    )
    assert find_route(site, InnerRequest("/shop/live", prefix="/shop")) == InnerAnswer(outcome="not found", status=404)

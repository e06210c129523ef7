from __future__ import annotations

import pytest

from multiserve.frameworks import InnerAnswer, InnerRequest, InnerRoute, find_route, inspect_application
from multiserve.frameworks.reading import version_of
from multiserve.frameworks.views import place_of

bottle = pytest.importorskip("bottle")
CALLED = "no view may be called"


def page(name=""):
    raise AssertionError(CALLED)


def closed(environ, start_response):
    raise AssertionError(CALLED)


def at(view):
    return place_of(view)._asdict()


def make():
    merged, mounted, site = bottle.Bottle(), bottle.Bottle(), bottle.Bottle()
    merged.route("/one", callback=page)
    mounted.route("/two/", callback=page)
    site.route("/page/<name>", ["GET", "POST"], page, name="page")
    site.route("/any", "ANY", page)
    site.mount("/merged/", merged)
    site.mount("/mounted/", closed)
    site.mount("/inside/", mounted.wsgi)  # as any WSGI application, not merged as a Bottle is
    return site


PAGE = InnerRoute(path="/page/<name>", methods=("GET",), name="page", **at(page))
POST = InnerRoute(path="/page/<name>", methods=("POST",), name="page", **at(page))
ANY = InnerRoute(path="/any", **at(page))
ONE = InnerRoute(path="/merged/one", methods=("GET",), **at(page))
CLOSED = InnerRoute(path="/mounted/<path>", **at(closed))
TWO = InnerRoute(path="/inside/two/", methods=("GET",), **at(page))


def test_a_whole_application_is_read():
    facts = inspect_application(make())
    assert (facts.framework, facts.version) == ("Bottle", version_of("bottle"))
    assert facts.routes == (PAGE, POST, ANY, ONE, CLOSED, TWO)
    assert (facts.cookies, facts.secret, facts.debug) == ((), None, False)


ROUTES = [
    pytest.param(InnerRequest("/page/x"), InnerAnswer(outcome="view", route=PAGE), id="a view"),
    pytest.param(InnerRequest("/page/x", "HEAD"), InnerAnswer(outcome="view", route=PAGE), id="HEAD"),
    pytest.param(InnerRequest("/page/x", "POST"), InnerAnswer(outcome="view", route=POST), id="another method of it"),
    pytest.param(
        InnerRequest("/page/x", "PUT"), InnerAnswer(outcome="method not allowed", status=405, methods=("GET", "POST")),
        id="a method that is not allowed",
    ),
    pytest.param(InnerRequest("/any", "PUT"), InnerAnswer(outcome="view", route=ANY), id="any method"),
    pytest.param(InnerRequest("/merged/one"), InnerAnswer(outcome="view", route=ONE), id="one that is merged"),
    pytest.param(
        InnerRequest("/mounted/x"), InnerAnswer(outcome="view", route=CLOSED),
        id="inside an unknown application",
    ),
    pytest.param(InnerRequest("/inside/two/"), InnerAnswer(outcome="view", route=TWO), id="one that is mounted"),
    pytest.param(InnerRequest("/inside/two"), InnerAnswer(outcome="not found", status=404), id="without its slash"),
    pytest.param(InnerRequest(""), InnerAnswer(outcome="not found", status=404), id="the bare prefix"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "answer"), ROUTES)
def test_the_router_answers(request_, answer):
    assert find_route(make(), request_) == answer

from __future__ import annotations

import types
from dataclasses import replace

import pytest

from multiserve.frameworks import InnerAnswer, InnerRequest, InnerRoute, find_route, inspect_application
from multiserve.frameworks.views import place_of

i18n = pytest.importorskip("django.conf.urls.i18n")
urls = pytest.importorskip("django.urls")
csrf_exempt = pytest.importorskip("django.views.decorators.csrf").csrf_exempt
http = pytest.importorskip("django.views.decorators.http")
CALLED = "no view may be called"


def save(request):
    raise AssertionError(CALLED)


saved = csrf_exempt(http.require_http_methods(["GET", "POST"])(save))


@pytest.fixture
def site(django_site):
    """Give the patterns of the site with those of a shop included, and the routes that they are."""
    page = django_site.page
    shop = [urls.path("save/", saved, name="save"), urls.re_path(r"^(?P<year>[0-9]{4})/$", page)]
    routes = {
        **django_site.routes,
        "save": InnerRoute(path="/shop/save/", methods=("GET", "POST"), name="shop:save", **place_of(save)._asdict()),
        "year": InnerRoute(path="/shop/<year>/", **place_of(page)._asdict()),
    }

    def patterns():
        return [*django_site.patterns(), urls.path("shop/", urls.include((shop, "shop")))]

    return types.SimpleNamespace(patterns=patterns, routes=routes)


def test_the_patterns_are_routes(configure, site):
    facts = inspect_application(configure(site.patterns))
    assert facts.routes == tuple(site.routes.values())


def test_it_is_read_why_routes_cannot_be_imported(configure, site):
    facts = inspect_application(configure(site.patterns, ROOT_URLCONF="no_such_module"))
    assert facts.routes_error.startswith("ModuleNotFoundError: No module named 'no_such_module' (")


def test_patterns_that_include_themselves_make_the_routes_unknown(configure):
    endless = []
    endless.append(urls.path("again/", urls.include(endless)))
    assert inspect_application(configure(lambda: endless)).routes is None


def test_the_language_is_a_placeholder(configure, django_site):
    page = django_site.page
    facts = inspect_application(configure(lambda: i18n.i18n_patterns(urls.path("page/", page, name="page"))))
    route = InnerRoute(path="/<language>/page/", name="page", **place_of(page)._asdict())
    assert facts.routes == (route,)


VIEW = InnerAnswer(outcome="view")
ROUTES = [
    pytest.param(InnerRequest("/"), VIEW, "home", id="a view"),
    pytest.param(InnerRequest("/item/1/", "PUT"), VIEW, "item", id="a class-based view"),
    pytest.param(
        InnerRequest("/item/1/", "POST"),
        InnerAnswer(outcome="method not allowed", status=405, methods=("GET", "PUT")), "item", id="another method",
    ),
    pytest.param(
        InnerRequest("/shop/save/", "PUT"),
        InnerAnswer(outcome="method not allowed", status=405, methods=("GET", "POST")), "save",
        id="another method of a decorated view",
    ),
    pytest.param(InnerRequest("/shop/2024/"), VIEW, "year", id="an expression"),
    pytest.param(
        InnerRequest("/item/x/"), InnerAnswer(outcome="not found", status=404), "", id="a converter that does not fit",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "answer", "route"), ROUTES)
def test_the_resolver_answers(configure, site, request_, answer, route):
    assert find_route(configure(site.patterns), request_) == replace(answer, route=site.routes.get(route))

from __future__ import annotations

import pytest

from multiserve.frameworks import InnerAnswer, InnerRequest, InnerRoute, find_route, inspect_application
from multiserve.frameworks.views import place_of

i18n = pytest.importorskip("django.conf.urls.i18n")
urls = pytest.importorskip("django.urls")
csrf_exempt = pytest.importorskip("django.views.decorators.csrf").csrf_exempt
http = pytest.importorskip("django.views.decorators.http")
View = pytest.importorskip("django.views").View
CALLED = "no view may be called"


def page(request, **kwargs):
    raise AssertionError(CALLED)


class Item(View):
    def get(self, request):
        raise AssertionError(CALLED)

    def put(self, request):
        raise AssertionError(CALLED)


def save(request):
    raise AssertionError(CALLED)


def bare(request):
    raise AssertionError(CALLED)


saved = csrf_exempt(http.require_http_methods(["GET", "POST"])(save))


def at(view):
    return place_of(view)._asdict()


def patterns():
    shop = [urls.path("save/", saved, name="save"), urls.re_path(r"^(?P<year>[0-9]{4})/$", page)]
    return [
        urls.path("", page, name="home"),
        urls.path("item/<int:number>/", Item.as_view(), name="item"),
        urls.path("bare/", bare),
        urls.path("shop/", urls.include((shop, "shop"))),
    ]


HOME = InnerRoute(path="/", name="home", **at(page))
ITEM = InnerRoute(path="/item/<int:number>/", methods=("GET", "PUT"), name="item", **at(Item))
BARE = InnerRoute(path="/bare/", **at(bare))
SAVE = InnerRoute(path="/shop/save/", methods=("GET", "POST"), name="shop:save", **at(save))
YEAR = InnerRoute(path="/shop/<year>/", **at(page))


def test_the_patterns_are_routes(configure):
    facts = inspect_application(configure(patterns))
    assert facts.routes == (HOME, ITEM, BARE, SAVE, YEAR)


def test_it_is_read_why_routes_cannot_be_imported(configure):
    facts = inspect_application(configure(patterns, ROOT_URLCONF="no_such_module"))
    assert facts.routes_error.startswith("ModuleNotFoundError: No module named 'no_such_module' (")


def test_patterns_that_include_themselves_make_the_routes_unknown(configure):
    endless = []
    endless.append(urls.path("again/", urls.include(endless)))
    assert inspect_application(configure(lambda: endless)).routes is None


def test_the_language_is_a_placeholder(configure):
    site = configure(lambda: i18n.i18n_patterns(urls.path("page/", page, name="page")))
    assert inspect_application(site).routes == (InnerRoute(path="/<language>/page/", name="page", **at(page)),)


NOT_FOUND = InnerAnswer(outcome="not found", status=404)
ROUTES = [
    pytest.param(InnerRequest("/"), InnerAnswer(outcome="view", route=HOME), id="a view"),
    pytest.param(InnerRequest("/item/1/", "PUT"), InnerAnswer(outcome="view", route=ITEM), id="a class-based view"),
    pytest.param(
        InnerRequest("/item/1/", "POST"),
        InnerAnswer(outcome="method not allowed", status=405, route=ITEM, methods=("GET", "PUT")), id="another method",
    ),
    pytest.param(
        InnerRequest("/shop/save/", "PUT"),
        InnerAnswer(outcome="method not allowed", status=405, route=SAVE, methods=("GET", "POST")),
        id="another method of a decorated view",
    ),
    pytest.param(InnerRequest("/shop/2024/"), InnerAnswer(outcome="view", route=YEAR), id="an expression"),
    pytest.param(InnerRequest("/item/x/"), NOT_FOUND, id="a converter that does not fit"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "answer"), ROUTES)
def test_the_resolver_answers(configure, request_, answer):
    assert find_route(configure(patterns), request_) == answer

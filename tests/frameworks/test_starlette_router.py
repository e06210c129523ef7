from __future__ import annotations

import pytest

from multiserve.frameworks import InnerAnswer, InnerRequest, InnerRoute, Setting, find_route, inspect_application
from multiserve.frameworks.reading import version_of
from multiserve.frameworks.views import place_of

fastapi = pytest.importorskip("fastapi")
starlette = pytest.importorskip("starlette.applications")
routing = pytest.importorskip("starlette.routing")
CALLED = "no view may be called"


async def page(request):
    raise AssertionError(CALLED)


class Logging:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        raise AssertionError(CALLED)


async def live(websocket):
    raise AssertionError(CALLED)


def item(item: int):
    raise AssertionError(CALLED)


async def closed(scope, receive, send):
    raise AssertionError(CALLED)


def at(view):
    return place_of(view)._asdict()


def make_site():
    inner = starlette.Starlette(routes=[routing.Route("/deep/", page, name="deep")])
    return starlette.Starlette(
        routes=[
            routing.Route("/page/{number:int}", page, methods=["GET", "POST"]),
            routing.WebSocketRoute("/live", live),
            routing.Mount("/inner", Logging(inner), name="inner"),
            routing.Mount("/closed", closed),
            routing.Host("api.example.com", starlette.Starlette(routes=[routing.Route("/v1", page)]), name="api"),
        ]
    )


PAGE = InnerRoute(path="/page/{number:int}", methods=("GET", "POST"), name="page", **at(page))
LIVE = InnerRoute(path="/live", methods=("WEBSOCKET",), name="live", **at(live))
DEEP = InnerRoute(path="/inner/deep/", methods=("GET",), name="deep", **at(page))
CLOSED = InnerRoute(path="/closed/{path}", **at(closed))
V1 = InnerRoute(path="/v1", methods=("GET",), name="page", host="api.example.com", **at(page))


def test_the_routes_are_those_of_all_applications_inside():
    facts = inspect_application(make_site())
    assert facts.routes == (PAGE, LIVE, DEEP, CLOSED, V1)


ROUTES = [
    pytest.param(InnerRequest("/page/1"), InnerAnswer(outcome="view", route=PAGE), id="a view"),
    pytest.param(InnerRequest("/page/1", prefix="/shop"), InnerAnswer(outcome="view", route=PAGE), id="under a prefix"),
    pytest.param(
        InnerRequest("/page/x"), InnerAnswer(outcome="not found", status=404),
        id="a converter that does not fit",
    ),
    pytest.param(
        InnerRequest("/page/1", "PUT"),
        InnerAnswer(outcome="method not allowed", status=405, route=PAGE, methods=("GET", "POST")), id="another method",
    ),
    pytest.param(
        InnerRequest("/page/1/", prefix="/shop", host="example.com:8000", scheme="https"),
        InnerAnswer(outcome="redirect", status=307, route=PAGE, location="https://example.com:8000/shop/page/1"),
        id="a slash is taken away",
    ),
    pytest.param(InnerRequest("/live", "WEBSOCKET"), InnerAnswer(outcome="view", route=LIVE), id="a WebSocket"),
    pytest.param(InnerRequest("/live"), InnerAnswer(outcome="not found", status=404), id="HTTP where a WebSocket is"),
    pytest.param(InnerRequest("/inner/deep/"), InnerAnswer(outcome="view", route=DEEP), id="an application inside"),
    pytest.param(
        InnerRequest("/inner/deep", prefix="/shop"),
        InnerAnswer(outcome="redirect", status=307, route=DEEP, location="http://localhost/shop/inner/deep/"),
        id="a slash is added inside",
    ),
    pytest.param(InnerRequest("/inner/x"), InnerAnswer(outcome="not found", status=404), id="nothing inside"),
    pytest.param(
        InnerRequest("/closed/x"), InnerAnswer(outcome="view", route=CLOSED),
        id="inside an unknown application",
    ),
    pytest.param(InnerRequest("/v1", host="api.example.com:80"), InnerAnswer(outcome="view", route=V1), id="a host"),
    pytest.param(
        InnerRequest("/v1", host="example.com"), InnerAnswer(outcome="not found", status=404),
        id="another host",
    ),
    pytest.param(InnerRequest(""), InnerAnswer(outcome="not found", status=404), id="the bare prefix"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "answer"), ROUTES)
def test_the_routes_answer(request_, answer):
    assert find_route(make_site(), request_) == answer


def test_an_application_inside_itself_ends():
    site = starlette.Starlette(routes=[routing.Route("/page", page)])
    site.router.routes.append(routing.Mount("/again", site))
    again = InnerRoute(path="/again/{path}", **at(starlette.Starlette))
    assert inspect_application(site).routes == (
        InnerRoute(path="/page", methods=("GET",), name="page", **at(page)),
        again,
    )
    assert find_route(site, InnerRequest("/again" * 7 + "/page")).route.path == "/again" * 7 + "/page"
    assert find_route(site, InnerRequest("/again" * 8 + "/page")).route.path == "/again" * 8 + "/{path}"


def make_api(root_path=""):
    deep = fastapi.APIRouter(prefix="/deep")
    deep.add_api_route("/one/", page, methods=["POST"], name="deep-one")
    items = fastapi.APIRouter(prefix="/items")
    items.add_api_route("/{item}", item)
    items.add_api_websocket_route("/live", live)
    items.include_router(deep)
    api = fastapi.FastAPI(root_path=root_path, openapi_url=None)
    api.include_router(items, prefix="/v1")
    return api


ITEM = InnerRoute(path="/v1/items/{item}", methods=("GET",), name="item", **at(item))
ITEMS_LIVE = InnerRoute(path="/v1/items/live", methods=("WEBSOCKET",), name="live", **at(live))
ONE = InnerRoute(path="/v1/items/deep/one/", methods=("POST",), name="deep-one", **at(page))


@pytest.mark.filterwarnings("ignore:The `root_path` parameter is deprecated")
def test_fastapi_is_read_with_its_included_routers():
    facts = inspect_application(make_api("/api"))
    assert (facts.framework, facts.version) == ("FastAPI", version_of("fastapi"))
    assert (facts.routes, facts.own_prefix) == ((ITEM, ITEMS_LIVE, ONE), (Setting("root_path", "/api"),))


API_ROUTES = [
    pytest.param("", InnerRequest("/v1/items/1"), InnerAnswer(outcome="view", route=ITEM), id="an included router"),
    pytest.param(
        "", InnerRequest("/v1/items/1", "PUT"),
        InnerAnswer(outcome="method not allowed", status=405, route=ITEM, methods=("GET",)), id="another method",
    ),
    pytest.param(
        "", InnerRequest("/v1/items/deep/one/", "POST", prefix="/api"), InnerAnswer(outcome="view", route=ONE),
        id="a router in a router",
    ),
    pytest.param(
        "", InnerRequest("/v1/items/deep/one", "POST", prefix="/api"),
        InnerAnswer(outcome="redirect", status=307, route=ONE, location="http://localhost/api/v1/items/deep/one/"),
        id="a slash is added",
    ),
    pytest.param(
        "", InnerRequest("/v1/items/live", "WEBSOCKET"), InnerAnswer(outcome="view", route=ITEMS_LIVE),
        id="live",
    ),
    pytest.param(
        "/api", InnerRequest("/v1/items/1", prefix="/api"), InnerAnswer(outcome="view", route=ITEM),
        id="a prefix that fits",
    ),
    pytest.param(
        "/other", InnerRequest("/v1/items/1", prefix="/api"), InnerAnswer(outcome="not found", status=404),
        id="a prefix of its own that does not fit",
    ),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:The `root_path` parameter is deprecated")
@pytest.mark.parametrize(("root_path", "request_", "answer"), API_ROUTES)
def test_the_routes_of_fastapi_answer(root_path, request_, answer):
    assert find_route(make_api(root_path), request_) == answer


def test_the_frontends_of_fastapi_come_last_and_the_deepest_wins(tmp_path):
    api = make_api()
    if not hasattr(api, "frontend"):
        pytest.skip("this FastAPI has no frontends")
    api.frontend("/", directory=tmp_path)
    api.frontend("/app", directory=tmp_path)
    assert [route.path for route in inspect_application(api).routes[-2:]] == ["/{path}", "/app/{path}"]
    assert find_route(api, InnerRequest("/app/x")).route.path == "/app/{path}"
    assert find_route(api, InnerRequest("/x")).route.path == "/{path}"
    assert find_route(api, InnerRequest("/v1/items/1")).route == ITEM

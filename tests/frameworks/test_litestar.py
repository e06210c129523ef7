from __future__ import annotations

import pytest

from multiserve.frameworks import (
    AllowedHosts,
    Cookie,
    InnerAnswer,
    InnerRequest,
    InnerRoute,
    find_route,
    inspect_application,
)
from multiserve.frameworks.reading import version_of
from multiserve.frameworks.views import place_of

litestar = pytest.importorskip("litestar")
sessions = pytest.importorskip("litestar.middleware.session.server_side")
starlette = pytest.importorskip("starlette.applications")
routing = pytest.importorskip("starlette.routing")
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated inferred style")  # what it tells has no older spelling
CALLED = "no view may be called"


async def home() -> str:
    raise AssertionError(CALLED)


async def item(number: int) -> str:
    raise AssertionError(CALLED)


async def live(socket: litestar.WebSocket) -> None:
    raise AssertionError(CALLED)


async def mounted(scope: litestar.types.Scope, receive: litestar.types.Receive, send: litestar.types.Send) -> None:
    raise AssertionError(CALLED)


class Items(litestar.Controller):
    path = "/items"

    @litestar.put("/{name:str}")
    async def save(self, name: str) -> str:
        raise AssertionError(CALLED)


def at(view):
    return place_of(view)._asdict()


def make(**options):
    handlers = [
        litestar.get(["/", "/home"], name="home")(home),
        litestar.post("/number/{number:int}")(item),
        litestar.websocket("/live")(live),
        litestar.asgi("/mounted", is_mount=True, copy_scope=True)(mounted),
        Items,
    ]
    return litestar.Litestar(handlers, openapi_config=None, **options)


ROOT = InnerRoute(path="/", methods=("GET",), name="home", **at(home))
HOME = InnerRoute(path="/home", methods=("GET",), name="home", **at(home))
SAVE = InnerRoute(path="/items/{name:str}", methods=("PUT",), **at(Items.save.fn))
LIVE = InnerRoute(path="/live", methods=("WEBSOCKET",), **at(live))
MOUNTED = InnerRoute(path="/mounted/{path}", **at(mounted))
NUMBER = InnerRoute(path="/number/{number:int}", methods=("POST",), **at(item))


def test_a_whole_application_is_read():
    facts = inspect_application(make())
    assert (facts.framework, facts.version) == ("Litestar", version_of("litestar"))
    assert facts.routes == (ROOT, HOME, SAVE, LIVE, MOUNTED, NUMBER)
    assert (facts.cookies, facts.secret, facts.debug, facts.hosts) == ((), None, False, None)


def test_the_settings_are_read():
    session = sessions.ServerSideSessionConfig(key="shop", path="/shop").middleware
    facts = inspect_application(make(debug=True, middleware=[session], allowed_hosts=["example.com"]))
    assert facts.cookies == (Cookie("shop", "/shop", "", "key", "path"),)
    assert (facts.debug, facts.hosts) == (True, AllowedHosts("allowed_hosts", ("example.com",)))


ROUTES = [
    pytest.param(InnerRequest("/"), InnerAnswer(outcome="view", route=ROOT), id="one of two paths"),
    pytest.param(
        InnerRequest("/home/"), InnerAnswer(outcome="view", route=HOME), id="a slash at the end, which is ignored"
    ),
    pytest.param(InnerRequest("/number/1", "POST"), InnerAnswer(outcome="view", route=NUMBER), id="a parameter"),
    pytest.param(
        InnerRequest("/number/1"),
        InnerAnswer(outcome="method not allowed", status=405, methods=("POST",)),
        id="another method",
    ),
    pytest.param(
        InnerRequest("/number/x", "POST"), InnerAnswer(outcome="not found", status=404), id="one that does not fit"
    ),
    pytest.param(InnerRequest("/items/x", "PUT"), InnerAnswer(outcome="view", route=SAVE), id="a controller"),
    pytest.param(InnerRequest("/live", "WEBSOCKET"), InnerAnswer(outcome="view", route=LIVE), id="a WebSocket"),
    pytest.param(InnerRequest("/mounted/x/y"), InnerAnswer(outcome="view", route=MOUNTED), id="inside a mount"),
    pytest.param(InnerRequest("/nothing"), InnerAnswer(outcome="not found", status=404), id="nothing"),
]


@pytest.mark.parametrize(("request_", "answer"), ROUTES)
def test_the_router_answers(request_, answer):
    assert find_route(make(), request_) == answer


HOSTS = [
    pytest.param("example.com", InnerAnswer(outcome="view", route=ROOT), id="allowed"),
    pytest.param("other.com", InnerAnswer(outcome="host refused", status=400), id="refused"),
    pytest.param("example.com:8000", None, id="with a port, which is refused by some versions"),
    pytest.param("example.org", None, id="without www, which may be redirected"),
]


@pytest.mark.parametrize(("host", "answer"), HOSTS)
def test_the_host_is_looked_at(host, answer):
    site = make(allowed_hosts=["example.com", "www.example.org"])
    assert find_route(site, InnerRequest("/", host=host)) == answer

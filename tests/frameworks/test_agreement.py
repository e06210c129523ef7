"""What multiserve says about a request is what the application does: each is asked, and then really called."""

from __future__ import annotations

import asyncio
import io
import warnings
from urllib.parse import urlsplit

import pytest

from multiserve.frameworks import InnerRequest, find_route

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning", "ignore:.*deprecated inferred style"
)


def make_flask():
    flask = pytest.importorskip("flask")
    site = flask.Flask("site")
    site.config["TRUSTED_HOSTS"] = ["localhost", "example.com"]
    site.add_url_rule("/page/", "page", lambda: "page")
    site.add_url_rule("/item/<int:number>", "item", lambda number: "item", methods=["GET", "PUT"])
    return site


def make_pyramid():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = pytest.importorskip("pyramid.config")
        response = pytest.importorskip("pyramid.response")
        exceptions = pytest.importorskip("pyramid.httpexceptions")
    with config.Configurator() as builder:
        builder.add_notfound_view(lambda request: exceptions.HTTPNotFound(), append_slash=True)
        builder.add_route("page", "/page/")
        builder.add_view(lambda request: response.Response("page"), route_name="page", request_method="GET")
        builder.add_route("item", r"/item/{number:\d+}")
        builder.add_view(lambda request: response.Response("item"), route_name="item", request_method=("GET", "PUT"))
        return builder.make_wsgi_app()


def make_bottle():
    bottle = pytest.importorskip("bottle")
    site = bottle.Bottle()
    site.route("/page/", callback=lambda: "page")
    site.route("/item/<number:int>", ["GET", "PUT"], lambda number: "item")
    return site


class Resource:
    def on_get(self, req, resp, number=0):
        resp.text = "resource"

    on_put = on_get


class AsyncResource:
    async def on_get(self, req, resp, number=0):
        resp.text = "resource"


def make_falcon():
    site = pytest.importorskip("falcon").App()
    site.add_route("/page/", Resource())
    site.add_route("/item/{number:int}", Resource())
    return site


def make_falcon_asgi():
    site = pytest.importorskip("falcon.asgi").App()
    site.add_route("/page/", AsyncResource())
    site.add_route("/item/{number:int}", AsyncResource())
    return site


def make_quart():
    async def answer(number=0):
        return "answer"

    site = pytest.importorskip("quart").Quart("site")
    site.add_url_rule("/page/", "page", answer)
    site.add_url_rule("/item/<int:number>", "item", answer, methods=["GET", "PUT"])
    return site


def make_starlette():
    routing = pytest.importorskip("starlette.routing")
    text = pytest.importorskip("starlette.responses").PlainTextResponse

    async def answer(request):
        return text("answer")

    item = routing.Route("/{number:int}", answer, methods=["GET", "PUT"])
    routes = [routing.Route("/page/", answer), routing.Mount("/item", routes=[item])]
    return pytest.importorskip("starlette.applications").Starlette(routes=routes)


def make_fastapi(**options):
    fastapi = pytest.importorskip("fastapi")
    router = fastapi.APIRouter(prefix="/item")
    router.add_api_route("/{number:int}", lambda number: "item", methods=["GET", "PUT"])
    api = fastapi.FastAPI(**options)
    api.add_api_route("/page/", lambda: "page")
    api.include_router(router)
    return api


def make_litestar():
    litestar = pytest.importorskip("litestar")

    async def page() -> str:
        return "page"

    async def item(number: int) -> str:
        return "item"

    methods = ["GET", "PUT"]
    handlers = [litestar.get("/page/")(page), litestar.route("/item/{number:int}", http_method=methods)(item)]
    return litestar.Litestar(handlers)


WSGI = [make_flask, make_pyramid, make_bottle, make_falcon]
ASGI = [
    make_falcon_asgi,
    make_quart,
    make_starlette,
    make_fastapi,
    make_litestar,
    lambda: make_fastapi(root_path="/shop"),
    lambda: make_fastapi(root_path="/other"),
]
NAMES = ["falcon", "quart", "starlette", "fastapi", "litestar", "fastapi at /shop", "fastapi at /other"]
REQUESTS = [
    InnerRequest(path, method, host, prefix)
    for path in ("", "/page/", "/page", "/item/1", "/item/1/", "/item/x", "/nothing", "/docs")
    for method in ("GET", "PUT", "DELETE")
    for host, prefix in (("localhost", ""), ("example.com:8000", "/shop"), ("other.com", ""))
    if path or prefix
]


def call_wsgi(application, request):
    answered = []
    environ = {
        "REQUEST_METHOD": request.method, "SCRIPT_NAME": request.prefix, "PATH_INFO": request.path,
        "QUERY_STRING": "", "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": request.host, "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(), "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip
    body = application(environ, lambda status, headers, exc_info=None: answered.append((status, headers)))
    if hasattr(body, "close"):
        body.close()
    status, headers = answered[-1]
    return int(status[:3]), {name.lower(): value for name, value in headers}.get("location", "")


def call_asgi(application, request):
    answered, finished = [], asyncio.Event()
    received = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        if received:
            return received.pop()
        await finished.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        answered.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            finished.set()

    path = request.prefix + request.path
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": request.prefix,
        "headers": [(b"host", request.host.encode())], "client": ("127.0.0.1", 1), "server": ("localhost", 80),
    }  # fmt: skip
    asyncio.run(application(scope, receive, send))
    headers = dict(answered[0]["headers"])
    return answered[0]["status"], headers.get(b"location", b"").decode()


def disagreements(application, call):
    for request in REQUESTS:
        answer = find_route(application, request)
        status, location = call(application, request)
        told = (answer.status or 200, urlsplit(answer.location).path)
        if told != (status, urlsplit(location).path):
            yield request, told, status, location


@pytest.mark.parametrize("make", WSGI, ids=[make.__name__.removeprefix("make_") for make in WSGI])
def test_a_wsgi_application_does_what_is_said(make):
    assert list(disagreements(make(), call_wsgi)) == []


@pytest.mark.parametrize("make", ASGI, ids=NAMES)
def test_an_asgi_application_does_what_is_said(make):
    assert list(disagreements(make(), call_asgi)) == []

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from multiserve.cli import main
from multiserve.probing import ProbeResult, asgi_client

fastapi = pytest.importorskip("fastapi")
flask = pytest.importorskip("flask")
pyramid = pytest.importorskip("pyramid.config")
responses = pytest.importorskip("pyramid.response")

# That of groups is not probed in one process; tests/end_to_end/test_isolated.py does.
EXAMPLES = [
    path
    for path in sorted(Path(__file__).parents[2].glob("examples/*/multiserve.toml"))
    if path.parent.name != "isolated"
]

pytestmark = pytest.mark.usefixtures("clean_process")


def flask_app(status, *, routes=(), headers=()):
    """Make a Flask application whose root answers with a status, and that has other routes beside it."""
    app = flask.Flask("probed", static_folder=None)
    app.add_url_rule("/", "root", lambda: ("", status, list(headers)))
    for number, route in enumerate(routes):
        app.add_url_rule(route, f"route{number}", lambda: "found")
    return app


def hello(environ, start_response):
    """Answer everything, and let nobody see inside."""
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"hello"]


def test_redirects_within_the_mount_are_followed_three_times(probed) -> None:
    app = flask.Flask("probed", static_folder=None)
    app.add_url_rule("/", "root", lambda: flask.redirect(flask.url_for("page", number=1)))
    app.add_url_rule("/<int:number>", "page", lambda number: flask.redirect(flask.url_for("page", number=number + 1)))
    results = probed({"/": flask_app(302, headers=[("Location", "/admin/")]), "/admin": app})
    assert [result.url.partition("8000")[2] for result in results["/"]] == ["/"]
    assert [result.url.partition("8000")[2] for result in results["/admin"]] == [
        "/admin/",
        "/admin/1",
        "/admin/2",
        "/admin/3",
    ]


def raises(environ, start_response):
    raise LookupError("nothing here")


def exits(environ, start_response):
    raise SystemExit(3)


def yields_text(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html")])
    return ["text"]


def has_no_type(environ, start_response):
    start_response("302 Found", [("Location", "/elsewhere")])
    return [b"elsewhere"]


def is_empty(environ, start_response):
    start_response("302 Found", [("Location", "/elsewhere")])
    return []


def has_no_content(environ, start_response):
    start_response("204 No Content", [("Content-Type", "text/html")])
    return []


def has_no_reason(environ, start_response):
    start_response("200", [("Content-Type", "text/html")])
    return [b""]


def writes_text(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html")])("text")
    return []


def never_starts(environ, start_response):
    return [b"body"]


WSGI = [
    # the application, the status, the end of the error, the beginnings of the violations, the codes of what leaves
    pytest.param(hello, 200, "", [], [], id="right"),
    pytest.param(raises, None, "in raises)", [], [], id="raises"),
    pytest.param(exits, None, "in exits)", [], [], id="exits"),
    pytest.param(
        yields_text, 200, "a response consists of bytes, not of str",
        ["Iterator yielded non-bytestring ('text')"], [], id="text in place of bytes",
    ),
    pytest.param(
        writes_text, 200, "a response consists of bytes, not of str",
        ["wsgiref.validate finds that this is not so: assert_(type(s) is bytes)"], [], id="writes text",
    ),
    pytest.param(has_no_type, 302, "", ["No Content-Type header found"], ["MS201"], id="no content type"),
    pytest.param(is_empty, 302, "", [], ["MS201"], id="no content type, and no content"),
    pytest.param(has_no_content, 204, "", [], [], id="a content type without content, as Flask has it"),
    pytest.param(has_no_reason, 200, "", ["The status string ('200') should be"], [], id="no reason"),
    pytest.param(
        never_starts, None, "the application did not call start_response",
        ["The application returns and we started iterating over its body"], [], id="no start_response",
    ),
]  # fmt: skip


def objections_to(result: ProbeResult) -> list[str]:
    return [finding.message for finding in result.findings if finding.code == "MS206"]


@pytest.mark.parametrize("beside", [pytest.param({}, id="wsgi"), pytest.param({"/api": "asgi"}, id="bridged")])
@pytest.mark.parametrize(("app", "status", "error", "violations", "escapes"), WSGI)
def test_wsgi_applications_are_held_to_their_specification(
    probed, app, status, error, violations, escapes, beside
) -> None:
    results = probed({"/app": app, "/other": hello, **{key: fastapi.FastAPI() for key in beside}})
    (result,) = results["/app"]
    if not beside:  # the bridge sends the status with the body
        assert result.status == status
    assert result.error.endswith(error)
    assert bool(result.error) == bool(error)
    objections = objections_to(result)
    assert [each[: len(start)] for each, start in zip(objections, violations, strict=True)] == violations
    codes = [*(["MS207"] if error else []), *(["MS206"] * len(violations)), *escapes]
    assert [each.code for each in result.findings] == codes
    assert results["/other"][0].status == 200


def test_the_error_has_the_last_frame(probed) -> None:
    (result,) = probed({"/app": raises})["/app"]
    line = raises.__code__.co_firstlineno + 1
    assert result.error == f"LookupError: nothing here ({raises.__code__.co_filename}:{line}, in raises)"


async def asgi_exits(scope, receive, send):
    if scope["type"] == "http":
        raise SystemExit(3)


async def body_first(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.body", "body": b"x"})


def fastapi_app(page, **lifespan):
    app = fastapi.FastAPI(**lifespan)

    @app.get("/")
    def root(request: fastapi.Request):
        html = page.replace("STATE", getattr(request.state, "name", ""))
        return fastapi.responses.HTMLResponse(html)

    @app.get("/login")
    def login():
        return {}

    return app


def test_asgi_applications_are_held_to_their_specification(probed) -> None:
    results = probed({"/exits": asgi_exits, "/first": body_first, "/fine": fastapi_app("page")})
    assert (results["/exits"][0].status, results["/exits"][0].error.partition(" (")[0]) == (None, "SystemExit: 3")
    assert objections_to(results["/first"][0]) == [
        "it sent http.response.body before http.response.start",
        "it returned without http.response.start",
    ]
    assert (results["/fine"][0].status, results["/fine"][0].findings) == (200, ())


def test_lifespans_run_meanwhile_and_their_failures_are_told(probed) -> None:
    import contextlib

    log = []

    @contextlib.asynccontextmanager
    async def lifespan(app):
        log.append("start")
        yield {"name": "up"}
        log.append("stop")

    @contextlib.asynccontextmanager
    async def fails(app):
        raise LookupError("no database")
        yield

    results = probed(
        {
            "/good": fastapi_app('<form action="/login"><img src="/STATE.png">', lifespan=lifespan),
            "/bad": fastapi_app("", lifespan=fails),
        }
    )
    assert [each.message for each in results["/good"][0].findings] == [
        'the form "/login" leaves /good, and nothing answers there; /good/login exists',
        'the image "/up.png" leaves /good, and nothing answers there',
    ]
    assert log == ["start", "stop"]
    bad = results["/bad"][0]
    assert (bad.status, bad.error) == (503, "its start-up failed: LookupError: no database")


def test_pyramid_is_read_like_the_others(probed) -> None:
    def make(page):
        with pyramid.Configurator() as configurator:
            configurator.add_route("home", "/")
            configurator.add_view(lambda request: responses.Response(page(request)), route_name="home")
            configurator.add_route("login", "/login")
            configurator.add_view(lambda request: responses.Response("login"), route_name="login")
            return configurator.make_wsgi_app()

    results = probed(
        {
            "/right": make(lambda request: f'<form action="{request.route_path("login")}">'),
            "/wrong": make(lambda request: '<form action="/login">'),
        }
    )
    assert results["/right"][0].findings == ()
    assert [each.message for each in results["/wrong"][0].findings] == [
        'the form "/login" leaves /wrong, and nothing answers there; /wrong/login exists'
    ]


def test_what_cannot_be_probed_says_why(probed) -> None:
    results = probed(
        {
            "/": hello,
            "localhost": hello,
            "/gone": '"no_such_module:app"',
            "/u/{user}": lambda user: hello,
            "/old": '{ redirect = "/new" }',
            "/a": '{ app = "probed:app0", probe = ["/b/x"] }',
            "/a/b": hello,
            "*.example.com": hello,
            "www.example.com": hello,
        },
        origin="http://127.0.0.1:8000",
    )
    assert {key: [(each.skipped, each.status) for each in found] for key, found in results.items()} == {
        "/": [("", 200)],
        "localhost": [("", 200)],
        "/gone": [("it could not be loaded", None)],
        "/u/{user}": [("only its factory knows which tenants there are", None)],
        "/old": [("", 308)],
        "/a": [("", 200), ("/a/b answers this URL", None)],
        "/a/b": [("", 200)],
        "*.example.com": [("", 200)],
        "www.example.com": [("", 200)],
    }
    assert results["*.example.com"][0].url == "http://any.example.com:8000/"
    assert results["/old"][0].findings == ()


def test_another_server_is_asked_as_well_but_not_one_of_many(probed, serve_raw) -> None:
    pytest.importorskip("aiohttp")
    server = serve_raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
    target = f"http://127.0.0.1:{server.port}"
    results = probed(
        {"/": hello, "/app": f'{{ proxy = "{target}" }}', "/to/{port}": '{ proxy = "http://127.0.0.1:{port}" }'}
    )
    assert {key: [(each.skipped, each.status) for each in found] for key, found in results.items()} == {
        "/": [("", 200)],
        "/app": [("", 200)],
        "/to/{port}": [("its key stands for many servers", None)],
    }
    assert server.heads[-1].startswith(b"GET /app/ HTTP/1.1\r\nHost: localhost:8000\r\n")


def test_a_lifespan_that_blocks_the_event_loop_is_named_and_the_others_are_not_blamed(probed, monkeypatch) -> None:
    import contextlib
    import threading

    release = threading.Event()
    blocked = threading.Event()
    has_ended = asgi_client.ASGIClient._has_ended  # noqa: SLF001 (the time begins when it blocks)
    monkeypatch.setattr(asgi_client, "_STARTUP", 0.3)
    monkeypatch.setattr(asgi_client, "_GRACE", 0.1)
    monkeypatch.setattr(
        asgi_client.ASGIClient, "_has_ended", staticmethod(lambda *call: blocked.wait(30) and has_ended(*call))
    )

    @contextlib.asynccontextmanager
    async def blocks(app):
        blocked.set()
        release.wait(60)
        yield

    try:
        results = probed({"/": hello, "/fine": fastapi_app(""), "/x": fastapi_app("", lifespan=blocks)})
    finally:
        release.set()
    assert {key: [(each.error, each.skipped) for each in found] for key, found in results.items()} == {
        "/": [("", "the event loop is blocked by /x")],
        "/fine": [("", "the event loop is blocked by /x")],
        "/x": [("its lifespan blocks the event loop, and did not start in time", "")],
    }


def test_a_path_that_is_named_may_not_be_refused(probed) -> None:
    app = flask_app(404, routes=["/there"])
    app.add_url_rule("/away", "away", lambda: flask.redirect("/a/gone"))
    results = probed({"/a": '{ app = "probed:app1", probe = ["/there", "/gone", "/away"] }', "/b": app})
    assert [(each.url.partition("8000")[2], each.status, each.asked_for) for each in results["/a"]] == [
        ("/a/", 404, False),
        ("/a/there", 200, True),
        ("/a/gone", 404, True),
        ("/a/away", 302, True),
    ]
    assert [[finding.code for finding in each.findings] for each in results["/a"]] == [[], [], ["MS208"], []]
    results = probed({"/a": '{ app = "probed:app1", probe = ["/away", "/"] }', "/b": app})
    assert [(each.url.partition("8000")[2], each.status, each.asked_for) for each in results["/a"]] == [
        ("/a/", 404, True),
        ("/a/away", 302, True),
        ("/a/gone", 404, True),
    ]


PAGE = """
import flask
app = flask.Flask("page", static_folder=None)
app.add_url_rule("/", "root", lambda: '<form action="/login">')
"""
IGNORED = [
    pytest.param("", "", 1, ["MS202"], id="nothing"),
    pytest.param('ignore = ["MS202"]', "", 0, [], id="everywhere"),
    pytest.param("", ', ignore = ["MS202"]', 0, [], id="on the mount"),
    pytest.param("", ', ignore = ["MS203"]', 1, ["MS202", "MS117"], id="another code"),
]


@pytest.mark.parametrize(("everywhere", "here", "exit_code", "codes"), IGNORED)
def test_what_is_found_is_ignored_by_its_code_and_asked_for_at_the_port_of_the_server(
    write_config, everywhere, here, exit_code, codes
) -> None:
    path = write_config(f"""{everywhere}
[mounts]
"/a" = {{ app = "page_of_a_form:app"{here} }}
[server]
port = 8123
""")
    path.with_name("page_of_a_form.py").write_text(PAGE)
    ran = CliRunner().invoke(main, ["check", "-c", str(path), "--probe", "--strict", "--format", "json"])
    result = json.loads(ran.stdout)
    assert [each["url"] for each in result["probes"]] == ["http://localhost:8123/a/"]
    assert [each["code"] for each in result["findings"]] == codes  # and MS100 is not among them: the codes are known
    assert {each["url"] for each in result["findings"]} <= {"http://localhost:8123/a/", ""}
    assert ran.exit_code == exit_code


DJANGO = """
import sys
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

settings.configure(
    ROOT_URLCONF="site_of_django", SECRET_KEY="x" * 50, ALLOWED_HOSTS=["localhost"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)
PAGE = '<form action="/login"></form><form action="{}"></form><link rel="stylesheet" href="/static/x.css">'

def home(request):
    response = HttpResponse(PAGE.format(reverse("login")))
    response.set_cookie("seen", "1")
    return response

def login(request):
    return HttpResponse("login")

urlpatterns = [
    path("", home),
    path("login", login, name="login"),
    path("wrong", lambda request: HttpResponseRedirect("/login")),
    path("static/x.css", lambda request: HttpResponse("", content_type="text/css")),
]
application = get_wsgi_application()
"""
RUN = """
import json, pathlib, sys
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.probing import probe
results = probe(compose(load_config(pathlib.Path(sys.argv[1]))))
rows = [
    [each.url, each.status, each.error, [[one.severity, one.message] for one in each.findings]]
    for each in results
]
print(json.dumps(rows), file=sys.__stdout__)
"""


def probe_elsewhere(path: Path) -> list[Any]:
    """Probe in a process of its own, for a process has one Django project."""
    done = subprocess.run([sys.executable, "-c", RUN, path], check=True, capture_output=True, text=True, timeout=60)
    rows: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return rows


def test_django_is_read_like_the_others(write_config: Callable[[str], Path]) -> None:
    pytest.importorskip("django")
    path = write_config('[mounts]\n"/site" = { app = "site_of_django", probe = ["/wrong"] }')
    path.with_name("site_of_django.py").write_text(DJANGO)
    sheet = 'the style sheet "/static/x.css" leaves /site, and nothing answers there; /site/static/x.css exists'
    assert probe_elsewhere(path) == [
        [
            "http://localhost:8000/site/", 200, "",
            [
                ["warning", 'the form "/login" leaves /site, and nothing answers there; /site/login exists'],
                ["warning", sheet],
            ],
        ],
        [
            "http://localhost:8000/site/wrong", 302, "",
            [["warning", 'Location "/login" leaves /site, and nothing answers there; /site/login exists']],
        ],
    ]  # fmt: skip


def test_django_as_it_is_in_production_is_asked_at_its_own_host_over_https(write_config) -> None:
    pytest.importorskip("django")
    path = write_config('[mounts]\n"/site" = "site_of_django"')
    settings = 'ALLOWED_HOSTS=["www.example.com"], SECURE_SSL_REDIRECT=True'
    middleware = 'MIDDLEWARE=["django.middleware.security.SecurityMiddleware", '
    text = DJANGO.replace('ALLOWED_HOSTS=["localhost"]', settings).replace("MIDDLEWARE=[", middleware)
    path.with_name("site_of_django.py").write_text(text)
    rows = probe_elsewhere(path)
    assert [row[:2] for row in rows] == [["http://www.example.com/site/", 301], ["https://www.example.com/site/", 200]]
    assert [len(row[3]) for row in rows] == [0, 2]


@pytest.mark.parametrize("path", [pytest.param(path, id=path.parent.name) for path in EXAMPLES])
def test_the_examples_are_right(path: Path) -> None:
    pytest.importorskip("django")
    rows = probe_elsewhere(path)
    assert len(rows) >= 2
    for url, status, error, findings in rows:
        assert (url, status < 400, error) == (url, True, "")
        assert [message for severity, message in findings if severity != "note"] == []

from __future__ import annotations

import json
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from multiserve.cli import main
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.findings import Finding
from multiserve.probing import ProbeResult, asgi_client, probe, site

fastapi = pytest.importorskip("fastapi")
flask = pytest.importorskip("flask")
pyramid = pytest.importorskip("pyramid.config")
responses = pytest.importorskip("pyramid.response")

EXAMPLES = sorted(Path(__file__).parents[2].glob("examples/*/multiserve.toml"))
REDIRECT = "Redirect to a URL that the framework builds with the prefix, or to a relative URL."
BUILD = "Let the framework build the URL with the prefix, or write it relative to the page."

pytestmark = pytest.mark.usefixtures("clean_process")


@pytest.fixture
def probed(
    write_config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, list[ProbeResult]]]:
    """Probe applications, or entries of the file, by the keys of their mounts; the results come by mount."""

    def run(
        mounts: dict[str, Any], more: str = "", origin: str = "http://localhost:8000"
    ) -> dict[str, list[ProbeResult]]:
        module = types.ModuleType("probed")
        monkeypatch.setitem(sys.modules, "probed", module)
        lines = []
        for number, (key, what) in enumerate(mounts.items()):
            setattr(module, f"app{number}", what)
            lines.append(f'"{key}" = {what if isinstance(what, str) else f"""{{ app = "probed:app{number}" }}"""}')
        path = write_config("\n".join(["[mounts]", *lines, more]))
        results: dict[str, list[ProbeResult]] = {}
        for result in probe(compose(load_config(path)), origin):
            results.setdefault(result.mount, []).append(result)
        return results

    return run


def flask_app(page="", *, routes=(), headers=(), status=200):
    """Make a Flask application whose root answers with a page, and that has other routes beside it."""
    app = flask.Flask("probed", static_folder=None)
    app.add_url_rule("/", "root", lambda: (page, status, list(headers)))
    for number, route in enumerate(routes):
        kind = "text/html" if "." not in route else "text/plain"
        app.add_url_rule(
            route,
            f"route{number}",
            lambda kind=kind, **_: ("found", 200, [("Content-Type", kind)]),
            methods=["GET", "POST"],
        )
    return app


def hello(environ, start_response):
    """Answer everything, and let nobody see inside."""
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"hello"]


ESCAPES = [
    # the application at the root, that at /admin, what the second finds: code, severity and message
    pytest.param(
        flask_app(), flask_app('<form action="/login" method="post">', routes=["/login"]),
        [("MS202", "warning",
          'the form "/login" leaves /admin, and nothing answers there; /admin/login exists')],
        id="a form",
    ),
    pytest.param(
        flask_app(), flask_app('<form action="/nowhere">'),
        [("MS202", "warning", 'the form "/nowhere" leaves /admin, and nothing answers there')],
        id="a form to nowhere",
    ),
    pytest.param(
        None, hello, [], id="a page without URLs",
    ),
    pytest.param(
        None, flask_app('<form action="/login">'),
        [("MS202", "warning", 'the form "/login" leaves /admin, and nothing answers there')],
        id="a form without a mount there",
    ),
    pytest.param(
        flask_app(routes=["/login"]), flask_app('<form action="/login">', routes=["/login"]),
        [("MS202", "note", 'the form "/login" leaves /admin for /; /admin/login may be intended')],
        id="a form that both have",
    ),
    pytest.param(
        hello, flask_app('<form action="/login">', routes=["/login"]),
        [("MS202", "note", 'the form "/login" leaves /admin for /; /admin/login may be intended')],
        id="a form, and nobody knows what the root has",
    ),
    pytest.param(flask_app(routes=["/login"]), flask_app('<form action="/login">'), [], id="a form of the root's"),
    pytest.param(flask_app(), flask_app('<form action="login"><form action="">'), [], id="right forms"),
    pytest.param(
        flask_app(), flask_app('<script src="/static/app.js"></script>', routes=["/static/app.js"]),
        [("MS204", "warning",
          'the script "/static/app.js" leaves /admin, and nothing answers there; /admin/static/app.js exists')],
        id="a script",
    ),
    pytest.param(
        hello, flask_app('<script src="/static/app.js"></script>'),
        [("MS204", "warning",
          'the script "/static/app.js" leaves /admin, and nothing answers there')],
        id="a script for which the root has only a page",
    ),
    pytest.param(
        flask_app(routes=["/logo.png"]), flask_app('<img src="/logo.png">'), [], id="an image of the root's",
    ),
    pytest.param(
        flask_app(routes=["/style.css"]),
        flask_app('<link rel="stylesheet" href="/style.css"><link rel="canonical" href="/x">', routes=["/style.css"]),
        [("MS204", "note",
          'the style sheet "/style.css" leaves /admin for /; /admin/style.css may be intended')],
        id="a style sheet that both have",
    ),
    pytest.param(
        flask_app(status=302, headers=[("Location", "/admin/")]),
        flask_app(status=302, headers=[("Location", "/login")], routes=["/login"]),
        [("MS201", "warning",
          'Location "/login" leaves /admin, and nothing answers there; /admin/login exists')],
        id="a redirect",
    ),
    pytest.param(
        flask_app(routes=["/login"]), flask_app(status=302, headers=[("Location", "http://localhost:8000/login")]), [],
        id="a redirect to a log-in of the root's",
    ),
    pytest.param(
        flask_app(), flask_app('<meta http-equiv="refresh" content="5; url=/soon">', routes=["/soon"]),
        [("MS201", "warning",
          'the refresh "/soon" leaves /admin, and nothing answers there; /admin/soon exists')],
        id="a refresh",
    ),
    pytest.param(
        flask_app(), flask_app('<a href="/users/5">', routes=["/users/<int:id>"]),
        [("MS203", "warning",
          'the link "/users/5" leaves /admin, and nothing answers there; /admin/users/5 exists')],
        id="a link",
    ),
    pytest.param(flask_app(), flask_app('<a href="/nowhere">'), [], id="a dead link"),
    pytest.param(flask_app(), flask_app('<a href="/">', routes=["/x"]), [], id="a link home"),
    pytest.param(
        flask_app(routes=["/help"]), flask_app('<a href="/help">', routes=["/help"]),
        [("MS203", "note", 'the link "/help" leaves /admin for /; /admin/help may be intended')],
        id="a link that both have",
    ),
    pytest.param(hello, flask_app('<a href="/x">', routes=["/<path:any>"]), [], id="a link, and nobody knows"),
    pytest.param(flask_app(), flask_app('<a href="/shop/x">'), [], id="a link to another mount"),
    pytest.param(
        None, flask_app('<script src="https://cdn.test/x.js"></script><form action="//x.test/y"><a href="mailto:a@b">'),
        [], id="URLs with a host",
    ),
    pytest.param(
        flask_app(), flask_app('<base href="/admin/deep/"><a href="../x"><script src="y.js"></script>'), [],
        id="below a base",
    ),
    pytest.param(
        flask_app('<form action="/admin/x"><script src="/shop/y.js"></script>'), flask_app(), [],
        id="all is below the root",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("root", "admin", "expected"), ESCAPES)
def test_what_leaves_the_mount_by_mistake_is_told(probed, root, admin, expected) -> None:
    others = {"/": root} if root else {}
    results = probed({**others, "/admin": admin, "/shop": hello})
    found = [finding for result in results["/admin"] for finding in result.findings]
    assert [(each.code, each.severity, each.message) for each in found] == expected
    assert {each.url for each in found} <= {"http://localhost:8000/admin/"}
    assert {each.cure for each in found} <= {REDIRECT if each.code == "MS201" else BUILD for each in found}
    assert not any(result.findings for key in ("/", "/shop") for result in results.get(key, []))


def test_an_asset_of_a_static_mount_is_meant_and_one_that_it_lacks_is_not(probed, tmp_path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "there.css").write_text("")
    page = '<link rel=stylesheet href="/static/there.css"><img srcset="/static/gone.png 2x, /static/there.css 3x">'
    results = probed({"/admin": flask_app(page), "/static": '{ static = "shared" }'})
    assert [each.message for each in results["/admin"][0].findings] == [
        'the image "/static/gone.png" leaves /admin, and nothing answers there'
    ]
    assert (results["/static"][0].status, results["/static"][0].findings) == (404, ())


def test_a_static_site_that_was_built_for_another_base_is_told_so(probed, tmp_path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text('<script src="/main.js"></script>')
    (tmp_path / "site" / "main.js").write_text("")
    (result,) = probed({"/docs": '{ static = "site" }'})["/docs"]
    assert result.findings == (
        Finding(
            code="MS204",
            severity="warning",
            mounts=("/docs",),
            key='mounts."/docs"',
            url="http://localhost:8000/docs/",
            message='the script "/main.js" leaves /docs, and nothing answers there; /docs/main.js exists',
            consequence="Pages are shown without their styles, scripts or images.",
            cure='Build the site with the base "/docs/", or with relative URLs.',
        ),
    )


def with_cookie(cookie):
    return flask_app(headers=[("Set-Cookie", cookie)])


MIXED_UP = 'the cookie "a" of {} has the path "/", and {} sets a cookie with the same name: the two get mixed up'
COOKIES = [
    pytest.param("a=1; Path=/", "b=1; Path=/", [
        ("note", 'the cookie "a" of /one has the path "/": other mounts receive it, too, and may overwrite it'),
        ("note", 'the cookie "b" of /two has the path "/": other mounts receive it, too, and may overwrite it'),
    ], id="two names"),
    pytest.param("a=1; Path=/", "a=1; Path=/", [
        ("warning", MIXED_UP.format("/one", "/two")),
        ("warning", MIXED_UP.format("/two", "/one")),
    ], id="one name"),
    pytest.param("a=1; path=/", "a=1; Path=/two", [
        ("warning", MIXED_UP.format("/one", "/two")),
    ], id="one name, below"),
    pytest.param("a=1; Path=/one", "a=1; Path=/two/x", [], id="each its own path"),
    pytest.param("a=1", "a=; Path=/; Max-Age=0", [], id="no path, and deleted"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "two", "expected"), COOKIES)
def test_cookies_for_other_mounts_are_told(probed, one, two, expected) -> None:
    results = probed({"/one": with_cookie(one), "/two": with_cookie(two)})
    found = [finding for key in ("/one", "/two") for result in results[key] for finding in result.findings]
    assert [(each.severity, each.message) for each in found] == expected


def test_the_cure_of_a_cookie_is_the_setting_of_its_framework(probed) -> None:
    app = flask.Flask("probed", static_folder=None)
    app.secret_key = "not so secret"

    @app.route("/")
    def root():
        flask.session["a"] = 1
        return "page"

    results = probed({"/one": app, "/two": with_cookie("own=1; Path=/")})
    cures = [each.cure for key in ("/one", "/two") for each in results[key][0].findings]
    assert cures == ['Set SESSION_COOKIE_PATH to "/one".', 'Set it with the path "/two".']
    rival = with_cookie("session=1; Path=/")
    results = probed({"/one": app, "/two/b": rival})
    assert [results[key][0].findings[0].cure for key in results] == [
        'Set SESSION_COOKIE_NAME to "session_one": a path alone is not enough.',
        'Give it a unique name, such as "session_two_b": a path alone is not enough.',
    ]


def test_a_cookie_that_two_mounts_set_concerns_both(probed) -> None:
    cookie = "a=1; Path=/"
    results = probed(
        {"/one": with_cookie(cookie), "/two": with_cookie(cookie), "elsewhere.example.com": with_cookie(cookie)}
    )
    assert [each.mounts for key in ("/one", "/two") for each in results[key][0].findings] == [
        ("/one", "/two"),
        ("/two", "/one"),
    ]


def test_one_application_at_two_mounts_shares_its_cookie_on_purpose(probed) -> None:
    app = with_cookie("a=1; Path=/")
    results = probed({"/one": app, "/two": app})
    assert [each.severity for key in ("/one", "/two") for each in results[key][0].findings] == ["note", "note"]


def test_a_cookie_is_told_once_for_its_mount_and_the_pages_of_a_debugger_not_at_all(probed) -> None:
    app = with_cookie("a=1; Path=/")
    app.add_url_rule("/more", "more", lambda: ("", 200, [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=1; Path=/")]))
    app.add_url_rule("/bad", "bad", lambda: ('<form action="/login">', 500))
    first, more, bad = probed({"/one": app, "/two": '{ app = "probed:app0", probe = ["/more", "/bad"] }'})["/two"]
    assert [[each.message.split(" of ")[0] for each in result.findings] for result in (first, more, bad)] == [
        ['the cookie "a"'],
        ['the cookie "b"'],
        ["it answers 500"],
    ]
    assert bad.status == 500


def test_what_the_application_sees_is_what_it_sees_when_it_is_served(probed) -> None:
    seen = []

    def app(environ, start_response):
        names = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "HTTP_HOST", "SERVER_PORT", "wsgi.url_scheme")
        seen.append(tuple(environ[name] for name in names))
        return hello(environ, start_response)

    results = probed(
        {"/café": '{ app = "probed:app1", probe = ["/health?a=1", "/"] }', "app.example.com": app},
        origin="https://localhost:8443",
    )
    assert [result.url for result in results["/café"]] == [
        "https://localhost:8443/caf%C3%A9/",
        "https://localhost:8443/caf%C3%A9/health?a=1",
    ]
    name = "/café".encode().decode("latin-1")
    assert seen == [
        ("GET", name, "/", "localhost:8443", "8443", "https"),
        ("GET", name, "/health", "localhost:8443", "8443", "https"),
        ("GET", "", "/", "app.example.com:8443", "8443", "https"),
    ]


def for_hosts(app, *hosts):
    app.config["TRUSTED_HOSTS"] = hosts
    return app


def test_an_application_is_asked_at_a_host_that_it_takes(probed) -> None:
    results = probed(
        {
            "/here": for_hosts(flask_app(), "www.example.com", "localhost"),
            "/public": for_hosts(flask_app('<form action="/login">', routes=["/login"]), "www.example.com"),
            "/below": for_hosts(flask_app(), ".example.com"),
            "/second": for_hosts(flask_app(), "api.example.com", "www.example.com"),
            "api.example.com/second": hello,
            "api.example.com": for_hosts(flask_app(), "www.example.com"),
        },
        origin="http://localhost:9000",
    )
    refused = "it refuses the host api.example.com, which is not in TRUSTED_HOSTS"
    assert {key: [(each.url, each.status, each.skipped) for each in found] for key, found in results.items()} == {
        "/here": [("http://localhost:9000/here/", 200, "")],
        "/public": [("http://www.example.com/public/", 200, "")],
        "/below": [("http://example.com/below/", 200, "")],
        "/second": [("http://www.example.com/second/", 200, "")],
        "api.example.com/second": [("http://api.example.com:9000/second/", 200, "")],
        "api.example.com": [("http://api.example.com:9000/", None, refused)],
    }
    assert [each.code for each in results["/public"][0].findings] == ["MS202"]


@pytest.mark.parametrize(("cookie", "severity"), [("a=1; Path=/two", "warning"), ("b=1; Path=/two", "note")])
def test_cookies_are_compared_whatever_the_hosts_that_were_asked(probed, cookie, severity) -> None:
    one = for_hosts(with_cookie("a=1; Path=/"), "www.example.com")
    results = probed({"/one": one, "/two": with_cookie(cookie)})
    assert [each.severity for each in results["/one"][0].findings] == [severity]


def test_redirects_within_the_mount_are_followed_three_times(probed) -> None:
    app = flask.Flask("probed", static_folder=None)
    app.add_url_rule("/", "root", lambda: flask.redirect(flask.url_for("page", number=1)))
    app.add_url_rule("/<int:number>", "page", lambda number: flask.redirect(flask.url_for("page", number=number + 1)))
    results = probed({"/": flask_app(status=302, headers=[("Location", "/admin/")]), "/admin": app})
    assert [result.url.partition("8000")[2] for result in results["/"]] == ["/"]
    assert [result.url.partition("8000")[2] for result in results["/admin"]] == [
        "/admin/",
        "/admin/1",
        "/admin/2",
        "/admin/3",
    ]


def test_only_get_and_head_are_sent(probed) -> None:
    methods = []

    def note(environ, start_response):
        methods.append(environ["REQUEST_METHOD"])
        return hello(environ, start_response)

    page = '<form action="/x" method="post"><button formaction="/y"></button><script src="/z.js"></script>'
    probed({"/": note, "/admin": flask_app(page)})
    assert methods == ["GET", "HEAD"]


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


HERE = Path(__file__).name
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


def test_a_request_has_a_time_limit(probed, monkeypatch) -> None:
    import threading

    release = threading.Event()
    monkeypatch.setattr(site, "TIME_LIMIT", 0.2)

    def slow(environ, start_response):
        release.wait(20)
        return hello(environ, start_response)

    try:
        results = probed({"/slow": slow, "/other": flask_app('<script src="/slow/x.js"></script>')})
    finally:
        release.set()
    assert (results["/slow"][0].status, results["/slow"][0].error) == (
        None,
        "the response was not complete after 0.2 seconds",
    )
    assert results["/other"][0].status == 200
    assert results["/other"][0].findings == ()  # nothing is asked of it any more


def test_a_lifespan_that_blocks_the_event_loop_is_named_and_the_others_are_not_blamed(probed, monkeypatch) -> None:
    import contextlib
    import threading

    release = threading.Event()
    monkeypatch.setattr(asgi_client, "_STARTUP", 0.3)
    monkeypatch.setattr(asgi_client, "_GRACE", 0.1)

    @contextlib.asynccontextmanager
    async def blocks(app):
        release.wait(20)
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
    app = flask_app(status=404, routes=["/there"])
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
    pytest.param("", ', ignore = ["MS203"]', 1, ["MS202"], id="another code"),
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
    assert {each["url"] for each in result["findings"]} <= {"http://localhost:8123/a/"}
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
    cookie = 'the cookie "seen" of /site has the path "/": other mounts receive it, too, and may overwrite it'
    assert probe_elsewhere(path) == [
        [
            "http://localhost:8000/site/", 200, "",
            [
                ["warning", 'the form "/login" leaves /site, and nothing answers there; /site/login exists'],
                ["warning", sheet],
                ["note", cookie],
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
    assert [len(row[3]) for row in rows] == [0, 3]


@pytest.mark.parametrize("path", [pytest.param(path, id=path.parent.name) for path in EXAMPLES])
def test_the_examples_are_right(path: Path) -> None:
    pytest.importorskip("django")
    rows = probe_elsewhere(path)
    assert len(rows) >= 2
    for url, status, error, findings in rows:
        assert (url, status < 400, error) == (url, True, "")
        assert [message for severity, message in findings if severity != "note"] == []

from __future__ import annotations

import threading

import pytest

from multiserve.probing import processes

flask = pytest.importorskip("flask")

pytestmark = pytest.mark.usefixtures("clean_process")


def flask_app(page="", *, routes=()):
    """Make a Flask application whose root answers with a page, and that has other routes beside it."""
    app = flask.Flask("probed", static_folder=None)
    app.add_url_rule("/", "root", lambda: page)
    for number, route in enumerate(routes):
        app.add_url_rule(route, f"route{number}", lambda: "found")
    return app


def hello(environ, start_response):
    """Answer everything, and let nobody see inside."""
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"hello"]


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


def test_only_get_and_head_are_sent(probed) -> None:
    methods = []

    def note(environ, start_response):
        methods.append(environ["REQUEST_METHOD"])
        return hello(environ, start_response)

    page = '<form action="/x" method="post"><button formaction="/y"></button><script src="/z.js"></script>'
    probed({"/": note, "/admin": flask_app(page)})
    assert methods == ["GET", "HEAD"]


def test_a_request_has_a_time_limit(probed, monkeypatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(processes, "TIME_LIMIT", 0.2)

    def slow(environ, start_response):
        monkeypatch.setattr(processes, "TIME_LIMIT", 30.0)  # for those that have to answer
        release.wait(60)
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

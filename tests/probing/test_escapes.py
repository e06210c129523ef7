from __future__ import annotations

import pytest

from multiserve.findings import Finding

flask = pytest.importorskip("flask")

REDIRECT = "Redirect to a URL that the framework builds with the prefix, or to a relative URL."
BUILD = "Let the framework build the URL with the prefix, or write it relative to the page."
STYLE = "Write it relative to the style sheet."
SCRIPT = "Have the page tell the script its prefix, or write the URL relative to the page."
CURES = {"MS201": (REDIRECT,), "MS204": (BUILD, STYLE), "MS210": (SCRIPT,)}

pytestmark = pytest.mark.usefixtures("clean_process")


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
        flask_app(), flask_app("<script>fetch('/x')</script>", routes=["/x"]),
        [("MS210", "warning", 'the URL of fetch "/x" leaves /admin, and nothing answers there; /admin/x exists')],
        id="a request",
    ),
    pytest.param(
        flask_app(routes=["/x"]), flask_app("<script>fetch('/x')</script>", routes=["/x"]),
        [("MS210", "note", 'the URL of fetch "/x" leaves /admin for /; /admin/x may be intended')],
        id="a request that both have",
    ),
    pytest.param(flask_app(), flask_app("<script>fetch('/x')</script>"), [], id="a request to nowhere"),
    pytest.param(
        flask_app(routes=["/x"]), flask_app("<script>fetch('/x'); fetch('/shop/y')</script>"), [],
        id="requests to other mounts",
    ),
    pytest.param(
        flask_app(), flask_app("<script>fetch('/x'); fetch('/y')</script>", routes=["/x", "/y"]),
        [("MS210", "warning",
          ('the URL of fetch "/x" leaves /admin, and nothing answers there; /admin/x exists '
           "(another request does the same)"))],
        id="two requests",
    ),
    pytest.param(
        flask_app(), flask_app("", headers=[("Refresh", "0; url=/login")], routes=["/login"]),
        [("MS201", "warning", 'Refresh "/login" leaves /admin, and nothing answers there; /admin/login exists')],
        id="a Refresh",
    ),
    pytest.param(
        flask_app(), flask_app("", headers=[("Link", "</x.css>; rel=preload")], routes=["/x.css"]),
        [("MS204", "warning", 'Link "/x.css" leaves /admin, and nothing answers there; /admin/x.css exists')],
        id="a Link",
    ),
    pytest.param(
        flask_app(), flask_app("<style>a { background: url(/x.png) }</style>", routes=["/x.png"]),
        [("MS204", "warning",
          'the file of a style sheet "/x.png" leaves /admin, and nothing answers there; /admin/x.png exists')],
        id="a style",
    ),
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
        flask_app(),
        flask_app('<base href="/admin/deep/"><a href="../x"><script src="y.js"></script>', routes=["/deep/y.js"]),
        [], id="below a base",
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
    assert all(each.cure in CURES.get(each.code, (BUILD,)) for each in found)
    assert not any(result.findings for key in ("/", "/shop") for result in results.get(key, []))


def test_a_page_is_shown_without_its_manifest(probed) -> None:
    page = flask_app('<link rel="manifest" href="/manifest.json">', routes=["/manifest.json"])
    (found,) = probed({"/admin": page})["/admin"][0].findings
    assert (found.code, found.severity, found.message, found.consequence) == (
        "MS204",
        "note",
        'the manifest "/manifest.json" leaves /admin, and nothing answers there; /admin/manifest.json exists',
        "Browsers do not offer to install the page.",
    )


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


def test_the_assets_of_a_page_are_one_finding_and_each_is_told_once(probed) -> None:
    app = flask_app('<script src="/a.js"></script><script src="/b.js"></script><img src="/c.png">')
    app.add_url_rule("/more", "more", lambda: '<script src="/a.js"></script><img src="/c.png"><img src="/d.png">')
    app.add_url_rule("/most", "most", lambda: '<img src="/d.png"><img src="/e.png"><img src="/f.png">')
    results = probed({"/": flask_app(), "/admin": app, "/b": '{ app = "probed:app1", probe = ["/more", "/most"] }'})
    nowhere = "leaves {}, and nothing answers there"
    assert [[each.message for each in result.findings] for key in ("/admin", "/b") for result in results[key]] == [
        [f'the script "/a.js" {nowhere.format("/admin")} (2 more assets do the same)'],
        [f'the script "/a.js" {nowhere.format("/b")} (2 more assets do the same)'],
        [f'the image "/d.png" {nowhere.format("/b")}'],
        [f'the image "/e.png" {nowhere.format("/b")} (another asset does the same)'],
    ]


def with_cookie(cookie):
    return flask_app(headers=[("Set-Cookie", cookie)])


MIXED_UP = 'the cookie "a" of {} has the path "/", and {} sets a cookie with the same name: the two get mixed up'
COOKIES = [
    pytest.param("a=1; Path=/", "b=1; Path=/", [], id="two names, which are nobody else's"),
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
    assert [each.severity for key in ("/one", "/two") for each in results[key][0].findings] == []


def test_a_cookie_is_told_once_for_its_mount_and_the_pages_of_a_debugger_not_at_all(probed) -> None:
    rival = flask_app(headers=[("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=1; Path=/")])
    app = with_cookie("a=1; Path=/")
    app.add_url_rule("/more", "more", lambda: ("", 200, [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=1; Path=/")]))
    app.add_url_rule("/bad", "bad", lambda: ('<form action="/login">', 500))
    first, more, bad = probed(
        {"/one": rival, "two.example.com": app, "/two": '{ app = "probed:app1", probe = ["/more", "/bad"] }'}
    )["/two"]
    assert [[each.message.split(" of ")[0] for each in result.findings] for result in (first, more, bad)] == [
        ['the cookie "a"'],
        ['the cookie "b"'],
        ["it answers 500"],
    ]
    assert bad.status == 500


def for_hosts(app, *hosts):
    app.config["TRUSTED_HOSTS"] = hosts
    return app


@pytest.mark.parametrize(("cookie", "severities"), [("a=1; Path=/two", ["warning"]), ("b=1; Path=/two", [])])
def test_cookies_are_compared_whatever_the_hosts_that_were_asked(probed, cookie, severities) -> None:
    one = for_hosts(with_cookie("a=1; Path=/"), "www.example.com")
    results = probed({"/one": one, "/two": with_cookie(cookie)})
    assert [each.severity for each in results["/one"][0].findings] == severities

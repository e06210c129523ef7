from __future__ import annotations

import pytest

flask = pytest.importorskip("flask")

pytestmark = pytest.mark.usefixtures("clean_process")


def flask_app(page, *routes, location=""):
    app = flask.Flask("probed", static_folder=None)
    app.add_url_rule("/", "root", lambda: flask.redirect(location) if location else page)
    for route in routes:
        app.add_url_rule(route, route, lambda: ("found", 200, [("Content-Type", "text/plain")]))
    return app


FOUND = [
    # the application at /a, what is found
    pytest.param(
        flask_app("<a href='/a/a/x'>", "/x"),
        [("MS211", "warning", 'the link "/a/a/x" has the prefix /a twice; /a/x exists')], id="a doubled link",
    ),
    pytest.param(
        flask_app("", "/x", location="/a/a/x"),
        [("MS211", "warning", 'Location "/a/a/x" has the prefix /a twice; /a/x exists')], id="a doubled redirect",
    ),
    pytest.param(flask_app("<a href='/a/a/x'>", "/a/x", "/x"), [], id="a route of that name"),
    pytest.param(flask_app("<a href='/a/a/x'>"), [], id="a dead link"),
    pytest.param(flask_app("<a href='/a/a/x'>", "/<path:x>"), [], id="a route for everything"),
    pytest.param(
        flask_app("<script src='/a/x.js'></script><img src=y.png><img src='z.png?v=1'><img src=w.png>"),
        [
            ("MS212", "warning", 'the script "/a/x.js" is missing: the application answers 404'),
            ("MS212", "note", 'the image "y.png" is missing: the application answers 404 (so are 2 more)'),
        ], id="missing files",
    ),
    pytest.param(
        flask_app("<img src=y.png><img src=x.png>"),
        [("MS212", "note", 'the image "y.png" is missing: the application answers 404 (so is another one)')],
        id="two missing files",
    ),
    pytest.param(flask_app("<script src='x.js'></script>", "/x.js"), [], id="files that are there"),
    pytest.param(flask_app("<script src='//cdn.test/a/x.js'></script>"), [], id="files that are elsewhere"),
    pytest.param(flask_app("<script src='/b/x.js'></script>"), [], id="files of another mount"),
    pytest.param(
        flask_app("<script>navigator.serviceWorker.register('/a/w.js', { scope: '/' })</script>", "/w.js"),
        [("MS214", "note", 'the scope of the service worker is "/", which is not below /a')], id="a scope",
    ),
    pytest.param(
        flask_app("<script>navigator.serviceWorker.register('/a/w.js', { scope: '/a/' })</script>", "/w.js"),
        [], id="a scope of its own",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("application", "expected"), FOUND)
def test_what_is_wrong_below_the_prefix(probed, application, expected):
    results = probed({"/a": application, "/b": flask_app("", "/x.js")})["/a"]
    found = [each for result in results for each in result.findings]
    assert [(each.code, each.severity, each.message) for each in found] == expected


def test_no_more_than_thirty_assets_are_requested(probed):
    asked = []
    app = flask.Flask("probed", static_folder=None)
    app.add_url_rule("/", "root", lambda: "".join(f"<img src={number}.png>" for number in range(50)))
    app.before_request(lambda: asked.append(flask.request.path))
    probed({"/a": app})
    assert len({path for path in asked if path.endswith(".png")}) == 30

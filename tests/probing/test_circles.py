from __future__ import annotations

import pytest

flask = pytest.importorskip("flask")

pytestmark = pytest.mark.usefixtures("clean_process")


def redirecting(targets, cookie=""):
    app = flask.Flask("probed", static_folder=None)

    def answer(path=""):
        target = targets[f"/{path}"]
        if not target:
            return "a page"
        response = flask.redirect(target)
        if cookie == path:
            response.set_cookie("seen", "1", path="/a")
        return response

    app.add_url_rule("/", "root", answer)
    app.add_url_rule("/<path>", "path", answer)
    return app


CIRCLES = [
    pytest.param({"/": "/a/"}, {}, ["it redirects in a circle: /a/, and back to /a/"], id="to itself"),
    pytest.param(
        {"/": "/a/x", "/x": "/a/"}, {}, ["it redirects in a circle: /a/, /a/x, and back to /a/"], id="to two"
    ),
    pytest.param(
        {"/": "/a/x", "/x": "y", "/y": "x"}, {}, ["it redirects in a circle: /a/x, /a/y, and back to /a/x"],
        id="not at the start",
    ),
    pytest.param({"/": "/a/x", "/x": ""}, {}, [], id="to a page"),
    pytest.param({"/": "/a/x", "/x": "/a/"}, {"cookie": "x"}, [], id="with a cookie"),
]  # fmt: skip


@pytest.mark.parametrize(("targets", "options", "expected"), CIRCLES)
def test_circles(probed, targets, options, expected):
    results = probed({"/a": redirecting(targets, options.get("cookie"))})["/a"]
    found = [each for result in results for each in result.findings if each.code == "MS213"]
    assert [each.message for each in found] == expected
    assert [each.severity for each in found] == ["error"] * len(expected)

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
from multiserve.frameworks.reading import secret_of, version_of
from multiserve.frameworks.views import place_of

starlette = pytest.importorskip("starlette.applications")
routing = pytest.importorskip("starlette.routing")
Middleware = pytest.importorskip("starlette.middleware").Middleware
SessionMiddleware = pytest.importorskip("starlette.middleware.sessions").SessionMiddleware
TrustedHostMiddleware = pytest.importorskip("starlette.middleware.trustedhost").TrustedHostMiddleware
CALLED = "no view may be called"


async def page(request):
    raise AssertionError(CALLED)


class Logging:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        raise AssertionError(CALLED)


def test_a_whole_application_is_read():
    site = starlette.Starlette(routes=[routing.Route("/page", page, name="page")])
    facts = inspect_application(Logging(site))
    assert (facts.framework, facts.version, facts.application) == ("Starlette", version_of("starlette"), site)
    assert facts.routes == (InnerRoute(path="/page", methods=("GET",), name="page", **place_of(page)._asdict()),)
    assert (facts.cookies, facts.secret, facts.logger, facts.debug, facts.own_prefix) == ((), None, None, False, ())
    assert (facts.hosts, facts.wrappers) == (None, (f"{__name__}:Logging",))


def test_the_settings_are_those_of_the_middleware():
    site = starlette.Starlette(
        debug=True,
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["example.com", "*.example.com"]),
            Middleware(SessionMiddleware, "b24ae1f9c0d7", session_cookie="shop", domain="example.com"),
        ],
    )
    facts = inspect_application(site)
    assert (facts.debug, facts.secret) == (True, secret_of("secret_key", "b24ae1f9c0d7"))
    assert facts.cookies == (Cookie("shop", "/", "example.com", "session_cookie", "path"),)
    assert facts.hosts == AllowedHosts("allowed_hosts", ("example.com", "*.example.com"))
    assert find_route(site, InnerRequest("/", host="other.com")) == InnerAnswer(outcome="host refused", status=400)
    assert find_route(site, InnerRequest("/", host="www.example.com:80")) == InnerAnswer(
        outcome="not found", status=404
    )


def test_a_session_of_which_nothing_is_known_is_unknown():
    site = starlette.Starlette(middleware=[Middleware(SessionMiddleware, no_such_argument=1)])
    assert (inspect_application(site).cookies, inspect_application(site).secret) == (None, None)


@pytest.mark.parametrize(
    ("redirects", "patterns", "answer"),
    [
        pytest.param(True, ("www.example.com", "example.com"), ("redirect", 307), id="to www"),
        pytest.param(False, ("www.example.com",), ("host refused", 400), id="not to www"),
    ],
)
def test_a_host_may_be_redirected_to_the_one_with_www(redirects, patterns, answer):
    trusted = pytest.importorskip("starlette.middleware.trustedhost").TrustedHostMiddleware
    site = pytest.importorskip("starlette.applications").Starlette()
    site.add_middleware(trusted, allowed_hosts=["www.example.com"], www_redirect=redirects)
    assert inspect_application(site).hosts.patterns == patterns
    found = find_route(site, InnerRequest("/x", host="example.com"))
    assert (found.outcome, found.status) == answer
    assert found.location == ("http://www.example.com/x" if redirects else "")

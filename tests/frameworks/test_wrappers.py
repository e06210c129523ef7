from __future__ import annotations

import functools

import pytest

from multiserve.frameworks import InnerRequest, find_route, inspect_application, own_mounts
from multiserve.frameworks.wrappers import wrapper_in

flask = pytest.importorskip("flask")
starlette = pytest.importorskip("starlette.applications")
CALLED = "no application may be called to find out what is inside"


class Middleware:
    """Middleware as most is written; `name` is what it calls the application."""

    def __init__(self, name, application):
        self.__dict__[name] = application

    def __call__(self, environ, start_response):
        raise AssertionError(CALLED)


class Slotted:
    __slots__ = ("app",)

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        raise AssertionError(CALLED)


class Property:
    @property
    def app(self):
        raise AssertionError(CALLED)

    def __call__(self, environ, start_response):
        raise AssertionError(CALLED)


class Choosing(Middleware):
    """A dispatcher as werkzeug's is written."""

    def __init__(self, app, mounts):
        super().__init__("app", app)
        self.mounts = mounts


class Both:
    def __init__(self, app, application):
        self.app, self.application = app, application

    def __call__(self, environ, start_response):
        raise AssertionError(CALLED)


def closure(app):
    def middleware(environ, start_response):
        return app(environ, start_response)

    return middleware


def wrapping(application):
    @functools.wraps(application)
    def wrapper(environ, start_response):
        raise AssertionError(CALLED)

    return wrapper


def itself():
    circle = Middleware("app", None)
    circle.app = circle
    return circle


def nested(application, depth):
    for _ in range(depth):
        application = Middleware("app", application)
    return application


SITE = flask.Flask("site")
API = starlette.Starlette()
HERE = f"{__name__}:"

SEEN = [
    pytest.param(SITE, SITE, (), id="nothing around it"),
    *(
        pytest.param(Middleware(name, SITE), SITE, (f"{HERE}Middleware",), id=f"an attribute {name}")
        for name in ("app", "application", "wsgi_app", "_app", "wsgi_application", "other_asgi_app", "__wrapped__")
    ),
    pytest.param(Slotted(SITE), SITE, (f"{HERE}Slotted",), id="a slot"),
    pytest.param(Slotted(Middleware("app", API)), API, (f"{HERE}Slotted", f"{HERE}Middleware"), id="two, in order"),
    pytest.param(functools.partial(SITE), SITE, (), id="a partial"),
    pytest.param(SITE.wsgi_app, SITE, (), id="a bound method"),
    pytest.param(SITE.__call__, SITE, (), id="a bound __call__"),
    pytest.param(closure(SITE), SITE, (f"{HERE}closure.<locals>.middleware",), id="a closure"),
    pytest.param(wrapping(closure(SITE)), SITE, (f"{HERE}closure.<locals>.middleware",) * 2, id="functools.wraps"),
    pytest.param(Both(SITE, Middleware("app", SITE)), SITE, (f"{HERE}Both",), id="one application on two ways"),
    pytest.param(nested(SITE, 20), SITE, (f"{HERE}Middleware",) * 20, id="much middleware"),
    pytest.param(Choosing(SITE, {}), SITE, (f"{HERE}Choosing",), id="a dispatcher without mounts"),
]
NOT_SEEN = [
    pytest.param(lambda environ, start_response: [], id="no framework"),
    pytest.param(None, id="nothing"),
    pytest.param(Property(), id="a property, which would be called"),
    pytest.param(Both(SITE, API), id="two applications"),
    pytest.param(Choosing(SITE, {"/api": API}), id="a dispatcher"),
    pytest.param(Middleware("elsewhere", SITE), id="an attribute that may be anything"),
    pytest.param(flask.Flask, id="a class"),
    pytest.param(itself(), id="a circle"),
    pytest.param(nested(SITE, 1000), id="endless middleware"),
]


@pytest.mark.parametrize(("application", "inside", "wrappers"), SEEN)
def test_the_application_inside_is_found(application, inside, wrappers):
    facts = inspect_application(application)
    assert (facts.application is inside, facts.wrappers) == (True, wrappers)


@pytest.mark.parametrize("application", NOT_SEEN)
def test_what_is_not_certain_is_not_seen(application):
    assert (inspect_application(application), find_route(application, InnerRequest("/"))) == (None, None)


def test_the_prefixes_of_a_dispatcher_inside_are_found():
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    class Application:
        def __call__(self): ...

    plain, moved = Application(), Application()
    moved.wsgi_app = DispatcherMiddleware(plain, {"/api": plain, "/v2": plain})
    assert own_mounts(plain) == ()
    assert own_mounts(moved) == ("/api", "/v2")
    assert own_mounts(functools.partial(moved)) == ("/api", "/v2")
    assert own_mounts(None) == ()


class Fix:
    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        raise AssertionError(CALLED)


class Other(Fix):
    pass


def test_the_middleware_of_a_class_is_found():
    def application(environ, start_response): ...

    fix = Fix(Other(application))
    assert wrapper_in(Other(fix), __name__, "Other").app is fix
    assert wrapper_in(functools.partial(Other(fix)), __name__, "Fix") is not None
    assert wrapper_in(application, __name__, "Fix") is None

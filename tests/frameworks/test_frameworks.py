"""What is true of every framework: what is looked through, what is silent, and that nothing can break it."""

from __future__ import annotations

import functools
import subprocess
import sys
import types
from pathlib import Path

import pytest

from multiserve import frameworks
from multiserve.frameworks import AllowedHosts, Facts, InnerRequest, InnerRoute, Secret, find_route, inspect_application
from multiserve.frameworks.reading import plain_methods, secret_of

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


class Vicious(flask.Flask):
    """Whatever is asked of it, it raises, once it is armed."""

    def __getattribute__(self, name):
        if sys.modules.get("armed"):
            raise SystemExit(name)
        return super().__getattribute__(name)


def test_an_application_that_raises_whatever_is_read_breaks_nothing(monkeypatch):
    application = Vicious("vicious")
    monkeypatch.setitem(sys.modules, "armed", types.ModuleType("armed"))
    assert (inspect_application(application), find_route(application, InnerRequest("/"))) == (None, None)


class Half(flask.Flask):
    """Some of what is asked of it raises."""

    @property
    def url_map(self):
        raise RuntimeError("no map")

    @url_map.setter
    def url_map(self, _):
        pass

    @property
    def debug(self):
        raise SystemExit("no debug")


def test_a_fact_that_cannot_be_read_is_unknown_and_the_others_are_there(monkeypatch):
    monkeypatch.setattr(flask.Flask, "add_url_rule", lambda *args, **kwargs: None)
    facts = inspect_application(Half("half"))
    assert (facts.routes, facts.debug, facts.logger, facts.cookies) == (None, None, "half", ())


def test_control_c_is_not_swallowed(monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("multiserve.frameworks.flask.read", interrupt)
    with pytest.raises(KeyboardInterrupt):
        inspect_application(SITE)


WITHOUT_ANY = """
import sys
from multiserve.frameworks import InnerRequest, find_route, inspect_application

assert inspect_application(print) is None and find_route(print, InnerRequest("/")) is None
names = "asyncio bottle dash django falcon fastapi flask litestar pyramid quart starlette werkzeug"
print([name for name in names.split() if name in sys.modules])
"""


def test_no_framework_is_imported_and_none_is_needed():
    folder = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", WITHOUT_ANY], capture_output=True, check=True, text=True, cwd=folder)
    assert done.stdout == "[]\n"


HOSTS = [
    pytest.param("example.com", "example.com", True, id="the same"),
    pytest.param("example.com", "EXAMPLE.com.", True, id="in capitals, with a dot"),
    pytest.param("Example.com", "example.com", True, id="a pattern in capitals"),
    pytest.param("example.com", "www.example.com", False, id="one below"),
    pytest.param(".example.com", "example.com", True, id="a dot in front, the same"),
    pytest.param(".example.com", "a.b.example.com", True, id="a dot in front, below"),
    pytest.param(".example.com", "evilexample.com", False, id="a dot in front, another one"),
    pytest.param("*.example.com", "www.example.com", True, id="a star, below"),
    pytest.param("*.example.com", "example.com", False, id="a star, the same"),
    pytest.param("*", "anything", True, id="any"),
    pytest.param("[::1]", "[::1]", True, id="IPv6"),
]


@pytest.mark.parametrize(("pattern", "host", "is_allowed"), HOSTS)
def test_a_host_is_allowed_as_frameworks_have_it(pattern, host, is_allowed):
    assert AllowedHosts("ALLOWED_HOSTS", (pattern,)).allow(host) is is_allowed


USUAL = [
    pytest.param(None, ["localhost"], id="nothing is known"),
    pytest.param(["*"], ["localhost"], id="any"),
    pytest.param([], ["localhost"], id="none"),
    pytest.param(["a.test", ".localhost"], ["localhost"], id="the preferred one among others"),
    pytest.param(["a.test", ".b.test"], ["a.test", "b.test", "www.b.test"], id="two"),
    pytest.param(["*.a.test"], ["www.a.test"], id="those below"),
]


@pytest.mark.parametrize(("patterns", "hosts"), USUAL)
def test_a_host_is_given_that_the_application_takes(patterns, hosts):
    allowed = None if patterns is None else AllowedHosts("ALLOWED_HOSTS", tuple(patterns))
    facts = Facts(application=None, framework="Django", version="", hosts=allowed)
    assert facts.usual_hosts() == hosts


def test_no_host_is_allowed_by_an_empty_list():
    assert not AllowedHosts("ALLOWED_HOSTS", ()).allow("localhost")


@pytest.mark.parametrize(
    ("path", "literal"),
    [
        ("/", "/"),
        ("/admin/login", "/admin/login"),
        ("/admin/<name>/edit", "/admin/"),
        ("/admin/{name:str}", "/admin/"),
        ("/static/*subpath", "/static/"),
        ("/old/:name", "/old/"),
        ("/at/12:30", "/at/12:30"),
        ("<anything>", ""),
    ],
)
def test_the_literal_part_of_a_path_ends_before_its_first_placeholder(path, literal):
    assert InnerRoute(path=path).literal == literal


@pytest.mark.parametrize(
    ("host", "name"), [("example.com", "example.com"), ("example.com:80", "example.com"), ("[::1]", "[::1]"),
                       ("[::1]:80", "[::1]")]
)  # fmt: skip
def test_a_request_knows_its_host_without_the_port(host, name):
    assert InnerRequest("/", host=host).hostname == name


@pytest.mark.parametrize(
    ("methods", "plain"),
    [
        ({"GET", "HEAD", "OPTIONS"}, ("GET",)),
        ({"POST", "GET", "OPTIONS"}, ("GET", "POST")),
        ({"HEAD"}, ("HEAD",)),
        ({"OPTIONS"}, ("OPTIONS",)),
        (None, ()),
    ],
    ids=["of GET", "of two", "HEAD alone", "OPTIONS alone", "any"],
)
def test_methods_that_frameworks_add_are_left_out(methods, plain):
    assert plain_methods(methods) == plain


@pytest.mark.parametrize(
    ("key", "how"),
    [
        ("b24ae1f9c0d7", "set"),
        (b"b24ae1f9c0d7", "set"),
        ("django-insecure-b24ae1f9c0d7", "default"),
        ("dev", "default"),
        ("Your-Secret-Key", "default"),
        ("a development key of my own", "set"),
    ],
)
def test_a_secret_says_how_it_is_set_but_never_what_it_is(key, how):
    secret = secret_of("SECRET_KEY", key)
    assert (secret.setting, secret.how) == ("SECRET_KEY", how)
    assert len(secret.fingerprint) == 16
    assert str(key) not in repr(secret)


def test_equal_secrets_have_equal_fingerprints_whether_text_or_bytes():
    one, same, other = (secret_of("SECRET_KEY", key) for key in ("one", b"one", "other"))
    assert one.fingerprint == same.fingerprint != other.fingerprint


@pytest.mark.parametrize("key", [None, "", b""])
def test_no_secret_is_none(key):
    assert secret_of("SECRET_KEY", key) == Secret("SECRET_KEY", "none")


def test_a_secret_that_is_an_object_is_unknown():
    assert secret_of("SECRET_KEY", object()) is None


def test_an_inspector_reads_each_application_once(monkeypatch) -> None:
    read = []
    monkeypatch.setattr(frameworks, "inspect_application", read.append)
    inspector = frameworks.Inspector()
    one, other = object(), object()
    assert [inspector.facts_of(each) for each in (one, other, one, None)] == [None] * 4
    assert read == [one, other]


@pytest.mark.parametrize(
    ("mount", "name"),
    [
        pytest.param("/admin", "session_admin", id="a prefix"),
        pytest.param("/a-b/c", "session_a_b_c", id="several words"),
        pytest.param("api.example.com/x", "session_api_example_com_x", id="a host"),
        pytest.param("", "session_2", id="the root"),
        pytest.param("/é", "session_2", id="no ASCII at all"),
    ],
)
def test_the_name_of_a_cookie_has_the_mount_in_it(mount, name) -> None:
    assert frameworks.distinct_name("session", mount) == name

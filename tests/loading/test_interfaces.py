"""Every kind of object that is an application, that is none, or that only looks like one."""

from __future__ import annotations

import functools
import inspect
from types import SimpleNamespace

import pytest

from multiserve.loading.interfaces import InterfaceProblem, tell_interface

CALLED = "no object may be called to find out what it is"


def wsgi(environ, start_response):
    raise AssertionError(CALLED)


async def asgi(scope, receive, send):
    raise AssertionError(CALLED)


def asgi_without_async(scope, receive, send):
    return asgi(scope, receive, send)


class WSGI:
    def __call__(self, environ, start_response):
        raise AssertionError(CALLED)

    def method(self, environ, start_response):
        raise AssertionError(CALLED)


class ASGI:
    async def __call__(self, scope, receive, send):
        raise AssertionError(CALLED)

    async def method(self, scope, receive, send):
        raise AssertionError(CALLED)

    @classmethod
    async def of_class(cls, scope, receive, send):
        raise AssertionError(CALLED)

    @staticmethod
    async def static(scope, receive, send):
        raise AssertionError(CALLED)


class ASGIWithoutAsync:
    def __call__(self, scope, receive, send):
        raise AssertionError(CALLED)


class ASGIOfInstance:
    """Its instances choose what they are when they are made, as Sentry's middleware does."""

    __slots__ = ("__call__",)

    def __init__(self):
        self.__call__ = asgi


class ResponseOfWSGI:
    """PEP 3333 has this form: an instance is the response."""

    def __init__(self, environ, start_response):
        raise AssertionError(CALLED)

    def __iter__(self):
        raise AssertionError(CALLED)


class ResponseOfASGI:
    """Starlette's HTTPEndpoint has this form: an instance is awaited."""

    def __init__(self, scope, receive, send):
        raise AssertionError(CALLED)

    def __await__(self):
        raise AssertionError(CALLED)


class Either:
    """ASGI 3 or 2, as the server likes it."""

    def __call__(self, scope, receive=None, send=None):
        raise AssertionError(CALLED)


def anything(function):
    """Decorate as most decorators do."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        raise AssertionError(CALLED)

    return wrapper


def to_wsgi(function):
    """Decorate so that the result takes something else, as werkzeug's `Request.application` and adapters do."""

    @functools.wraps(function)
    def wrapper(environ, start_response):
        raise AssertionError(CALLED)

    return wrapper


def to_asgi(function):
    @functools.wraps(function)
    async def wrapper(*args):
        raise AssertionError(CALLED)

    return wrapper


def request_only(request):
    raise AssertionError(CALLED)


def with_database(database, scope, receive, send):
    return asgi(scope, receive, send)


def without_name(*args):
    raise AssertionError(CALLED)


APPLICATIONS = [
    pytest.param(wsgi, "wsgi", id="a function"),
    pytest.param(asgi, "asgi", id="a coroutine function"),
    pytest.param(asgi_without_async, "asgi", id="a function that returns a coroutine"),
    pytest.param(lambda environ, start_response: [], "wsgi", id="a lambda"),
    pytest.param(lambda scope, receive, send: None, "asgi", id="a lambda of three"),
    pytest.param(lambda environ, start_response, extra=None: [], "wsgi", id="a third argument with a default"),
    pytest.param(lambda *args: None, "wsgi", id="anything"),
    pytest.param(WSGI(), "wsgi", id="an instance"),
    pytest.param(ASGI(), "asgi", id="an instance with a coroutine"),
    pytest.param(ASGIWithoutAsync(), "asgi", id="an instance that returns a coroutine"),
    pytest.param(ASGIOfInstance(), "asgi", id="an instance with a __call__ of its own"),
    pytest.param(Either(), "asgi", id="an instance that takes one or three"),
    pytest.param(WSGI().__call__, "wsgi", id="the __call__ of an instance"),
    pytest.param(ASGI().__call__, "asgi", id="the coroutine __call__ of an instance"),
    pytest.param(WSGI().method, "wsgi", id="a bound method"),
    pytest.param(ASGI().method, "asgi", id="a bound coroutine method"),
    pytest.param(ASGI.of_class, "asgi", id="a class method"),
    pytest.param(ASGI.static, "asgi", id="a static method"),
    pytest.param(ResponseOfWSGI, "wsgi", id="a class of responses"),
    pytest.param(ResponseOfASGI, "asgi", id="a class that is awaited"),
    pytest.param(functools.partial(wsgi), "wsgi", id="a partial"),
    pytest.param(functools.partial(asgi), "asgi", id="a partial of a coroutine function"),
    pytest.param(functools.partial(ASGI()), "asgi", id="a partial of an instance"),
    pytest.param(functools.partial(with_database, "db"), "asgi", id="a partial with an argument"),
    pytest.param(functools.partial(functools.partial(asgi)), "asgi", id="a partial of a partial"),
    pytest.param(functools.partial(anything(asgi)), "asgi", id="a partial of a decorated one"),
    pytest.param(anything(wsgi), "wsgi", id="decorated"),
    pytest.param(anything(asgi), "asgi", id="a decorated coroutine function"),
    pytest.param(anything(anything(asgi)), "asgi", id="decorated twice"),
    pytest.param(anything(asgi_without_async), "asgi", id="a decorated function of three"),
    pytest.param(anything(request_only), "wsgi", id="a decorated function of something else"),
    pytest.param(to_wsgi(asgi), "wsgi", id="an adapter to WSGI"),
    pytest.param(to_wsgi(request_only), "wsgi", id="an adapter of something else"),
    pytest.param(to_asgi(wsgi), "asgi", id="an adapter to ASGI"),
]


@pytest.mark.parametrize("is_made", [False, True], ids=["named", "made"])
@pytest.mark.parametrize(("application", "interface"), APPLICATIONS)
def test_the_interface_is_told_from_the_object(application, interface, is_made):
    assert tell_interface(application, "site:app", is_made=is_made) == interface


def flask():
    return pytest.importorskip("flask").Flask("site")


def pyramid():
    return pytest.importorskip("pyramid.config").Configurator().make_wsgi_app()


def django(name):
    """Make a handler as `get_wsgi_application` and `get_asgi_application` do, but without a project."""
    handlers = pytest.importorskip(f"django.core.handlers.{name.lower()[:4]}")
    return object.__new__(getattr(handlers, name))


FRAMEWORKS = [
    pytest.param(flask, "wsgi", id="Flask"),
    pytest.param(lambda: flask().wsgi_app, "wsgi", id="Flask's wsgi_app"),
    pytest.param(pyramid, "wsgi", id="Pyramid"),
    pytest.param(lambda: django("WSGIHandler"), "wsgi", id="Django over WSGI"),
    pytest.param(lambda: django("ASGIHandler"), "asgi", id="Django over ASGI"),
    pytest.param(lambda: pytest.importorskip("starlette.applications").Starlette(), "asgi", id="Starlette"),
    pytest.param(lambda: pytest.importorskip("starlette.routing").Router(), "asgi", id="Starlette's Router"),
    pytest.param(
        lambda: pytest.importorskip("starlette.responses").PlainTextResponse("hello"), "asgi", id="Starlette's Response"
    ),
    pytest.param(
        lambda: pytest.importorskip("starlette.endpoints").HTTPEndpoint, "asgi", id="Starlette's HTTPEndpoint"
    ),
    pytest.param(lambda: pytest.importorskip("fastapi").FastAPI(), "asgi", id="FastAPI"),
    pytest.param(
        lambda: pytest.importorskip("asgiref.wsgi").WsgiToAsgi(wsgi), "asgi", id="a WSGI application behind asgiref"
    ),
    pytest.param(
        lambda: pytest.importorskip("asgiref.compatibility").guarantee_single_callable(DoubleCallable),
        "asgi",
        id="an ASGI 2 application behind asgiref",
    ),
    pytest.param(
        lambda: pytest.importorskip("werkzeug.wrappers").Request.application(request_only),
        "wsgi",
        id="werkzeug's Request.application",
    ),
    pytest.param(
        lambda: pytest.importorskip("werkzeug.middleware.proxy_fix").ProxyFix(wsgi), "wsgi", id="werkzeug's ProxyFix"
    ),
    pytest.param(
        lambda: pytest.importorskip("uvicorn.middleware.proxy_headers").ProxyHeadersMiddleware(asgi),
        "asgi",
        id="uvicorn's ProxyHeadersMiddleware",
    ),
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize(("make", "interface"), FRAMEWORKS)
def test_applications_of_frameworks_are_told(make, interface):
    assert tell_interface(make(), "site:app", is_made=False) == interface


class DoubleCallable:
    """ASGI 2: the class is the application."""

    def __init__(self, scope):
        raise AssertionError(CALLED)

    async def __call__(self, receive, send):
        raise AssertionError(CALLED)


class DoubleCallableInstance:
    def __call__(self, scope):
        raise AssertionError(CALLED)


def double_callable(scope):
    async def instance(receive, send):
        raise AssertionError(CALLED)

    return instance


@pytest.mark.parametrize("is_made", [False, True], ids=["named", "made"])
@pytest.mark.parametrize(
    "application",
    [
        pytest.param(DoubleCallable, id="a class"),
        pytest.param(DoubleCallableInstance(), id="an instance"),
        pytest.param(double_callable, id="a function"),
        pytest.param(functools.partial(double_callable), id="a partial"),
    ],
)
def test_an_application_of_asgi_2_says_what_to_do(application, is_made):
    with pytest.raises(InterfaceProblem) as caught:
        tell_interface(application, "site:app", is_made=is_made)
    assert str(caught.value) == '"site:app" is an application of ASGI 2, which is called twice'
    assert caught.value.hint == "Mount what asgiref.compatibility.guarantee_single_callable makes of it."


class Middleware:
    """An ASGI 3 application that is made of another one: no double callable, though it takes one argument."""

    def __init__(self, app):
        raise AssertionError(CALLED)

    async def __call__(self, scope, receive, send):
        raise AssertionError(CALLED)


class Endless:
    """An object with an iterator, but no application."""

    def __init__(self, first):
        raise AssertionError(CALLED)

    def __iter__(self):
        raise AssertionError(CALLED)


def factory():
    raise AssertionError(CALLED)


async def make():
    raise AssertionError(CALLED)


async def request_only_async(request):
    raise AssertionError(CALLED)


async def wsgi_async(environ, start_response):
    raise AssertionError(CALLED)


NEITHER = "neither (environ, start_response) nor (scope, receive, send)"


class Blocks:
    """Called as Gradio's objects are: with the inputs of one of their functions."""

    def __call__(self, *inputs, fn_index=0, api_name=None):
        raise AssertionError(CALLED)


NO_APPLICATIONS = [
    pytest.param(factory, f"it takes (), {NEITHER}", 'If it is a factory, write "site:app()".', id="a factory"),
    pytest.param(
        lambda name: [], f"it takes (name), {NEITHER}", 'If it is a factory, write "site:app(...)".',
        id="a factory with an argument",
    ),
    pytest.param(
        lambda one, two, three, four: [], f"it takes (one, two, three, four), {NEITHER}",
        'If it is a factory, write "site:app(...)".', id="four arguments",
    ),
    pytest.param(make, f"it takes (), {NEITHER}", 'If it is a factory, write "site:app()".', id="an async factory"),
    pytest.param(
        request_only_async, f"it takes (request), {NEITHER}", 'If it is a factory, write "site:app(...)".',
        id="a view",
    ),
    pytest.param(
        wsgi_async, f"it takes (environ, start_response), {NEITHER}", 'If it is a factory, write "site:app(...)".',
        id="WSGI as a coroutine function",
    ),
    pytest.param(
        Blocks(), f"it takes (*inputs, fn_index=0, api_name=None), {NEITHER}",
        'If it is a factory, write "site:app()".', id="any inputs, and options of its own",
    ),
]  # fmt: skip
CLASSES = [
    pytest.param(WSGI, 'If its instances are applications, write "site:app()".', id="of WSGI applications"),
    pytest.param(ASGI, 'If its instances are applications, write "site:app()".', id="of ASGI applications"),
    pytest.param(Middleware, 'If its instances are applications, write "site:app(...)".', id="of middleware"),
    pytest.param(Endless, 'If its instances are applications, write "site:app(...)".', id="of iterators"),
    pytest.param(SimpleNamespace, 'If its instances are applications, write "site:app()".', id="of anything"),
]


@pytest.mark.parametrize(("value", "message", "hint"), NO_APPLICATIONS)
def test_what_takes_the_arguments_of_neither_is_no_application(value, message, hint):
    with pytest.raises(InterfaceProblem) as caught:
        tell_interface(value, "site:app", is_made=False)
    assert (str(caught.value), caught.value.hint) == (f'"site:app" is not an application: {message}', hint)


@pytest.mark.parametrize(("value", "hint"), CLASSES)
def test_a_class_whose_instances_are_no_responses_is_no_application(value, hint):
    with pytest.raises(InterfaceProblem) as caught:
        tell_interface(value, "site:app", is_made=False)
    assert (str(caught.value), caught.value.hint) == ('"site:app" is not an application but a class', hint)


@pytest.mark.parametrize("value", [make, WSGI], ids=["function", "class"])
def test_what_a_factory_has_made_is_no_factory(value):
    with pytest.raises(InterfaceProblem) as caught:
        tell_interface(value, "site:create_app()", is_made=True)
    assert caught.value.hint == ""


@pytest.mark.skipif(not hasattr(inspect, "markcoroutinefunction"), reason="Python 3.12 and newer")
def test_a_function_that_is_marked_as_a_coroutine_function_is_one():
    assert tell_interface(inspect.markcoroutinefunction(without_name), "site:app", is_made=False) == "asgi"

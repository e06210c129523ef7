"""What the loader makes of factories of tenants, and of middleware."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from multiserve._types import Loaded
from multiserve.config.targets import parse_target
from multiserve.errors import LoadError
from multiserve.loading.applications import Middleware, load
from multiserve.loading.factories import Factory

APPS = Path(__file__).parents[1] / "apps"
KEY = 'mounts."/u/{name}"'

pytestmark = pytest.mark.usefixtures("clean_process")


@pytest.fixture(autouse=True)
def _search_path(clean_process):
    sys.path.insert(0, str(APPS))


def factory(text, *, placeholders=("name",), interface=None, finish=lambda loaded, _: loaded) -> Factory:
    return Factory(
        parse_target(text), placeholders=placeholders, key=KEY, folder=APPS, interface=interface, finish=finish
    )


def problem_of(caught: pytest.ExceptionInfo[LoadError]) -> tuple[str, str, str]:
    (problem,) = caught.value.problems
    return problem.key, problem.message.partition(" (/")[0], problem.hint


def get(application: Any) -> str:
    """Give the body, with the marks of middleware in front."""
    headers: list[tuple[str, str]] = []
    environ = {"SCRIPT_NAME": "/u/ann", "PATH_INFO": "/"}
    body = b"".join(application(environ, lambda _, given: headers.extend(given)))
    return "".join(value for name, value in headers if name == "X-Mark") + body.decode()


@pytest.mark.parametrize(
    ("text", "placeholders", "values", "made"),
    [
        pytest.param("tenants:create_app", ("name",), ("ann",), ("ann",), id="an attribute"),
        pytest.param("tenants", ("name",), ("ann",), ("ann",), id="the usual name"),
        pytest.param("tenants:create_app()", ("name",), ("ann",), ("ann",), id="a call without arguments"),
        pytest.param("tenants:create_app('x')", ("name",), ("ann",), ("ann", "x"), id="arguments come behind"),
        pytest.param("tenants:create_app(prefix)", ("name",), ("ann",), ("ann", "/u/ann"), id="the prefix"),
        pytest.param("tenants:by_keyword(colour='red')", ("name",), ("ann",), ("ann", "red"), id="a keyword"),
        pytest.param("tenants", ("a", "b"), ("ann", "5"), ("ann", "5"), id="two placeholders"),
    ],
)
def test_a_factory_is_called_with_the_values(text, placeholders, values, made):
    found = factory(text, placeholders=placeholders)
    application = found.finish(found.call(values, "/u/ann"), "/u/ann")
    assert application is not None
    assert application.interface == "wsgi"
    assert sys.modules["tenants"].made == [made]
    assert get(application.application) == "ann at /u/ann|/"


def test_a_factory_may_have_no_such_tenant():
    found = factory("tenants")
    assert found.finish(found.call(("nobody",), "/u/nobody"), "/u/nobody") is None


def test_an_async_factory_is_awaited_and_makes_the_set_asgi():
    found = factory("tenants:asynchronous")
    assert found.interface == "asgi"
    application = found.finish(asyncio.run(_wait(found.call(("ann",), ""))), "")
    assert application is not None
    assert application.interface == "asgi"
    assert found.finish(asyncio.run(_wait(found.call(("nobody",), ""))), "") is None


async def _wait(awaitable):
    return await awaitable


@pytest.mark.parametrize(
    ("declared", "known"),
    [pytest.param(None, None, id="nothing is known before"), pytest.param("asgi", "asgi", id="the file says it")],
)
def test_the_interface_of_a_factory_is_what_the_file_declares(declared, known):
    assert factory("tenants:asgi", interface=declared).interface == known


def test_each_application_is_finished():
    seen = []

    def finish(loaded, prefix):
        seen.append((loaded.interface, prefix))
        return Loaded("finished", loaded.interface)

    found = factory("tenants", finish=finish)
    assert found.finish(found.call(("ann",), "/u/ann"), "/u/ann") == ("finished", "wsgi")
    assert seen == [("wsgi", "/u/ann")]


@pytest.mark.parametrize(
    ("text", "placeholders", "message", "hint"),
    [
        pytest.param(
            "tenants:application",
            ("name",),
            '"tenants:application" is an application, and a key with placeholders needs a factory',
            "Write a function that takes name and returns an application.",
            id="an application",
        ),
        pytest.param(
            "tenants:application",
            ("a", "b"),
            '"tenants:application" is an application, and a key with placeholders needs a factory',
            "Write a function that takes a, b and returns an application.",
            id="an application that two values fit",
        ),
        pytest.param(
            "tenants:asgi",
            ("a", "b"),
            '"tenants:asgi" takes (name), and it is called with the values of a, b',
            "Write a factory that takes them: def asgi(a, b).",
            id="too few arguments",
        ),
        pytest.param(
            "tenants:not_callable",
            ("name",),
            '"tenants:not_callable" is not a factory: it is a str, which cannot be called',
            "",
            id="no factory",
        ),
        pytest.param(
            "tenants:create", ("name",), '"tenants" has no "create"', 'Did you mean "create_app"?', id="no name"
        ),
        pytest.param(
            "good",
            ("name",),
            '"good" has none of the usual names: create_app, make_app',
            'Name the attribute: "good:answer".',
            id="an application under the usual name is no factory",
        ),
    ],
)
def test_a_wrong_factory_is_told_at_load(text, placeholders, message, hint):
    with pytest.raises(LoadError) as caught:
        factory(text, placeholders=placeholders)
    assert problem_of(caught) == (KEY, message, hint)


def test_what_a_factory_raises_is_told_with_its_cause():
    with pytest.raises(LoadError) as caught:
        factory("tenants:raises").call(("ann",), "")
    assert problem_of(caught) == (KEY, '"tenants:raises" raised LookupError: ann', "")
    assert isinstance(caught.value.__cause__, LookupError)


def test_what_an_async_factory_raises_is_told_with_its_cause():
    with pytest.raises(LoadError) as caught:
        asyncio.run(_wait(factory("tenants:asynchronous_raises").call(("ann",), "")))
    assert problem_of(caught) == (KEY, '"tenants:asynchronous_raises" raised LookupError: ann', "")
    assert isinstance(caught.value.__cause__, LookupError)


def test_what_is_no_application_is_told():
    found = factory("tenants:nothing_callable")
    with pytest.raises(LoadError) as caught:
        found.finish(found.call(("ann",), ""), "")
    message = '"tenants:nothing_callable()" is not an application: it is an int, which cannot be called'
    assert problem_of(caught) == (KEY, message, "The factory returned it: it has to return an application.")


def middleware(text):
    return Middleware(parse_target(text), key="middleware", folder=APPS)


@pytest.mark.parametrize(
    ("text", "body"),
    [
        pytest.param("middleware:Mark", "mann at /u/ann|/", id="a class"),
        pytest.param("middleware:Mark('<')", "<ann at /u/ann|/", id="arguments come behind the application"),
        pytest.param("middleware:Mark(mark=prefix)", "/u/annann at /u/ann|/", id="the prefix"),
    ],
)
def test_middleware_wraps_an_application(text, body):
    found = factory("tenants", finish=middleware(text).wrap)
    application = found.finish(found.call(("ann",), "/u/ann"), "/u/ann")
    assert application is not None
    assert get(application.application) == body


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param(
            "middleware:ASGIMark",
            'the middleware "middleware:ASGIMark" is ASGI, but what it wraps is WSGI',
            "Write it on the mounts that speak ASGI, instead of here.",
            id="another interface",
        ),
        pytest.param(
            "middleware:raises", '"middleware:raises" raised LookupError: no middleware today', "", id="it raises"
        ),
        pytest.param(
            "middleware:returns_nothing",
            'the middleware "middleware:returns_nothing" returned None, which cannot be called',
            "It has to return an application: is a return missing?",
            id="it returns nothing",
        ),
        pytest.param(
            "middleware:Mark(colour=1)",
            "\"middleware:Mark\" was called wrongly: got an unexpected keyword argument 'colour'",
            "Its arguments are (application, mark='m').",
            id="wrong arguments",
        ),
        pytest.param(
            "middleware:not_callable",
            '"middleware:not_callable" is not a factory: it is a str, which cannot be called',
            "",
            id="no middleware",
        ),
    ],
)
def test_middleware_that_does_not_fit_is_told(text, message, hint):
    loaded = load(parse_target("good:app"), prefix="", key=KEY, folder=APPS)
    with pytest.raises(LoadError) as caught:
        middleware(text).wrap(loaded, "")
    assert problem_of(caught) == ("middleware", message, hint)


def test_middleware_that_is_not_there_is_told_at_load():
    with pytest.raises(LoadError) as caught:
        middleware("middleware:Marc")
    assert problem_of(caught) == ("middleware", '"middleware" has no "Marc"', 'Did you mean "Mark"?')

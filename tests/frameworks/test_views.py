from __future__ import annotations

import functools
import inspect

import pytest

from multiserve.frameworks.views import NOWHERE, ViewPlace, _classes_in, place_of

HERE = f"{__name__}:"


def view():
    raise AssertionError("no view may be called")


def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        raise AssertionError("no view may be called")

    return wrapper


def hidden(function):
    def wrapper(*args):
        return function(*args)

    return wrapper


class View:
    def __call__(self):
        raise AssertionError("no view may be called")

    def method(self):
        raise AssertionError("no view may be called")

    @classmethod
    def of_class(cls):
        raise AssertionError("no view may be called")


def as_view():
    def dispatch():
        raise AssertionError("no view may be called")

    dispatch.view_class = View
    return dispatch


def as_viewset():
    def dispatch():
        raise AssertionError("no view may be called")

    dispatch.cls, dispatch.initkwargs, dispatch.actions = View, {}, {"get": "method"}
    return dispatch


class Broken:
    def __getattribute__(self, name):
        raise SystemExit(name)


def circle():
    def wrapper():
        raise AssertionError("no view may be called")

    wrapper.__wrapped__ = wrapper
    return wrapper


def of(function, name):
    return ViewPlace(f"{HERE}{name}", __file__, function.__code__.co_firstlineno)


CLASS = ViewPlace(f"{HERE}View", __file__, inspect.getsourcelines(View)[1])

VIEWS = [
    pytest.param(view, of(view, "view"), id="a function"),
    pytest.param(logged(logged(view)), of(view, "view"), id="decorated twice"),
    pytest.param(functools.partial(logged(view), 1), of(view, "view"), id="a partial"),
    pytest.param(hidden(view), of(hidden(view), "hidden.<locals>.wrapper"), id="a decorator that says nothing"),
    pytest.param(View, CLASS, id="a class"),
    pytest.param(View(), CLASS, id="an instance"),
    pytest.param(View().method, of(View.method, "View.method"), id="a bound method"),
    pytest.param(View.of_class, of(View.of_class, "View.of_class"), id="a class method"),
    pytest.param(logged(as_view()), CLASS, id="a class-based view, decorated"),
    pytest.param(logged(as_viewset()), CLASS, id="a viewset of the REST framework, decorated"),
    pytest.param(len, ViewPlace("builtins:len", "", 0), id="not written in Python"),
    pytest.param(None, ViewPlace("builtins:NoneType", "", 0), id="nothing"),
    pytest.param(Broken(), NOWHERE, id="one that raises"),
    pytest.param(circle(), of(circle(), "circle.<locals>.wrapper"), id="a circle of decorators"),
]


@pytest.mark.parametrize(("written", "place"), VIEWS)
def test_the_place_of_a_view_is_where_its_author_wrote_it(written, place):
    assert place_of(written) == place


def test_the_source_of_a_module_is_parsed_once(monkeypatch):
    class Page:
        pass

    class Other:
        pass

    _classes_in.cache_clear()
    lines = [place_of(each).line for each in (Page, Other, Page)]
    assert lines == [inspect.getsourcelines(each)[1] for each in (Page, Other, Page)]
    assert _classes_in.cache_info().misses == 1

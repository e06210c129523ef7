"""What a plugin may import, and how the reader of a framework is used."""

from __future__ import annotations

import inspect

import pytest

from multiserve import plugins
from multiserve.frameworks import InnerRequest, find_route, inspect_application, with_frameworks
from multiserve.plugins import Facts, InnerAnswer, InnerRoute

APPLICATION = type("Application", (), {"__call__": lambda self, environ, start_response: []})()
ROUTE = InnerRoute(path="/x")


class Reader:
    def recognises(self, application):
        return application is APPLICATION

    def read(self, application, inside):
        return Facts(application=application, framework="Ours", version="1", routes=(ROUTE,))

    def find(self, application, request, onward):
        return InnerAnswer(outcome="view", route=ROUTE)


class Broken:
    def recognises(self, application):
        raise ValueError

    read = find = recognises


def test_every_class_and_function_is_documented():
    public = [getattr(plugins, name) for name in plugins.__all__]
    documented = [each for each in public if inspect.isclass(each) or inspect.isfunction(each)]
    assert len(documented) > len(public) / 2
    assert [each for each in documented if not each.__doc__] == []


@pytest.mark.parametrize("readers", [[Reader()], [Broken(), Reader()]], ids=["alone", "behind one that raises"])
def test_a_reader_is_asked_inside_the_block_alone(readers):
    assert inspect_application(APPLICATION) is None
    with with_frameworks(readers):
        assert inspect_application(APPLICATION).framework == "Ours"
        assert find_route(APPLICATION, InnerRequest("/x")).route == ROUTE
    assert inspect_application(APPLICATION) is None
    assert find_route(APPLICATION, InnerRequest("/x")) is None


def test_a_reader_that_raises_does_not_keep_the_others_from_reading():
    flask = pytest.importorskip("flask")
    with with_frameworks([Broken()]):
        assert inspect_application(flask.Flask("shop")).framework == "Flask"


def test_a_reader_of_a_plugin_comes_before_the_built_in_ones():
    flask = pytest.importorskip("flask")
    application = flask.Flask("shop")
    reader = Reader()
    reader.recognises = lambda each: each is application
    with with_frameworks([reader]):
        assert inspect_application(application).framework == "Ours"

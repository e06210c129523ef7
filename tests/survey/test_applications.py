"""An application of another process is read as one of this process is."""

from __future__ import annotations

import pytest

from multiserve.frameworks import Facts, InnerAnswer, InnerRequest, Inspector, find_route, with_frameworks
from multiserve.survey.applications import RemoteApplication, RemoteReader

FACTS = Facts(application=object(), framework="Flask", version="3.1", wrappers=("a:B",))
ANSWER = InnerAnswer(outcome="not found", status=404)


@pytest.fixture
def asked():
    return []


@pytest.fixture(autouse=True)
def reader():
    with with_frameworks((RemoteReader(),)):
        yield


def test_its_facts_are_those_that_were_sent():
    application = RemoteApplication(FACTS, lambda _: None)
    assert Inspector().facts_of(application) == FACTS


def test_one_that_nobody_can_see_inside_has_none():
    assert Inspector().facts_of(RemoteApplication(None, lambda _: None)) is None


def test_its_router_is_asked_where_it_is(asked):
    def find(request):
        asked.append(request)
        return ANSWER

    request = InnerRequest("/x", "POST")
    assert find_route(RemoteApplication(FACTS, find), request) is ANSWER
    assert asked == [request]


def test_a_process_that_has_ended_answers_nothing():
    def find(_):
        raise ConnectionError

    assert find_route(RemoteApplication(FACTS, find), InnerRequest("/")) is None


def test_other_objects_are_none_of_them():
    assert not RemoteReader().recognises(object())

"""The list at the key of a fleet."""

from __future__ import annotations

import asyncio

import pytest

from multiserve.dispatch.answers import Answer
from multiserve.mounts.fleets import FleetIndex

ROWS = [
    pytest.param("", "/", "200 the list", id="the root"),
    pytest.param("", "", "200 the list", id="the root without a slash"),
    pytest.param("/data", "/", "200 the list", id="a prefix"),
    pytest.param("/data", "", "308 ./data/?q", id="a prefix without a slash"),
    pytest.param("/data", "/nope", "404 nothing", id="below"),
    pytest.param("", "/nope", "404 nothing", id="below the root"),
    pytest.param("", "//", "404 nothing", id="two slashes"),
]


@pytest.fixture
def made():
    return []


@pytest.fixture
def index(made):
    def describe():
        made.append(True)
        return Answer("200 OK", "the list")

    return FleetIndex(describe, Answer("404 Not Found", "nothing"))


@pytest.mark.parametrize(("prefix", "rest", "expected"), ROWS)
def test_the_list_is_at_the_prefix_alone(index, prefix, rest, expected):
    started = []
    environ = {"SCRIPT_NAME": prefix, "PATH_INFO": rest, "QUERY_STRING": "q", "REQUEST_METHOD": "GET"}
    body = b"".join(index.wsgi(environ, lambda status, headers: started.append((status, dict(headers)))))
    status, headers = started[0]
    assert f"{status[:3]} {headers.get('Location', body.decode())}" == expected


def ask(index, scope):
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    asyncio.run(index.asgi(scope, receive, send))
    return sent


@pytest.mark.parametrize(("prefix", "rest", "expected"), ROWS)
def test_the_list_is_the_same_over_asgi(index, prefix, rest, expected):
    scope = {"type": "http", "method": "GET", "root_path": prefix, "path": prefix + rest, "query_string": b"q"}
    start, body = ask(index, scope)
    headers = dict(start["headers"])
    assert f"{start['status']} {headers.get(b'location', body['body']).decode()}" == expected


def test_a_websocket_is_refused_and_there_is_no_lifespan(index):
    scope = {"type": "websocket", "root_path": "", "path": "/", "headers": []}
    assert ask(index, scope) == [{"type": "websocket.close"}]
    with pytest.raises(NotImplementedError):
        ask(index, {"type": "lifespan"})


def test_the_list_is_made_each_time_and_not_before_it_is_asked_for(index, made):
    assert made == []
    for _ in range(2):
        ask(index, {"type": "http", "method": "GET", "root_path": "", "path": "/"})
    assert made == [True, True]

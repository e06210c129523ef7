"""WSGI applications of every shape."""

from __future__ import annotations

import functools
from types import SimpleNamespace

calls = []


def answer(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ.get('SCRIPT_NAME', '')}|{environ.get('PATH_INFO', '')}".encode()]


app = answer
lambda_app = lambda environ, start_response: list(answer(environ, start_response))  # noqa: E731
partial = functools.partial(answer)
namespace = SimpleNamespace(inner=SimpleNamespace(app=answer))


class Callable:
    def __call__(self, environ, start_response):
        return answer(environ, start_response)


class Iterable:
    def __init__(self, environ, start_response):
        self.body = answer(environ, start_response)

    def __iter__(self):
        return iter(self.body)


class Plain:
    def __init__(self, name, folder="."):
        self.name, self.folder = name, folder


instance = Callable()
method = instance.__call__


def request_only(request):
    """What werkzeug's `Request.application` decorates: its wrapper takes (environ, start_response)."""


@functools.wraps(request_only)
def decorated(*args):
    return answer(*args)


def takes_nothing():
    return answer


def takes_one(name):
    return answer


def takes_four(one, two, three, four):
    return answer


number = 42
nothing = None
settings = {"debug": True}

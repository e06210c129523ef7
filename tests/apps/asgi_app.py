"""ASGI applications of every shape: this version recognises and refuses them."""

from __future__ import annotations

import functools


async def app(scope, receive, send):
    pass


def returns_awaitable(scope, receive, send):
    return app(scope, receive, send)


class Callable:
    async def __call__(self, scope, receive, send):
        pass


class DoubleCallable:
    """ASGI 2.0: the class is the application."""

    def __init__(self, scope):
        self.scope = scope

    async def __call__(self, receive, send):
        pass


instance = Callable()
method = instance.__call__
partial = functools.partial(app)
partial_of_instance = functools.partial(instance)

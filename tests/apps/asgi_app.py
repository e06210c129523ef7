"""ASGI applications of several shapes."""

from __future__ import annotations

import functools


async def app(scope, receive, send):
    if scope["type"] != "lifespan":
        await send("answered")


@functools.wraps(app)
def decorated(*args):
    return app(*args)


class Callable:
    async def __call__(self, scope, receive, send):
        await app(scope, receive, send)


class DoubleCallable:
    """ASGI 2: the class is the application."""

    def __init__(self, scope):
        self.scope = scope

    async def __call__(self, receive, send):
        await app(self.scope, receive, send)


instance = Callable()
method = instance.__call__
partial = functools.partial(app)

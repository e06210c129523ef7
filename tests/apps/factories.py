"""Factories that work, and factories that fail in every way."""

from __future__ import annotations

import asyncio
import functools
import sys

calls = []


class Application:
    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs
        calls.append(self)

    def __call__(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"made"]


def create_app(*args, **kwargs):
    return Application(*args, **kwargs)


def strict(name, *, debug=False):
    return Application(name, debug=debug)


default = functools.partial(strict, "default")


def returns_nothing():
    Application()


def returns_number():
    return 42


def returns_module():
    return sys


def returns_factory():
    return create_nothing


def create_nothing():
    return None


def returns_asgi():
    async def application(scope, receive, send):
        await send("answered")

    return application


async def is_async():
    await asyncio.sleep(0)


def raises():
    raise ValueError("the database is away\nand the second line is long")


def raises_type_error():
    return len(3)


def raises_import_error():
    import no_such_driver

    return no_such_driver


def raises_key_error():
    return {}["SECRET"]


def exits():
    sys.exit("no licence")


def cancels():
    raise asyncio.CancelledError


def stops():
    raise StopIteration


def interrupts():
    raise KeyboardInterrupt


def raises_with_a_note():
    error = RuntimeError("broken")
    error.add_note("a note")
    raise error


def raises_from_another():
    try:
        raises_key_error()
    except KeyError as error:
        raise RuntimeError("not configured") from error


builtin = int

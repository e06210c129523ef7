from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from multiserve._types import Interface
from multiserve.composition import Composition, compose
from multiserve.config.file import load_config
from multiserve.dispatch.bridge import WSGIBridge

pytestmark = pytest.mark.usefixtures("clean_process")

MIDDLEWARE = """
def wsgi(application):
    def wrapped(environ, start_response): ...
    return wrapped
def asgi(application):
    async def wrapped(scope, receive, send): ...
    return wrapped
"""


@pytest.fixture
def composed(write_config: Callable[[str], Path]) -> Callable[..., Composition]:
    def composed(options: str, interface: Interface) -> Composition:
        path = write_config(f'[mounts]\n"/" = {{ redirect = "/x"{options} }}')
        path.with_name("own_wrappers.py").write_text(MIDDLEWARE)
        return compose(load_config(path), interface=interface)

    return composed


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_the_handler_of_the_interface_answers(composed: Callable[..., Composition], interface: Interface) -> None:
    composition = composed("", interface)
    (loaded,) = composition.mounts
    assert loaded.handlers is not None
    assert (loaded.application, loaded.interface) == (getattr(loaded.handlers, interface), interface)
    if interface == "asgi":
        assert composition.application.router.find("/").mount.lifespan is None


def test_asgi_middleware_around_it_has_a_lifespan(composed: Callable[..., Composition]) -> None:
    composition = composed(', middleware = ["own_wrappers:asgi"]', "asgi")
    assert composition.mounts[0].interface == "asgi"
    assert [each.name for each in composition.application.lifespans.lifespans] == ["/"]


def test_wsgi_middleware_around_it_is_called_in_threads(composed: Callable[..., Composition]) -> None:
    composition = composed(', middleware = ["own_wrappers:wsgi"]', "asgi")
    assert composition.mounts[0].interface == "wsgi"
    assert isinstance(composition.application.router.find("/").mount.http, WSGIBridge)
    assert composition.application.lifespans.lifespans == []


def test_asgi_middleware_is_refused_by_a_wsgi_composition(composed: Callable[..., Composition]) -> None:
    (loaded,) = composed(', middleware = ["own_wrappers:asgi"]', "wsgi").mounts
    assert loaded.application is None
    assert 'the middleware "own_wrappers:asgi" is ASGI, but what it wraps is WSGI' in str(loaded.error)

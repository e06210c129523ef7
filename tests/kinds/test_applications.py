from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from multiserve._types import Interface
from multiserve.composition import Composition, compose
from multiserve.config.file import load_config
from multiserve.dispatch.bridge import WSGIBridge
from multiserve.dispatch.concurrency import ASGILimit, WSGILimit

pytestmark = pytest.mark.usefixtures("clean_process")

APPS = """
def wsgi(environ, start_response): ...
async def asgi(scope, receive, send): ...
"""


@pytest.fixture
def composed(write_config: Callable[[str], Path]) -> Callable[..., Composition]:
    def composed(options: str, interface: Interface | None = None) -> Composition:
        path = write_config(f'[mounts]\n"/" = {{ {options} }}')
        path.with_name("two_apps.py").write_text(APPS)
        return compose(load_config(path), interface=interface)

    return composed


def test_a_wsgi_application_answers_itself(composed: Callable[..., Composition]) -> None:
    composition = composed('app = "two_apps:wsgi"')
    assert composition.application.router.find("/").mount is composition.mounts[0].origin


def test_a_wsgi_application_in_an_asgi_composition_has_threads_and_no_lifespan(
    composed: Callable[..., Composition],
) -> None:
    mount = composed('app = "two_apps:wsgi", threads = 3', "asgi").application.router.find("/").mount
    assert isinstance(mount.http, WSGIBridge)
    assert (mount.http.submit.__self__.size, mount.lifespan) == (3, None)


def test_an_asgi_application_has_a_lifespan(composed: Callable[..., Composition]) -> None:
    composition = composed('app = "two_apps:asgi"')
    mount = composition.application.router.find("/").mount
    assert mount.http is mount.websocket is composition.mounts[0].origin
    assert mount.lifespan is composition.application.lifespans.lifespans[0]


def test_an_asgi_application_is_refused_by_a_wsgi_composition(composed: Callable[..., Composition]) -> None:
    (loaded,) = composed('app = "two_apps:asgi"', "wsgi").mounts
    assert (loaded.application, loaded.interface) == (None, "asgi")
    assert '"two_apps:asgi" is an ASGI application, which a WSGI server cannot serve' in str(loaded.error)


@pytest.mark.parametrize(("interface", "limit"), [("wsgi", WSGILimit), ("asgi", ASGILimit)])
def test_a_limit_of_requests_is_put_around_it(
    composed: Callable[..., Composition], interface: Interface, limit: type
) -> None:
    mount = composed('app = "two_apps:wsgi", max_concurrency = 2', interface).application.router.find("/").mount
    assert isinstance(mount if interface == "wsgi" else mount.http, limit)

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from multiserve._types import Interface, Message
from multiserve.composition import Composition, compose
from multiserve.config.file import load_config
from multiserve.dispatch.concurrency import ASGITenantsLimit, WSGITenantsLimit
from multiserve.mounts.tenants.asgi import ASGITenants
from multiserve.mounts.tenants.registry import CacheLimits
from multiserve.mounts.tenants.wsgi import WSGITenants

pytestmark = pytest.mark.usefixtures("clean_process")

CACHE = "max_instances = 7, idle_seconds = 5, refused_seconds = 3"

ASGI_TENANT = """
async def live(scope, receive, send):
    if scope["type"] != "lifespan":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"live"})
def create_app(user):
    return live
"""


@pytest.fixture
def composed(write_config: Callable[[str], Path]) -> Callable[..., Composition]:
    def composed(options: str, interface: Interface) -> Composition:
        path = write_config(f'[mounts]\n"/u/{{user}}" = {{ app = "user_apps:create_app", {options} }}')
        path.with_name("user_apps.py").write_text("def create_app(user): ...")
        return compose(load_config(path), interface=interface)

    return composed


@pytest.mark.parametrize(("interface", "kind"), [("wsgi", WSGITenants), ("asgi", ASGITenants)])
def test_the_factory_and_the_limits_of_its_cache_are_handed_on(
    composed: Callable[..., Composition], interface: Interface, kind: type
) -> None:
    composition = composed(CACHE, interface)
    (loaded,) = composition.mounts
    tenants = composition.application.router.find("/u/ann").mount
    assert type(tenants) is kind
    assert (loaded.application, tenants.factory) == (None, loaded.factory)
    assert tenants.limits == CacheLimits(7, 5, 3)


@pytest.mark.parametrize(("interface", "limit"), [("wsgi", WSGITenantsLimit), ("asgi", ASGITenantsLimit)])
def test_a_limit_of_requests_is_put_around_all_tenants(
    composed: Callable[..., Composition], interface: Interface, limit: type
) -> None:
    application = composed("max_concurrency = 2", interface).application
    tenants = application.router.find("/u/ann").mount
    assert type(tenants) is limit
    if interface == "asgi":
        assert application.lifespans.tenants == [tenants]


@pytest.mark.parametrize(
    ("option", "neighbour", "status"),
    [
        pytest.param("", "", 500, id="all are WSGI"),
        pytest.param(', interface = "asgi"', "", 200, id="declared"),
        pytest.param("", '"/live" = "user_apps:live"', 200, id="beside an ASGI application"),
        pytest.param("", '"/gone" = "user_apps:gone"', 200, id="beside a broken one"),
    ],
)
def test_an_asgi_tenant_is_refused_where_all_mounts_are_wsgi(
    write_config: Callable[[str], Path], option: str, neighbour: str, status: int
) -> None:
    path = write_config(f'[mounts]\n"/u/{{user}}" = {{ app = "user_apps:create_app"{option} }}\n{neighbour}')
    path.with_name("user_apps.py").write_text(ASGI_TENANT)
    application = compose(load_config(path), interface="asgi").application
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def ask() -> None:
        assert await application.lifespans.start() == ""
        await application({"type": "http", "method": "GET", "path": "/u/ann", "headers": []}, receive, send)
        await application.lifespans.stop()

    asyncio.run(ask())
    assert sent[0]["status"] == status

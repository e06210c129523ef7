from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from multiserve._types import Interface
from multiserve.composition import Composition, compose
from multiserve.config.file import load_config
from multiserve.dispatch.concurrency import ASGITenantsLimit, WSGITenantsLimit
from multiserve.mounts.tenants.asgi import ASGITenants
from multiserve.mounts.tenants.registry import CacheLimits
from multiserve.mounts.tenants.wsgi import WSGITenants

pytestmark = pytest.mark.usefixtures("clean_process")

CACHE = "max_instances = 7, idle_seconds = 5, refused_seconds = 3"


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

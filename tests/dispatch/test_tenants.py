from __future__ import annotations

import asyncio

import pytest

from multiserve.dispatch.concurrency import ASGITenantsLimit, WSGITenantsLimit
from multiserve.dispatch.tenants import ASGITenantMount, WSGITenantMount
from multiserve.mounts.tenants.asgi import ASGITenants
from multiserve.mounts.tenants.wsgi import WSGITenants


@pytest.mark.parametrize(
    ("mount", "base"),
    [
        (WSGITenants, WSGITenantMount),
        (WSGITenantsLimit, WSGITenantMount),
        (ASGITenants, ASGITenantMount),
        (ASGITenantsLimit, ASGITenantMount),
    ],
)
def test_the_dispatchers_know_every_mount_of_tenants(mount: type, base: type) -> None:
    assert issubclass(mount, base)
    assert "claim" in vars(mount)


def test_a_mount_of_tenants_has_to_say_how_they_are_claimed_and_stopped() -> None:
    with pytest.raises(NotImplementedError):
        WSGITenantMount().claim(("ann",), "/u/ann")
    with pytest.raises(NotImplementedError):
        asyncio.run(ASGITenantMount().claim(("ann",), "/u/ann"))
    with pytest.raises(NotImplementedError):
        asyncio.run(ASGITenantMount().stop(1))

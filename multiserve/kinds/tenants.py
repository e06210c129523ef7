"""Mounts of a factory, which makes an application for each tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multiserve.config.model import Config
from multiserve.config.mounts import TenantMount
from multiserve.dispatch.concurrency import ASGITenantsLimit, WSGITenantsLimit
from multiserve.dispatch.tenants import ASGITenantMount, WSGITenantMount
from multiserve.kinds.applications import limited
from multiserve.kinds.kind import Kind, Surroundings
from multiserve.loading.factories import Factory
from multiserve.loading.mounts import LoadedMount, MountLoader

if TYPE_CHECKING:
    from multiserve.dispatch.lifespan import Lifespan
    from multiserve.mounts.tenants.registry import CacheLimits


class TenantKind(Kind[TenantMount]):
    """Loads the factory that a target names."""

    def load(self, mount: TenantMount, loader: MountLoader) -> LoadedMount:
        """Import the factory and the middleware of its applications; no application is made."""
        loader.load_middleware(mount)
        factory = Factory(
            mount.target,
            placeholders=mount.key.placeholders,
            key=mount.toml_key,
            folder=loader.config.folder,
            interface=mount.interface,
            finish=lambda loaded, prefix: loader.wrap(mount, loaded, prefix),
        )
        loader.refuse_foreign(mount, factory.interface)
        return LoadedMount(mount=mount, factory=factory, interface=factory.interface)

    def may_have_lifespan(self, loaded: LoadedMount, config: Config) -> bool:
        """Return False: each tenant has a lifespan, which begins when its application is made."""
        del loaded, config
        return False

    def answer_wsgi(self, mount: TenantMount, loaded: LoadedMount, surroundings: Surroundings) -> WSGITenantMount:
        """Return the tenants, with a limit if the file sets one."""
        from multiserve.mounts.tenants.wsgi import WSGITenants

        tenants: WSGITenantMount = WSGITenants(
            _factory_of(loaded),
            name=mount.name,
            limits=_limits_of(mount),
            details=surroundings.development,
        )
        return limited(mount, tenants, WSGITenantsLimit)

    def answer_asgi(
        self, mount: TenantMount, loaded: LoadedMount, surroundings: Surroundings, lifespan: Lifespan | None
    ) -> ASGITenantMount:
        """Return the tenants, with a limit if the file sets one."""
        from multiserve.mounts.tenants.asgi import ASGITenants

        del lifespan
        server = surroundings.config.server
        tenants: ASGITenantMount = ASGITenants(
            _factory_of(loaded),
            name=mount.name,
            threads=mount.threads,
            limits=_limits_of(mount),
            details=surroundings.development,
            startup_timeout=server.startup_timeout,
            shutdown_timeout=server.shutdown_timeout,
            refuse_websocket=surroundings.not_found.asgi,
            takes_asgi=surroundings.takes_asgi,
        )
        return limited(mount, tenants, ASGITenantsLimit)


def _factory_of(loaded: LoadedMount) -> Factory:
    if loaded.factory is None:
        raise TypeError(f"{loaded.mount.name} has no factory")
    return loaded.factory


def _limits_of(mount: TenantMount) -> CacheLimits:
    from multiserve.mounts.tenants.registry import CacheLimits

    return CacheLimits(mount.max_instances, mount.idle_seconds, mount.refused_seconds)

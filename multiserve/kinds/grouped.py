"""Mounts whose applications are in the process of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multiserve._types import WSGIApplication
from multiserve.config.model import Config
from multiserve.config.mounts import GroupedMount
from multiserve.dispatch.tenants import ASGITenantMount
from multiserve.kinds.kind import Kind, Surroundings
from multiserve.loading.mounts import LoadedMount, MountLoader

if TYPE_CHECKING:
    from multiserve.dispatch.asgi import ASGIMount
    from multiserve.dispatch.lifespan import Lifespan


class GroupedKind(Kind[GroupedMount]):
    """Hands on what is asked for; the process of the group loads the application."""

    def load(self, mount: GroupedMount, loader: MountLoader) -> LoadedMount:
        """Prepare the client.

        Raises:
            LoadError: The composition has to be WSGI.
        """
        loader.refuse_foreign(mount, "asgi")
        from multiserve.mounts.grouped.proxy import GroupProxy

        proxy = GroupProxy(
            mount.socket,
            mount.name,
            mount.group,
            mount.key.prefix.count("/"),
            has_tenants=bool(mount.key.placeholders),
            details=loader.development,
        )
        return LoadedMount(mount=mount, application=proxy, interface="asgi")

    def may_have_lifespan(self, loaded: LoadedMount, config: Config) -> bool:
        """Return True: it closes the connections."""
        del loaded, config
        return True

    def answer_wsgi(self, mount: GroupedMount, loaded: LoadedMount, surroundings: Surroundings) -> WSGIApplication:
        """Raise: `load` has refused a composition that has to be WSGI."""
        raise NotImplementedError

    def answer_asgi(
        self, mount: GroupedMount, loaded: LoadedMount, surroundings: Surroundings, lifespan: Lifespan | None
    ) -> ASGIMount | ASGITenantMount:
        """Return the proxy."""
        from multiserve.dispatch.asgi import ASGIMount

        del mount, surroundings
        return ASGIMount(http=loaded.application, websocket=loaded.application, lifespan=lifespan)

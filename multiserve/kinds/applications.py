"""Mounts of one application."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from multiserve._types import ASGIApplication, WSGIApplication
from multiserve.config.model import Config
from multiserve.config.mounts import AppMount
from multiserve.dispatch.concurrency import ASGILimit, WSGILimit
from multiserve.kinds.kind import Kind, Surroundings
from multiserve.loading.mounts import LoadedMount, MountLoader

if TYPE_CHECKING:
    from multiserve.dispatch.asgi import ASGIMount
    from multiserve.dispatch.lifespan import Lifespan

T = TypeVar("T")


class ApplicationKind(Kind[AppMount]):
    """Loads the application that a target names."""

    def load(self, mount: AppMount, loader: MountLoader) -> LoadedMount:
        """Import the application and wrap it in its middleware."""
        loaded = loader.load_target(mount)
        loader.refuse_foreign(mount, loaded.interface)
        found = loader.wrap_once(mount, loaded)
        return LoadedMount(
            mount=mount, application=found.application, interface=found.interface, origin=loaded.application
        )

    def may_have_lifespan(self, loaded: LoadedMount, config: Config) -> bool:
        """Return True: whether an application has a lifespan is only known once it is asked."""
        del loaded, config
        return True

    def answer_wsgi(self, mount: AppMount, loaded: LoadedMount, surroundings: Surroundings) -> WSGIApplication:
        """Return the application, with a limit if the file sets one."""
        del surroundings
        application: WSGIApplication = loaded.application
        return limited(mount, application, WSGILimit)

    def answer_asgi(
        self, mount: AppMount, loaded: LoadedMount, surroundings: Surroundings, lifespan: Lifespan | None
    ) -> ASGIMount:
        """Return the application, with a limit if the file sets one; a WSGI application is called in threads."""
        from multiserve.dispatch.asgi import ASGIMount

        if loaded.interface == "wsgi":
            from multiserve.dispatch.bridge import WSGIBridge
            from multiserve.dispatch.threads import ThreadPool

            threads = ThreadPool(mount.threads, mount.name)
            bridge: ASGIApplication = WSGIBridge(loaded.application, threads.submit)
            return ASGIMount(http=limited(mount, bridge, ASGILimit), websocket=surroundings.not_found.asgi)
        application: ASGIApplication = loaded.application
        return ASGIMount(http=limited(mount, application, ASGILimit), websocket=application, lifespan=lifespan)


def limited(mount: AppMount, application: T, limit: Callable[[T, int, str], T]) -> T:
    """Return the application within the `max_concurrency` of its mount."""
    return limit(application, mount.max_concurrency, mount.name) if mount.max_concurrency else application

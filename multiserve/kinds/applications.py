"""Mounts of one application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from multiserve._types import ASGIApplication, Interface, WSGIApplication
from multiserve.config.model import Config
from multiserve.config.mounts import AppMount
from multiserve.dispatch.concurrency import ASGILimit, WSGILimit
from multiserve.dispatch.hooks import Hooks
from multiserve.errors import LoadError, Problem
from multiserve.kinds.kind import Kind, Surroundings
from multiserve.loading.functions import load_function
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
            mount=mount,
            application=found.application,
            interface=found.interface,
            origin=loaded.application,
            hooks=_load_hooks(mount, found.interface, loader.config.folder),
        )

    def may_have_lifespan(self, loaded: LoadedMount, config: Config) -> bool:
        """Return True: whether an application has a lifespan is only known once it is asked."""
        del loaded, config
        return True

    def answer_wsgi(self, mount: AppMount, loaded: LoadedMount, surroundings: Surroundings) -> WSGIApplication:
        """Return the application, with a limit if the file sets one."""
        application: WSGIApplication = loaded.application
        if loaded.hooks:
            application = loaded.hooks.guard(application, details=surroundings.development)
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
            http = limited(mount, bridge, ASGILimit)
            return ASGIMount(http=http, websocket=surroundings.not_found.asgi, lifespan=lifespan)
        application: ASGIApplication = loaded.application
        return ASGIMount(http=limited(mount, application, ASGILimit), websocket=application, lifespan=lifespan)


def _load_hooks(mount: AppMount, interface: Interface | None, folder: Path) -> Hooks | None:
    """Load the functions that a WSGI mount runs when a worker starts and ends.

    Raises:
        LoadError: One of them cannot be loaded, or the application is ASGI.
    """
    targets = {name: target for name in ("startup", "shutdown") if (target := getattr(mount, name))}
    if not targets:
        return None
    if interface == "asgi":
        key = f"{mount.toml_key}.{next(iter(targets))}"
        hint = "Write it in the lifespan of the application: startup and shutdown are for WSGI."
        raise LoadError(Problem(key=key, message=f'"{mount.what}" is an ASGI application', hint=hint))
    functions = {
        name: load_function(target, prefix=mount.key.prefix, key=f"{mount.toml_key}.{name}", folder=folder)
        for name, target in targets.items()
    }
    return Hooks(mount.name, functions.get("startup"), functions.get("shutdown"))


def limited(mount: AppMount, application: T, limit: Callable[[T, int, str], T]) -> T:
    """Return the application within the `max_concurrency` of its mount."""
    return limit(application, mount.max_concurrency, mount.name) if mount.max_concurrency else application

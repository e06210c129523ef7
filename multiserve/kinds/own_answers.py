"""Mounts that multiserve answers by itself, over either interface."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Generic

from multiserve._types import Interface, Loaded, WSGIApplication
from multiserve.config.model import Config
from multiserve.errors import LoadError
from multiserve.kinds.kind import Kind, M, Surroundings
from multiserve.loading.mounts import Handlers, LoadedMount, MountLoader

if TYPE_CHECKING:
    from multiserve.dispatch.asgi import ASGIMount
    from multiserve.dispatch.lifespan import Lifespan

_THREADS = 4  # for WSGI middleware around such a mount in an ASGI composition


class OwnAnswerKind(Kind[M], Generic[M]):
    """A kind that has a handler for each interface."""

    def handlers(self, mount: M) -> Handlers:
        """Return what answers for a mount, without its middleware.

        Raises:
            LoadError: It cannot be served.
        """
        raise NotImplementedError

    def load(self, mount: M, loader: MountLoader) -> LoadedMount:
        """Make the handlers, and import the middleware, so that a mistake in it is reported like any other."""
        loader.load_middleware(mount)
        return LoadedMount(mount=mount, handlers=self.handlers(mount))

    def finish(self, loaded: LoadedMount, interface: Interface, loader: MountLoader) -> LoadedMount:
        """Take the handler of the composition's interface and wrap it in its middleware, or else the WSGI handler."""
        if loaded.handlers is None:
            return loaded
        mount, handlers = loaded.mount, loaded.handlers
        try:
            handler = Loaded(handlers.asgi if interface == "asgi" else handlers.wsgi, interface)
            found = loader.wrap(mount, handler, mount.key.prefix)
        except LoadError:
            if interface == "wsgi":
                raise
            found = loader.wrap(mount, Loaded(handlers.wsgi, "wsgi"), mount.key.prefix)  # its middleware is WSGI
        return replace(loaded, application=found.application, interface=found.interface)

    def may_have_lifespan(self, loaded: LoadedMount, config: Config) -> bool:
        """Return whether there is middleware, which may have a lifespan; the handlers have none."""
        return bool(config.middleware or loaded.mount.middleware)

    def answer_wsgi(self, mount: M, loaded: LoadedMount, surroundings: Surroundings) -> WSGIApplication:
        """Return the handler in its middleware."""
        del mount, surroundings
        application: WSGIApplication = loaded.application
        return application

    def answer_asgi(
        self, mount: M, loaded: LoadedMount, surroundings: Surroundings, lifespan: Lifespan | None
    ) -> ASGIMount:
        """Return the handler in its middleware; WSGI middleware is called in threads."""
        from multiserve.dispatch.asgi import ASGIMount

        if loaded.interface == "asgi":
            return ASGIMount(http=loaded.application, websocket=loaded.application, lifespan=lifespan)
        from multiserve.dispatch.bridge import WSGIBridge
        from multiserve.dispatch.threads import ThreadPool

        bridge = WSGIBridge(loaded.application, ThreadPool(_THREADS, mount.name).submit)
        return ASGIMount(http=bridge, websocket=surroundings.not_found.asgi)

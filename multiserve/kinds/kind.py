"""What a kind of mount has to do: load a mount, and answer for it over either interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from multiserve._types import Interface, WSGIApplication
from multiserve.config.model import Config
from multiserve.config.mounts import Mount
from multiserve.dispatch.answers import Answer
from multiserve.dispatch.tenants import ASGITenantMount, WSGITenantMount
from multiserve.loading.mounts import LoadedMount, MountLoader

if TYPE_CHECKING:  # asyncio takes long to import, and WSGI applications alone do not need it
    from multiserve.dispatch.asgi import ASGIMount
    from multiserve.dispatch.lifespan import Lifespan

M = TypeVar("M", bound=Mount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a mount is composed into.

    Attributes:
        config: The configuration.
        not_found: What answers where no mount does; it refuses the WebSockets of WSGI applications, too.
        development: Whether clients may see tracebacks.
        takes_asgi: Whether tenants may be ASGI; not where all mounts are WSGI, whatever the server is.
    """

    config: Config
    not_found: Answer
    development: bool
    takes_asgi: bool = True


class Kind(Generic[M]):
    """One kind of mount."""

    def load(self, mount: M, loader: MountLoader) -> LoadedMount:
        """Load a mount.

        Raises:
            LoadError: It cannot be served.
        """
        raise NotImplementedError

    def finish(self, loaded: LoadedMount, interface: Interface, loader: MountLoader) -> LoadedMount:
        """Complete a mount, now that the interface of the composition is known; by default it is complete.

        Raises:
            LoadError: It cannot be served.
        """
        del interface, loader
        return loaded

    def may_have_lifespan(self, loaded: LoadedMount, config: Config) -> bool:
        """Return whether something at a mount with an ASGI application may want a lifespan of its own."""
        raise NotImplementedError

    def answer_wsgi(
        self, mount: M, loaded: LoadedMount, surroundings: Surroundings
    ) -> WSGIApplication | WSGITenantMount:
        """Return what answers for `mount`, which has been loaded, in a WSGI composition."""
        raise NotImplementedError

    def answer_asgi(
        self, mount: M, loaded: LoadedMount, surroundings: Surroundings, lifespan: Lifespan | None
    ) -> ASGIMount | ASGITenantMount:
        """Return what answers for `mount` in an ASGI composition; `lifespan` is that of its application."""
        raise NotImplementedError

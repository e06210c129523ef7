"""What the dispatchers know of a mount whose key has placeholders: it has an application for each tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multiserve._types import ASGIApplication, Receive, WSGIApplication

if TYPE_CHECKING:  # it takes long to import
    from concurrent.futures import Future


class NotMineError(Exception):
    """The process of a mount knows no such tenant, and has answered nothing: the next best mount is asked.

    Attributes:
        receive: What that one receives from.
    """

    def __init__(self, receive: Receive) -> None:
        """Go on with what has not been received yet."""
        super().__init__("no such tenant")
        self.receive = receive


class WSGITenantMount:
    """A mount with a WSGI application for each tenant."""

    def claim(self, values: tuple[str, ...], prefix: str) -> WSGIApplication | None:
        """Return the application of a tenant, to be called exactly once; None if there is no such tenant.

        Args:
            values: What the placeholders of the key stand for, in its order.
            prefix: The prefix of the mount, with these values in it.
        """
        raise NotImplementedError

    def close_all(self) -> list[Future[None]]:
        """Begin to close all applications; each future ends with one of them."""
        raise NotImplementedError


class ASGITenantMount:
    """A mount with an application for each tenant, over ASGI."""

    async def claim(self, values: tuple[str, ...], prefix: str) -> ASGIApplication | None:
        """Return the application of a tenant, as `WSGITenantMount.claim` does."""
        raise NotImplementedError

    async def stop(self, seconds: float) -> None:
        """Shut all applications down within that many seconds."""
        raise NotImplementedError

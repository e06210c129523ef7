"""Proxied mounts whose key has placeholders: which server a request goes to."""

from __future__ import annotations

from collections.abc import Sequence

from multiserve._types import ASGIApplication, Receive, Scope, Send
from multiserve.dispatch.tenants import ASGITenantMount
from multiserve.upstreams import Upstream

UPSTREAM_KEY = "multiserve.upstream"
"""Where the scope has the server that the placeholders of a key have led to."""


class ProxiedPlaceholders(ASGITenantMount):
    """Hands requests on to the server that the placeholders of a key lead to."""

    def __init__(self, upstream: Upstream, names: Sequence[str], application: ASGIApplication) -> None:
        """Lead to servers.

        Args:
            upstream: The server, with placeholders in it.
            names: The placeholders of the key, in its order.
            application: The `Proxy`, in its middleware.
        """
        self._upstream = upstream
        self._names = tuple(names)
        self._application = application

    async def claim(self, values: tuple[str, ...], prefix: str) -> ASGIApplication | None:
        """Return what hands on to the server for these values; None where they can be no part of its address."""
        del prefix
        found = self._upstream.fill(dict(zip(self._names, values, strict=True)))
        return None if found is None else _led_to(found, self._application)

    async def stop(self, seconds: float) -> None:
        """Do nothing: the lifespan of the proxy closes its connections."""


def _led_to(upstream: Upstream, application: ASGIApplication) -> ASGIApplication:
    async def led(scope: Scope, receive: Receive, send: Send) -> None:
        await application({**scope, UPSTREAM_KEY: upstream}, receive, send)

    return led

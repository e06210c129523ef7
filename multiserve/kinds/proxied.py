"""Mounts that hand requests on to another server."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

from multiserve._types import Loaded, WSGIApplication
from multiserve.config.model import Config
from multiserve.config.mounts import ProxiedMount
from multiserve.dispatch.concurrency import ASGILimit, ASGITenantsLimit
from multiserve.dispatch.tenants import ASGITenantMount
from multiserve.errors import LoadError, Problem
from multiserve.kinds.kind import Kind, Surroundings
from multiserve.loading.mounts import LoadedMount, MountLoader

if TYPE_CHECKING:
    from multiserve.dispatch.asgi import ASGIMount
    from multiserve.dispatch.lifespan import Lifespan
    from multiserve.mounts.proxied.application import Proxy


class ProxiedKind(Kind[ProxiedMount]):
    """Hands on what is asked for; nothing is connected before the server starts."""

    def load(self, mount: ProxiedMount, loader: MountLoader) -> LoadedMount:
        """Prepare the client, and import the middleware.

        Raises:
            LoadError: The client is not installed, the mount would ask itself, or a middleware cannot be loaded.
        """
        if problem := next(_problems_of(mount, loader.config), None):
            raise LoadError(problem)
        loader.refuse_foreign(mount, "asgi")
        proxy = proxy_to(mount, loader.config, details=loader.development)
        found = loader.wrap(mount, Loaded(proxy, "asgi"), mount.key.prefix)
        return LoadedMount(mount=mount, application=found.application, interface=found.interface)

    def may_have_lifespan(self, loaded: LoadedMount, config: Config) -> bool:
        """Return True: it closes the connections, and asks a required server whether it answers."""
        del loaded, config
        return True

    def answer_wsgi(self, mount: ProxiedMount, loaded: LoadedMount, surroundings: Surroundings) -> WSGIApplication:
        """Raise: `load` has refused a composition that has to be WSGI."""
        raise NotImplementedError

    def answer_asgi(
        self, mount: ProxiedMount, loaded: LoadedMount, surroundings: Surroundings, lifespan: Lifespan | None
    ) -> ASGIMount | ASGITenantMount:
        """Return the proxy, with a limit if the file sets one."""
        from multiserve.dispatch.asgi import ASGIMount

        del surroundings
        limit, application = mount.max_concurrency, loaded.application
        if not mount.has_placeholders:
            limited = ASGILimit(application, limit, mount.name) if limit else application
            return ASGIMount(http=limited, websocket=application, lifespan=lifespan)
        from multiserve.mounts.proxied.placeholders import ProxiedPlaceholders

        servers = ProxiedPlaceholders(mount.upstream, mount.key.placeholders, application)
        return ASGITenantsLimit(servers, limit, mount.name) if limit else servers


def proxy_to(mount: ProxiedMount, config: Config, *, details: bool = False) -> Proxy:
    """Return what hands the requests of a mount on, without its middleware."""
    from multiserve.mounts.proxied.application import Proxy, ProxyOptions

    options = ProxyOptions(
        name=mount.name,
        prefix="" if mount.has_placeholders else mount.key.prefix,
        timeout=mount.timeout,
        strip=mount.strip,
        keeps_host=mount.host == "keep",
        is_required=mount.required or config.server.strict,
        details=details,
    )
    return Proxy(mount.upstream, options)


def _own_addresses(config: Config) -> Iterator[tuple[str, int]]:
    """Yield host and port of each address that the server listens on, as far as the file says."""
    yield config.server.host, config.server.port
    bind = config.gunicorn.get("bind", ())
    for each in [bind] if isinstance(bind, str) else bind:
        host, _, port = str(each).rpartition(":")
        if port.isdigit():
            yield host.strip("[]"), int(port)


def _problems_of(mount: ProxiedMount, config: Config) -> Iterator[Problem]:
    if importlib.util.find_spec("aiohttp") is None:
        hint = 'Install it: pip install "multiserve[proxy]".'
        yield Problem(key=mount.toml_key, message="a proxy needs aiohttp, which is not installed", hint=hint)
    if mount.upstream.socket and not hasattr(socket, "AF_UNIX"):
        yield Problem(
            key=mount.toml_key, message="this system has no unix sockets", hint="Write http://127.0.0.1:port."
        )
    if any(mount.upstream.is_at(host, port) for host, port in _own_addresses(config)):
        message = f"{mount.what} is where this server listens itself: it would ask itself without end"
        yield Problem(key=mount.toml_key, message=message, hint="Write the port of the other server.")

"""From loaded mounts to one application: a dispatcher over what answers at each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from multiserve._types import ASGIApplication, WSGIApplication
from multiserve.config.file import Config
from multiserve.config.mounts import AppMount, TenantMount
from multiserve.dispatch.answers import Answer, broken, not_found
from multiserve.dispatch.concurrency import ASGILimit, ASGITenantsLimit, WSGILimit, WSGITenantsLimit
from multiserve.dispatch.wsgi import WSGIDispatcher
from multiserve.loading.mounts import LoadedMount
from multiserve.routing import Router
from multiserve.tracebacks import format_traceback

_THREADS = 4  # for a static folder or a redirect behind middleware that is WSGI


def compose_wsgi(config: Config, mounts: Sequence[LoadedMount], *, development: bool) -> WSGIApplication:
    """Compose mounts that all speak WSGI.

    Args:
        config: The configuration.
        mounts: What its mounts have become; those that failed answer 503.
        development: Show tracebacks and the list of mounts to clients.
    """
    composed = [(loaded.mount.key, _wsgi_mount(loaded, development=development)) for loaded in mounts]
    missing = _not_found(config, development=development)
    return WSGIDispatcher(Router(composed), missing.wsgi, trusted_proxies=config.server.trusted_proxies)


def _wsgi_mount(loaded: LoadedMount, *, development: bool) -> Any:
    mount = loaded.mount
    if loaded.error:
        return _broken(loaded, development=development).wsgi
    if isinstance(mount, TenantMount):
        from multiserve.mounts.tenants.wsgi import WSGITenants

        tenants = WSGITenants(
            loaded.application,
            name=str(mount.key),
            max_instances=mount.max_instances,
            idle_seconds=mount.idle_seconds,
            refused_seconds=mount.refused_seconds,
            details=development,
        )
        return _limited(loaded, tenants, WSGITenantsLimit)
    return _limited(loaded, loaded.application, WSGILimit)


def _limited(loaded: LoadedMount, application: Any, limit: Callable[[Any, int, str], Any]) -> Any:
    mount = loaded.mount
    bound = mount.max_concurrency if isinstance(mount, AppMount) else 0
    return limit(application, bound, str(mount.key)) if bound else application


def compose_asgi(config: Config, mounts: Sequence[LoadedMount], *, development: bool) -> ASGIApplication:
    """Compose mounts of either interface; the arguments are those of `compose_wsgi`."""
    # asyncio takes long to import: whoever mounts WSGI applications alone does without it.
    from multiserve.dispatch.asgi import ASGIDispatcher
    from multiserve.dispatch.lifespan import Lifespan, Lifespans
    from multiserve.mounts.tenants.asgi import ASGITenants

    missing = _not_found(config, development=development)
    lifespans: dict[int, Lifespan] = {}  # one for each application and what wraps it, however often that is mounted
    required: list[Lifespan] = []
    tenants: list[ASGITenants] = []
    composed = []
    for loaded in mounts:
        mount = loaded.mount
        lifespan = None
        if _may_have_lifespan(config, loaded):
            lifespan = lifespans.setdefault(id(loaded.application), Lifespan(loaded.application, str(mount.key)))
            if (mount.required or config.server.strict) and lifespan not in required:
                required.append(lifespan)
        answering = _asgi_mount(config, loaded, lifespan, missing, development=development)
        if isinstance(answering, ASGITenants):
            tenants.append(answering)
            answering = _limited(loaded, answering, ASGITenantsLimit)
        composed.append((mount.key, answering))
    supervisor = Lifespans(list(lifespans.values()), required, config.server.shutdown_timeout, tenants)
    return ASGIDispatcher(
        Router(composed),
        supervisor,
        missing,
        config.server.startup_timeout,
        details=development,
        trusted_proxies=config.server.trusted_proxies,
    )


def _may_have_lifespan(config: Config, loaded: LoadedMount) -> bool:
    """Tell whether something at a mount may want a lifespan: an ASGI application, or middleware around a folder."""
    if loaded.error or loaded.interface != "asgi" or isinstance(loaded.mount, TenantMount):
        return False
    return isinstance(loaded.mount, AppMount) or bool(config.middleware or loaded.mount.middleware)


def _asgi_mount(config: Config, loaded: LoadedMount, lifespan: Any, missing: Answer, *, development: bool) -> Any:
    from multiserve.dispatch.asgi import ASGIMount
    from multiserve.dispatch.bridge import WSGIBridge
    from multiserve.dispatch.threads import ThreadPool
    from multiserve.mounts.tenants.asgi import ASGITenants

    mount, application = loaded.mount, loaded.application
    if loaded.error:
        answer = _broken(loaded, development=development).asgi
        return ASGIMount(http=answer, websocket=answer)
    if isinstance(mount, TenantMount):
        return ASGITenants(
            application,
            name=str(mount.key),
            threads=mount.threads,
            max_instances=mount.max_instances,
            idle_seconds=mount.idle_seconds,
            refused_seconds=mount.refused_seconds,
            details=development,
            startup_timeout=config.server.startup_timeout,
            shutdown_timeout=config.server.shutdown_timeout,
            refuse_websocket=missing.asgi,
        )
    if loaded.interface == "wsgi":
        threads = mount.threads if isinstance(mount, AppMount) else _THREADS
        bridge = WSGIBridge(application, ThreadPool(threads, str(mount.key)).submit)
        return ASGIMount(http=_limited(loaded, bridge, ASGILimit), websocket=missing.asgi)
    http = _limited(loaded, application, ASGILimit)
    return ASGIMount(http=http, websocket=application, lifespan=lifespan)


def _not_found(config: Config, *, development: bool) -> Answer:
    return not_found([str(mount.key) for mount in config.mounts] if development else [])


def _broken(loaded: LoadedMount, *, development: bool) -> Answer:
    if not development or loaded.error is None:
        return broken(str(loaded.mount.key))
    return broken(str(loaded.mount.key), loaded.error.problems, format_traceback(loaded.error))

"""The routes inside each loaded application, as URLs from outside."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from multiserve.composition import Composition
from multiserve.config.mounts import Mount, TenantMount
from multiserve.frameworks import Facts, InnerRoute, inspect_application
from multiserve.keys import MountKey
from multiserve.loading.mounts import LoadedMount
from multiserve.paths import to_wsgi
from multiserve.routing import Router, precedence

_PLACEHOLDER = re.compile(r"[<{*(]")  # how frameworks write one in a host


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterRoute:
    """A route of an application as clients see it.

    Attributes:
        url: The path with the prefix of the mount, after the host if the mount or the route is bound to one.
        inner: The route as the application has it.
        answered_by: The mount that answers the URL; another one if that hides the route; None if no mount does.
        tenants: The mount of tenants that answers the URL instead if its factory takes it; None for none.
    """

    url: str
    inner: InnerRoute
    answered_by: Mount | None
    tenants: Mount | None = None

    def mentions(self, text: str) -> bool:
        """Return whether URL, name or view contain a text, ignoring case."""
        return any(text.casefold() in value.casefold() for value in (self.url, self.inner.name, self.inner.view))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is inside one mount.

    Attributes:
        loaded: The mount with its loaded application.
        facts: What is known about the application; None if multiserve cannot see inside.
        routes: In the order in which the application tries them; None if they are not known.
    """

    loaded: LoadedMount
    facts: Facts | None = None
    routes: tuple[OuterRoute, ...] | None = None


def read_contents(composition: Composition) -> list[Contents]:
    """Look into all mounts, in the order in which a request tries them."""
    mounts = sorted(composition.mounts, key=lambda loaded: precedence(loaded.mount.key))
    return [_look_into(loaded, mounts) for loaded in mounts]


def _look_into(loaded: LoadedMount, mounts: Iterable[LoadedMount]) -> Contents:
    facts = None if loaded.error or loaded.origin is None else inspect_application(loaded.origin)
    if facts is None or facts.routes is None:
        return Contents(loaded=loaded, facts=facts)
    key = loaded.mount.key
    everywhere = Router((each.mount.key, each.mount) for each in mounts)
    beside = _router_beside(key, mounts)
    routes = []
    for inner in facts.routes:
        path = ("" if facts.takes_whole_path else key.prefix) + _shared_path(inner)
        # A host of the route itself is certain. Otherwise the longest prefix among the mounts of the same host wins.
        is_certain = bool(inner.host) and not _PLACEHOLDER.search(inner.host)
        router, host = (everywhere, _bound_to(key, inner)) if is_certain else (beside, "")
        found, tenants = _find(router, path, host)
        routes.append(OuterRoute(url=outer_url(key, facts, inner), inner=inner, answered_by=found, tenants=tenants))
    return Contents(loaded=loaded, facts=facts, routes=tuple(routes))


def outer_url(key: MountKey, facts: Facts, inner: InnerRoute) -> str:
    """Return the URL of a route from outside, after the host that the route or the mount at `key` is bound to."""
    prefix = "" if facts.takes_whole_path else key.prefix
    return _bound_to(key, inner) + (f"{prefix}{inner.path}" or "/")


def _bound_to(key: MountKey, inner: InnerRoute) -> str:
    """Return the host that a route is bound to inside the application, or that of the mount; "" for any host."""
    if not inner.host or ":" in inner.host or key.port is None:
        return inner.host or key.authority
    return f"{inner.host}:{key.port}"


def _router_beside(key: MountKey, mounts: Iterable[LoadedMount]) -> Router[Mount]:
    """Return a router of the mounts with the same host as a key, by path alone."""
    return Router(
        (replace(each.mount.key, host="", port=None), each.mount)
        for each in mounts
        if (each.mount.key.host, each.mount.key.port) == (key.host, key.port)
    )


def _shared_path(route: InnerRoute) -> str:
    """Return the whole segments that all paths of a route begin with."""
    return route.path if route.literal == route.path else route.literal.rpartition("/")[0]


def _find(router: Router[Mount], path: str, host: str) -> tuple[Mount | None, Mount | None]:
    """Return the mount that answers a path, and the tenants that come first, whose factory may refuse it."""
    tenants = None
    for route in router.rank(to_wsgi(path, "replace"), host):
        if not isinstance(route.mount, TenantMount):
            return route.mount, tenants
        tenants = tenants or route.mount
    return None, tenants


def select_contents(contents: Iterable[Contents], text: str) -> list[Contents]:
    """Keep the routes whose URL, name or view contains a text, and all routes of mounts that contain it."""
    kept = []
    for each in contents:
        routes = tuple(route for route in each.routes or () if route.mentions(text))
        if each.loaded.mount.mentions(text):
            kept.append(each)
        elif routes:
            kept.append(replace(each, routes=routes))
    return kept

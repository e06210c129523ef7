"""What the mounts hold once they are loaded: the routes inside each application, as URLs from the outside."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from multiserve.composition import Composition
from multiserve.config.mounts import Mount, TenantMount
from multiserve.frameworks import Facts, InnerRoute, inspect_application
from multiserve.keys import MountKey
from multiserve.loading.mounts import LoadedMount
from multiserve.routing import Router, precedence

_PLACEHOLDER = re.compile(r"[<{*(]")  # as frameworks write it in a host


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterRoute:
    """A route of an application as it looks from the outside.

    Attributes:
        url: The path with the prefix of the mount, behind the host where the mount or the route is bound to one.
        inner: The route as the application has it.
        answered_by: The mount that answers there, which is another one where that hides the route; None if none does.
    """

    url: str
    inner: InnerRoute
    answered_by: Mount | None

    def mentions(self, text: str) -> bool:
        """Tell whether URL, name or view contain a text, in capitals or not."""
        return any(text.casefold() in value.casefold() for value in (self.url, self.inner.name, self.inner.view))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is inside one mount.

    Attributes:
        loaded: What became of the mount.
        facts: What its application says about itself; None if it cannot be seen into.
        routes: In the order in which the application asks them; None if they are not known.
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
        # Only a host of the route's own is certain; else the longest prefix among the mounts of the same host wins.
        is_certain = bool(inner.host) and not _PLACEHOLDER.search(inner.host)
        found = _find(everywhere, path, _bound_to(key, inner)) if is_certain else _find(beside, path)
        routes.append(OuterRoute(url=outer_url(key, facts, inner), inner=inner, answered_by=found))
    return Contents(loaded=loaded, facts=facts, routes=tuple(routes))


def outer_url(key: MountKey, facts: Facts, inner: InnerRoute) -> str:
    """Give the URL of a route from the outside, with the host that it or the mount at `key` is bound to in front."""
    prefix = "" if facts.takes_whole_path else key.prefix
    return _bound_to(key, inner) + (f"{prefix}{inner.path}" or "/")


def _bound_to(key: MountKey, inner: InnerRoute) -> str:
    """Give the host that a route is bound to inside the application, else the mount's; "" for any."""
    if not inner.host or ":" in inner.host or key.port is None:
        return inner.host or key.authority
    return f"{inner.host}:{key.port}"


def _router_beside(key: MountKey, mounts: Iterable[LoadedMount]) -> Router[Mount]:
    """Make the look-up among the mounts with the host of a key, by the path alone."""
    return Router(
        (replace(each.mount.key, host="", port=None), each.mount)
        for each in mounts
        if (each.mount.key.host, each.mount.key.port) == (key.host, key.port)
    )


def _shared_path(route: InnerRoute) -> str:
    """Give what all paths of a route have in common, in whole segments."""
    return route.path if route.literal == route.path else route.literal.rpartition("/")[0]


def _find(router: Router[Mount], path: str, host: str = "") -> Mount | None:
    """Find the mount that answers a path, apart from tenants, whose factory may leave it to the next one."""
    for route in router.rank(path.encode("utf-8", "replace").decode("latin-1"), host):
        if not isinstance(route.mount, TenantMount):
            return route.mount
    return None


def select_contents(contents: Iterable[Contents], text: str) -> list[Contents]:
    """Keep the routes that contain a text in URL, name or view, and all that is in a mount that contains it."""
    kept = []
    for each in contents:
        routes = tuple(route for route in each.routes or () if route.mentions(text))
        if each.loaded.mount.mentions(text):
            kept.append(each)
        elif routes:
            kept.append(replace(each, routes=routes))
    return kept

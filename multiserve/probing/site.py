"""The mounts of a composition as a probe sees them: what answers a URL, and whether anything does."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Literal, TypeAlias
from urllib.parse import quote, urlsplit

from multiserve.composition import Composition
from multiserve.config.mounts import FileMount, RedirectMount, StaticMount
from multiserve.frameworks import Facts, InnerAnswer, InnerRequest, Inspector, find_route
from multiserve.keys import MountKey
from multiserve.loading.mounts import LoadedMount
from multiserve.paths import SAFE_IN_PATH, from_wsgi, to_wsgi
from multiserve.probing.exchange import Received, routed_url
from multiserve.probing.processes import PAGES, Process
from multiserve.probing.reference import Reference
from multiserve.routing import Router

_ANYTHING = "*/*"
_LABELS = ("www", "any", "probe")  # what stands for the star of a host

Existence: TypeAlias = Literal["yes", "no", "unknown"]


def is_below(path: str, prefix: str) -> bool:
    """Return whether a decoded path is the prefix or is below it."""
    prefix = to_wsgi(prefix)
    return not prefix or path == prefix or path.startswith(f"{prefix}/")


class Composed:
    """All mounts as they are probed, whichever process has them."""

    def __init__(
        self,
        composition: Composition,
        here: Process,
        inspector: Inspector | None = None,
        elsewhere: Mapping[str, Process] = MappingProxyType({}),
    ) -> None:
        """Probe mounts.

        Args:
            composition: All mounts.
            here: What answers for the mounts of this process.
            inspector: One that may have read the applications already.
            elsewhere: What answers for the mounts of each group that has a process of its own.
        """
        self._inspector = inspector or Inspector()
        self._here = here
        self._elsewhere = elsewhere
        self._middleware = bool(composition.config.middleware)
        self._router = Router((loaded.mount.key, loaded) for loaded in composition.mounts)
        self._asked: dict[str, Existence] = {}
        self._silent: set[MountKey] = set()  # mounts that once exceeded the time limit: they get no more requests

    def _process_of(self, loaded: LoadedMount | None) -> Process:
        return self._elsewhere.get(loaded.mount.group, self._here) if loaded else self._here

    def ask(self, method: str, url: str, accept: str) -> Received:
        """Send one request."""
        loaded = self.mount_at(url)
        return self._noted(loaded, self._process_of(loaded).ask(method, url, accept))

    def visit(self, url: str) -> tuple[Received, tuple[str, ...]]:
        """Request a page, and return the objections of the validator as well."""
        loaded = self.mount_at(url)
        received, violations = self._process_of(loaded).visit(url)
        return self._noted(loaded, received), violations

    def _noted(self, loaded: LoadedMount | None, received: Received) -> Received:
        if isinstance(received.error, TimeoutError) and loaded:
            self._silent.add(loaded.mount.key)
        return received

    def mount_at(self, url: str) -> LoadedMount | None:
        """Return the mount that answers a URL."""
        route = self._router.find(*routed_url(url))
        return route.mount if route else None

    def facts_of(self, loaded: LoadedMount) -> Facts | None:
        """Return what the application of a mount says about itself; None if multiserve cannot see inside."""
        return self._inspector.facts_of(loaded.origin)

    def failure_at(self, url: str) -> str:
        """Return why the lifespan of the application at a URL has not started; "" if it has."""
        return self._process_of(self.mount_at(url)).failure_at(url)

    def url_of(self, loaded: LoadedMount, origin: str, path: str) -> str:
        """Return the URL of a path below a mount, on a host at which that mount answers, if there is one.

        Args:
            loaded: The mount.
            origin: Where the server listens, such as `http://localhost:8000`.
            path: Behind the prefix.
        """
        key = loaded.mount.key
        scheme, _, address = origin.rstrip("/").partition("://")
        rest = quote(key.prefix, safe="/") + "/" + quote(path.removeprefix("/"), safe=f"{SAFE_IN_PATH}%?")
        if isinstance(loaded.mount, FileMount):
            rest = quote(key.prefix, safe="/") or "/"  # there is nothing below it
        if key.host:
            port = urlsplit(origin).port if key.port is None else key.port
            hosts = [key.host.replace("*", label, 1) + (f":{port}" if port else "") for label in _LABELS]
        else:
            hosts = _hosts_of(self.facts_of(loaded), address)
        urls = [f"{scheme}://{host}{rest}" for host in hosts]
        return next((url for url in urls if self.mount_at(url) is loaded), urls[0])

    def refusal_of(self, loaded: LoadedMount, url: str, received: Received) -> str:
        """Return that an application refused the host of a URL, which says nothing about its views; "" if it did not.

        Args:
            loaded: The mount.
            url: The requested URL.
            received: The response.
        """
        facts = self.facts_of(loaded) if received.status == HTTPStatus.BAD_REQUEST else None
        host = _without_port(routed_url(url).host)
        if facts is None or facts.hosts is None or facts.hosts.allow(host):
            return ""
        return f"it refuses the host {host}, which is not in {facts.hosts.setting}"

    def blocked_by(self, loaded: LoadedMount) -> str:
        """Return the key of the mount whose lifespan blocks the event loop of a mount; "" if none does."""
        return self._process_of(loaded).blocker

    def exists(self, reference: Reference, url: str) -> Existence:
        """Return whether anything answers a URL when a browser requests it.

        Assets are requested. Other URLs are only looked up in the framework's URL map, because a request might have
        effects.
        """
        loaded = self.mount_at(url)
        if loaded is None:
            return "no"
        mount = loaded.mount
        if loaded.error or mount.key.placeholders or mount.key in self._silent:
            return "unknown"
        if isinstance(mount, RedirectMount):
            return "yes"
        if reference.kind == "asset" or isinstance(mount, StaticMount):
            return self._ask_once(url, is_asset=reference.kind == "asset")
        return self._look_up(loaded, url, reference.method)

    def is_missing(self, url: str) -> bool:
        """Return whether the mount at a URL answers a request for an asset with 404, in development as well."""
        loaded = self.mount_at(url)
        if loaded is None or loaded.error or loaded.mount.key in self._silent:
            return False
        if self._process_of(loaded).is_static_file(loaded.mount.name, routed_url(url).path):
            return False
        gone = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
        return all(self.ask(method, url, _ANYTHING).status in gone for method in ("HEAD", "GET"))

    def _ask_once(self, url: str, *, is_asset: bool) -> Existence:
        name = f"{is_asset} {url}"
        if name not in self._asked:
            self._asked[name] = self._ask_for(url, is_asset=is_asset)
        return self._asked[name]

    def _ask_for(self, url: str, *, is_asset: bool) -> Existence:
        accept = _ANYTHING if is_asset else PAGES
        received = self.ask("HEAD", url, accept)
        if received.status in (HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED):
            received = self.ask("GET", url, accept)
        if received.error or received.status is None:
            return "unknown"
        if received.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return "no"
        if not HTTPStatus.OK <= received.status < HTTPStatus.MULTIPLE_CHOICES:
            return "unknown"
        # Single-page applications answer every unknown path with their HTML page.
        return "no" if is_asset and received.header("content-type").startswith("text/html") else "yes"

    def _look_up(self, loaded: LoadedMount, url: str, method: str) -> Existence:
        mount = loaded.mount
        path, host, scheme = routed_url(url)
        rest = from_wsgi(path[len(mount.key.prefix.encode()) :], "replace")
        answer = find_route(loaded.origin, InnerRequest(rest, method, host, mount.key.prefix, scheme))
        if answer is None or _takes_anything(answer, rest):
            return "unknown"
        if answer.outcome == "not found":
            return "unknown" if mount.middleware or self._middleware else "no"
        return "unknown" if answer.outcome == "host refused" else "yes"


def _takes_anything(answer: InnerAnswer, path: str) -> bool:
    """Return whether the route matches every path, so that only its view knows what exists."""
    return answer.route is not None and path not in ("", "/") and answer.route.literal in ("", "/")


def _without_port(host: str) -> str:
    return InnerRequest("", host=host).hostname


def _hosts_of(facts: Facts | None, address: str) -> list[str]:
    """Return the hosts for a mount without one: where the server listens, or what its application accepts."""
    here = _without_port(address)
    hosts = facts.usual_hosts(here) if facts else [here]
    return [address if host == here else host for host in hosts]  # public hosts need no port

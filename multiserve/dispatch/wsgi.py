"""The WSGI dispatcher: hands a request to the mount that the router finds, with SCRIPT_NAME and PATH_INFO moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from multiserve._types import StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.absolute_form import BAD_AUTHORITY, take_authority_of_environ
from multiserve.dispatch.environ_keys import MOUNT_KEY
from multiserve.dispatch.forks import FORKS, leave
from multiserve.dispatch.tenants import WSGITenantMount
from multiserve.routing import Route, Router


class WSGIDispatcher:
    """Many WSGI applications as one (PEP 3333).

    SCRIPT_NAME grows by the prefix as the client wrote it, PATH_INFO is the rest, and the two together are always
    what came in. A request that no mount takes goes to `not_found` with its environ as it was.
    """

    def __init__(self, router: Router[Any], not_found: WSGIApplication, *, trusted_proxies: int = 0) -> None:
        """Dispatch over the mounts of a router.

        Args:
            router: An application for each mount, or a `WSGITenantMount` where a key has placeholders.
            not_found: What answers where no mount does.
            trusted_proxies: How many proxies are in front; what they say counts before anything is looked up.
        """
        self.replace(router, not_found)
        self._believe: Callable[[WSGIEnvironment], object] | None = None
        if trusted_proxies:
            from multiserve.dispatch.forwarded import believe_environ

            self._believe = partial(believe_environ, hops=trusted_proxies)
        self._answer: WSGIApplication = self._dispatch

    def replace(self, router: Router[Any], not_found: WSGIApplication) -> None:
        """Serve the mounts of another router from the next request on; whether any has a host stays the same."""
        self.router = router
        self.not_found = not_found
        self._is_plain = not (router.has_hosts or router.has_placeholders)
        self._find_path = router.find_path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/"
        if target[0] != "/" and not take_authority_of_environ(environ, target):
            return BAD_AUTHORITY.wsgi(environ, start_response)
        if self._believe is not None:
            self._believe(environ)
        return self._answer(environ, start_response)

    def surround(self, wrap: Callable[[WSGIApplication], WSGIApplication]) -> None:
        """Wrap what answers every request, once what trusted proxies say counts and before a mount is looked up."""
        self._answer = wrap(self._answer)

    def _dispatch(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if self._is_plain:
            route = self._find_path(path)
            application = self.not_found if route is None else route.mount
        else:
            route, application = self._find(environ, path)
        if route is None:
            return application(environ, start_response)
        if end := route.end:
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + route.begin
            environ["PATH_INFO"] = path[end:]
        environ[MOUNT_KEY] = route.name
        forks = FORKS.count
        try:
            return application(environ, start_response)
        finally:
            if FORKS.count != forks:
                leave()

    def _find(self, environ: WSGIEnvironment, path: str) -> tuple[Route[Any] | None, WSGIApplication]:
        """Find the mount by host and path; a tenant that its factory does not have leaves it to the next best mount."""
        host = requested_host(environ) if self.router.has_hosts else ""
        scheme = environ.get("wsgi.url_scheme", "http")
        if not self.router.has_placeholders:
            found = self.router.find(path, host, scheme)
            return found, self.not_found if found is None else found.mount
        for route in self.router.rank(path, host, scheme):
            if not route.values or not isinstance(route.mount, WSGITenantMount):
                return route, route.mount
            if (application := route.mount.claim(route.values, route.prefix)) is not None:
                return route, application
        return None, self.not_found


def requested_host(environ: WSGIEnvironment) -> str:
    """Return the Host header of a request, or the host that a trusted proxy has put in its place."""
    host: str = environ.get("HTTP_HOST", "")
    return host

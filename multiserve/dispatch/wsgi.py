"""The WSGI dispatcher: hands a request to the mount that the router finds, with SCRIPT_NAME and PATH_INFO moved."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from multiserve._types import StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.routing import Router

MOUNT_KEY = "multiserve.mount"
"""Where the environ names the mount that answers, as its key spells it."""


class WSGIDispatcher:
    """Many WSGI applications as one (PEP 3333).

    SCRIPT_NAME grows by the prefix as the client wrote it, PATH_INFO is the rest, and the two together are always
    what came in. A request that no mount takes goes to `not_found` with its environ as it was.
    """

    def __init__(self, router: Router[WSGIApplication], not_found: WSGIApplication) -> None:
        """Dispatch over the applications of a router."""
        self.router = router
        self.not_found = not_found
        self._has_hosts = router.has_hosts
        self._find_path = router.find_path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path: str = environ.get("PATH_INFO", "")
        if self._has_hosts:
            route = self.router.find(path, requested_host(environ), environ.get("wsgi.url_scheme", "http"))
        else:
            route = self._find_path(path)
        if route is None:
            return self.not_found(environ, start_response)
        if end := route.end:
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + path[:end]
            environ["PATH_INFO"] = path[end:]
        environ[MOUNT_KEY] = route.name
        return route.mount(environ, start_response)


def requested_host(environ: WSGIEnvironment) -> str:
    """Give the host of a request: that of an absolute-form target, else the Host header (RFC 9112, section 3.2)."""
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/"
    if target.startswith("/") or "://" not in target:
        host: str = environ.get("HTTP_HOST", "")
        return host
    try:
        return urlsplit(target).netloc
    except ValueError:
        return ""

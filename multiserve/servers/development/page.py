"""The page of the development server: the state of each mount, for browsers on this machine."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from typing import Any

from multiserve._types import ASGIApplication, Receive, Scope, Send, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.composition import Composition
from multiserve.config.model import Config
from multiserve.dispatch.answers import Answer
from multiserve.hosts import is_loopback, normalise_host
from multiserve.keys import is_followable, url_of
from multiserve.servers.page.html import POLICY, render
from multiserve.servers.page.overview import MountJson, OverviewJson, describe_mount, overview
from multiserve.tracebacks import format_cause

FOLDER = "/__multiserve__/"
"""The path of the page, below which is all that the development server answers itself, unless a mount is there."""

_JSON = "status.json"
_UNSTORED = ("Cache-Control", "no-store")


def path_of(config: Config) -> str:
    """Return the path of the page: one that no mount is at or below."""
    taken = {mount.key.prefix.split("/")[1] for mount in config.mounts if mount.key.prefix}
    name, number = FOLDER.strip("/"), 2
    while name in taken:
        name, number = f"__multiserve{number}__", number + 1
    return f"/{name}/"


class DevelopmentPage:
    """Answers at one path, and leaves everything else to the mounts."""

    def __init__(self, composition: Composition, origin: str) -> None:
        """Show a composition, which is served at an origin."""
        self._composition = composition
        self._origin = origin
        self._since = time.time()
        self.path = path_of(composition.config)

    def wrap_wsgi(self, application: WSGIApplication) -> WSGIApplication:
        """Return a WSGI application with the page."""

        def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "")
            sender = environ.get("REMOTE_ADDR", ""), environ.get("HTTP_HOST", "")
            found = self._answer(path, *sender) if path.startswith(self.path) else None
            return (found.wsgi if found else application)(environ, start_response)

        return answer

    def wrap_asgi(self, application: ASGIApplication) -> ASGIApplication:
        """Return an ASGI application with the page."""
        from multiserve.dispatch.asgi import split_root_path  # asyncio takes long to import

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            path = split_root_path(scope)[1] if scope["type"] == "http" else ""
            found = self._answer(path, *_client_and_host(scope)) if path.startswith(self.path) else None
            await (found.asgi if found else application)(scope, receive, send)

        return answer

    def _answer(self, path: str, client: str, host: str) -> Answer | None:
        """Return what answers at a path; None if that is none of the page, or the client may not see it."""
        name = path.removeprefix(self.path)
        if name not in ("", _JSON) or not _is_here(client, host):
            return None
        shown = self._overview()
        text = f"{json.dumps(shown, indent=2)}\n"
        page = "" if name else render(shown, login=False)
        return Answer("200 OK", text, _UNSTORED, page=page, policy=POLICY, kind="application/json")

    def _overview(self) -> OverviewJson:
        status = {"since": self._since, "process": {"pid": os.getpid()}}
        return overview(status, [self._describe(loaded) for loaded in self._composition.mounts], "serving")

    def _describe(self, loaded: Any) -> MountJson:
        mount = loaded.mount
        reason = format_cause(loaded.error) if loaded.error else self._composition.failure_of_start(mount.name)
        inner = getattr(mount, "mount", mount)  # that of a group
        known = {
            "mount": mount.name,
            "target": inner.what,
            "group": mount.group,
            "state": "failed" if reason else "ok",
            "reason": reason,
        }
        url = url_of(mount.key, self._origin) if is_followable(mount.key) else ""
        return describe_mount(known, url, None, is_owner=True)


def _client_and_host(scope: Scope) -> tuple[str, str]:
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return (scope.get("client") or ("",))[0], hosts[0] if len(hosts) == 1 else ""


def _is_here(client: str, host: str) -> bool:
    """Return whether a request comes from this machine, and asks it by a name that no other can have."""
    normal = normalise_host(host)
    return is_loopback(client.removeprefix("::ffff:")) and normal is not None and is_loopback(normal[0].strip("[]"))

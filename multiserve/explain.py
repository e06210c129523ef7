"""What a URL comes to: a request for it, dispatched by the serving code to stand-ins that only take note."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from multiserve._types import Message, Receive, Scope, Send, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.config import Config, Mount
from multiserve.dispatch.wsgi import WSGIDispatcher
from multiserve.errors import ConfigError, Problem
from multiserve.keys import KeyProblem, MountKey, parse_key
from multiserve.mounts.answers import not_found
from multiserve.routing import Router


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Which mount answers a URL, why, and what its application sees.

    Attributes:
        url: The URL that was asked for.
        mount: The mount that answers; None for a 404.
        reason: Why it won, in a few words.
        script_name: SCRIPT_NAME for a WSGI application, as text; None where the file declares another interface.
        path_info: PATH_INFO, likewise.
        root_path: root_path for an ASGI application; None where the file declares another interface.
        path: path, likewise.
        runner_up: The mount that would answer if the first did not exist.
    """

    url: str
    mount: Mount | None
    reason: str
    script_name: str | None = None
    path_info: str | None = None
    root_path: str | None = None
    path: str | None = None
    runner_up: Mount | None = None


class _Request(NamedTuple):
    """What of a URL reaches a server; the path is decoded to bytes, as a server does it."""

    scheme: str
    host: str
    path: bytes


def explain(config: Config, url: str) -> Explanation:
    """Explain which mount answers a URL; no application is imported.

    Args:
        config: The configuration.
        url: A whole URL, or a path with or without a host in front.

    Raises:
        ConfigError: The text is not a URL.
    """
    request = _split(url)
    reached = _dispatch_wsgi(config, request)
    if reached is None:
        return Explanation(url=url, mount=None, reason="no mount has a prefix of this path, so the answer is 404")
    mount, environ = reached
    others = _runners_up(config, request, mount)
    environ = environ if mount.interface != "asgi" else {}
    scope = _dispatch_asgi(config, request) if mount.interface != "wsgi" else {}
    return Explanation(
        url=url,
        mount=mount,
        reason=_reason(mount.key, [other.key for other in others]),
        script_name=_text(environ.get("SCRIPT_NAME")),
        path_info=_text(environ.get("PATH_INFO")),
        root_path=scope.get("root_path"),
        path=scope.get("path"),
        runner_up=others[0] if others else None,
    )


_SCHEMES = ("", "http", "https", "ws", "wss")
_USE_HTTP = "Write http:// or https://."


def _split(url: str) -> _Request:
    scheme, host, rest = "http", "", url
    if not url.startswith("/"):
        try:
            if "://" not in url:
                parse_key(url.partition("/")[0])  # a word that is no host is a path without its slash
            parts = urlsplit(url if "://" in url else f"//{url}")
        except KeyProblem as error:
            hint = f'Write a whole URL, or "/{url}" for a path.'
            raise ConfigError(Problem(key=url, message="neither a URL nor a path", hint=hint)) from error
        except ValueError as error:
            raise ConfigError(Problem(key=url, message=f"not a URL: {error}")) from None
        if parts.scheme not in _SCHEMES:
            raise ConfigError(Problem(key=url, message=f'"{parts.scheme}" is no scheme of the web', hint=_USE_HTTP))
        scheme, host, rest = parts.scheme or scheme, parts.netloc.rpartition("@")[2], parts.path or "/"
    if not host.isascii():
        with contextlib.suppress(UnicodeError):
            host = host.encode("idna").decode("ascii")  # as browsers send it
    path = rest.partition("?")[0].partition("#")[0]
    return _Request(scheme, host, unquote_to_bytes(path.encode("utf-8", "surrogateescape")))


def _dispatch_wsgi(config: Config, request: _Request) -> tuple[Mount, WSGIEnvironment] | None:
    """Give the mount that is reached over WSGI, and the environ that reaches it."""
    reached: list[tuple[Mount, WSGIEnvironment]] = []

    def stand_in(mount: Mount) -> WSGIApplication:
        def application(environ: WSGIEnvironment, _: StartResponse) -> list[bytes]:
            reached.append((mount, environ))
            return []

        return application

    router = Router((mount.key, stand_in(mount)) for mount in config.mounts)
    environ = {
        "PATH_INFO": request.path.decode("latin-1"),
        "SCRIPT_NAME": "",
        "HTTP_HOST": request.host,
        "wsgi.url_scheme": request.scheme,
    }
    WSGIDispatcher(router, not_found().wsgi)(environ, lambda *_: lambda _: None)
    return reached[0] if reached else None


def _dispatch_asgi(config: Config, request: _Request) -> Scope:
    """Give the scope that reaches the mount over ASGI."""
    # Every command would pay for what only a question about ASGI needs.
    import asyncio

    from multiserve.dispatch.asgi import ASGIDispatcher, ASGIMount
    from multiserve.dispatch.lifespan import Lifespans

    reached: list[Scope] = []

    async def stand_in(scope: Scope, _receive: Receive, _send: Send) -> None:
        reached.append(scope)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_: Message) -> None: ...

    stand_ins = ASGIMount(http=stand_in, websocket=stand_in)
    router = Router((mount.key, stand_ins) for mount in config.mounts)
    scope = {
        "type": "http",
        "path": request.path.decode("utf-8", "replace"),
        "scheme": request.scheme,
        "headers": [(b"host", request.host.encode("utf-8", "replace"))],
    }
    asyncio.run(ASGIDispatcher(router, Lifespans([], [], 0), not_found(), 0)(scope, receive, send))
    return reached[0] if reached else {}


def _runners_up(config: Config, request: _Request, winner: Mount) -> list[Mount]:
    """Give the mounts that would answer if the winner did not exist, the first one first."""
    router = Router((mount.key, mount) for mount in config.mounts)
    ranked = router.rank(request.path.decode("latin-1"), request.host, request.scheme)
    return [route.mount for route in ranked if route.mount is not winner]


def _text(path: str | None) -> str | None:
    return None if path is None else path.encode("latin-1").decode("utf-8", "backslashreplace")


def _reason(key: MountKey, others: list[MountKey]) -> str:
    prefix = f'"{key.prefix}"' if key.prefix else "the root"
    rivals = [other for other in others if other.authority == key.authority]
    if key.host:
        how = "matches" if key.host.startswith("*.") else "is"
        place = f'the host {how} "{key.authority}", and {prefix}'
        return (
            f"{place} is the longest prefix under it" if rivals else f"{place} is the only prefix under it that matches"
        )
    return f"{prefix} is the longest prefix that matches" if rivals else f"{prefix} is the only prefix that matches"

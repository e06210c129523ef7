"""Which mount answers a URL: the real dispatchers handle a request for it, with recorders in place of applications."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit

from multiserve._types import Message, Receive, Scope, Send, StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.config.model import Config
from multiserve.config.mounts import AppMount, Mount, ProxiedMount, RedirectMount
from multiserve.dispatch.answers import not_found
from multiserve.dispatch.wsgi import WSGIDispatcher
from multiserve.errors import ConfigError, Problem
from multiserve.keys import KeyProblem, MountKey, parse_key
from multiserve.mounts.redirects import Redirect, with_slash_wsgi
from multiserve.mounts.stripping import strip_environ, strip_scope
from multiserve.paths import SAFE_IN_PATH, from_wsgi
from multiserve.routing import Route, Router


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Which mount answers a URL, why, and what its application sees.

    Attributes:
        url: The URL that was asked for.
        method: Of the request, in capitals; `WEBSOCKET` for a WebSocket.
        mount: The mount that answers; None for a 404.
        reason: Why it won, in a few words.
        script_name: SCRIPT_NAME for a WSGI application, as text; None where the file declares another interface.
        path_info: PATH_INFO, likewise.
        root_path: root_path for an ASGI application; None where the file declares another interface.
        path: path, likewise.
        values: What the placeholders of the key stand for, by their names.
        location: Where the mount itself redirects to; None if it does not.
        status: The status of that redirect; 0 without one.
        upstream: What a proxied mount asks its server for; None for any other mount.
        runner_up: The mount that would answer if the first did not exist.
        environ: What is handed to the mount over WSGI, whatever its interface is.
    """

    url: str
    mount: Mount | None
    reason: str
    method: str = "GET"
    script_name: str | None = None
    path_info: str | None = None
    root_path: str | None = None
    path: str | None = None
    values: tuple[tuple[str, str], ...] = ()
    location: str | None = None
    status: int = 0
    upstream: str | None = None
    runner_up: Mount | None = None
    environ: WSGIEnvironment = field(default_factory=dict, repr=False, compare=False)


class _Request(NamedTuple):
    """The parts of a URL that reach a server; the path is decoded to bytes, as servers do, and `raw` is it as sent."""

    scheme: str
    host: str
    path: bytes
    query: str
    method: str
    raw: str

    @property
    def is_websocket(self) -> bool:
        """Whether the request opens a WebSocket."""
        return self.method == WEBSOCKET


class _Reached(NamedTuple):
    """How a request is answered over WSGI."""

    mount: Mount
    environ: WSGIEnvironment
    location: str | None
    status: int


WEBSOCKET = "WEBSOCKET"
"""The value of `method` for a WebSocket."""


def explain(config: Config, url: str, method: str = "") -> Explanation:
    """Explain which mount answers a URL; no application is imported.

    Args:
        config: The configuration.
        url: A whole URL, or a path with or without a host in front.
        method: Of the request, or `WEBSOCKET`; by default what the URL asks for, which is GET for http://.

    Raises:
        ConfigError: The text is not a URL, or no request for it has this method.
    """
    request = _split(url, method.upper())
    reached = _dispatch_wsgi(config, request)
    if reached is None:
        reason = "no mount has a prefix of this path, so the answer is 404"
        return Explanation(url=url, method=request.method, mount=None, reason=reason)
    winner, *others = _ranked(config, request)
    mount = reached.mount
    spoken = mount.interface if isinstance(mount, AppMount) else None
    is_application = isinstance(mount, AppMount)
    environ = reached.environ if is_application and spoken != "asgi" else {}
    scope = _dispatch_asgi(config, request) if is_application and spoken != "wsgi" else {}
    if scope and _is_stripped(mount):
        scope = strip_scope(scope)
    return Explanation(
        url=url,
        method=request.method,
        mount=mount,
        reason=_reason(mount.key, [other.key for other in others]),
        script_name=_text(environ.get("SCRIPT_NAME")),
        path_info=_text(environ.get("PATH_INFO")),
        root_path=scope.get("root_path"),
        path=scope.get("path"),
        values=tuple(zip(mount.key.placeholders, winner.values, strict=True)),
        location=reached.location,
        status=reached.status if reached.location else 0,
        upstream=_upstream_of(mount, winner, request) if isinstance(mount, ProxiedMount) else None,
        runner_up=others[0].mount if others else None,
        environ=reached.environ,
    )


_SCHEMES = ("", "http", "https", "ws", "wss")
_SOCKETS = ("ws", "wss")
_USE_HTTP = "Write http:// or https://."


def _split(url: str, method: str) -> _Request:
    scheme, host, rest = "http", "", url
    if not url.startswith("/"):
        try:
            if "://" not in url:
                parse_key(url.partition("/")[0])  # a word that cannot be a host is a path without its slash
            parts = urlsplit(url if "://" in url else f"//{url}")
        except KeyProblem as error:
            hint = f'Write a whole URL, or "/{url}" for a path.'
            raise ConfigError(Problem(key=url, message="neither a URL nor a path", hint=hint)) from error
        except ValueError as error:
            raise ConfigError(Problem(key=url, message=f"not a URL: {error}")) from None
        if parts.scheme not in _SCHEMES:
            raise ConfigError(Problem(key=url, message=f'"{parts.scheme}" is no scheme of the web', hint=_USE_HTTP))
        scheme, host, rest = (
            parts.scheme or scheme,
            parts.netloc.rpartition("@")[2],
            f"{parts.path or '/'}?{parts.query}",
        )
    if not host.isascii():
        with contextlib.suppress(UnicodeError):
            host = host.encode("idna").decode("ascii")  # as browsers send it
    if scheme in _SOCKETS and method not in ("", WEBSOCKET):
        raise ConfigError(Problem(key=url, message=f"a WebSocket is not opened with {method}", hint=_USE_HTTP))
    method = method or (WEBSOCKET if scheme in _SOCKETS else "GET")
    path, _, query = rest.partition("#")[0].partition("?")
    decoded = unquote_to_bytes(path.encode("utf-8", "surrogateescape"))
    raw = quote(path, safe=f"{SAFE_IN_PATH}%", errors="surrogateescape")
    return _Request(scheme, host, decoded, query, method, raw)


def _upstream_of(mount: ProxiedMount, winner: Route[Mount], request: _Request) -> str:
    upstream = mount.upstream.fill(dict(zip(mount.key.placeholders, winner.values, strict=True)))
    if upstream is None:
        return "none: what the placeholders stand for can be no part of its address, so the runner-up answers"
    path = request.path.decode("utf-8", "surrogateescape")
    scope: Scope = {"path": path, "root_path": winner.prefix, "raw_path": request.raw.encode()}
    found = strip_scope(scope) if mount.strip else scope
    return upstream.at(found["raw_path"].decode()) + (f"?{request.query}" if request.query else "")


def _dispatch_wsgi(config: Config, request: _Request) -> _Reached | None:
    """Return the mount that answers over WSGI, and the environ that it receives."""
    reached: list[tuple[Mount, WSGIEnvironment]] = []
    answered: dict[str, str] = {}
    statuses: list[int] = []

    def stand_in(mount: Mount) -> WSGIApplication:
        answer = _silent if request.is_websocket else _answer(mount)

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            reached.append((mount, strip_environ(environ) if _is_stripped(mount) else environ))
            return answer(environ, start_response)

        return application

    def start_response(status: str, headers: list[tuple[str, str]], *_exc_info: object) -> Callable[[bytes], object]:
        statuses.append(int(status[:3]))
        answered.update(headers)
        return lambda _: None

    router = Router((mount.key, stand_in(mount)) for mount in config.mounts)
    environ = {
        "REQUEST_METHOD": "GET" if request.is_websocket else request.method,
        "PATH_INFO": request.path.decode("latin-1"),
        "QUERY_STRING": request.query,
        "SCRIPT_NAME": "",
        "HTTP_HOST": request.host,
        "wsgi.url_scheme": request.scheme,
    }
    WSGIDispatcher(router, not_found().wsgi)(environ, start_response)
    return _Reached(*reached[0], answered.get("Location"), statuses[0]) if reached else None


def _answer(mount: Mount) -> WSGIApplication:
    """Return what answers for a mount without loading its application: a redirect, or an empty response."""
    answer: WSGIApplication = _silent
    if isinstance(mount, RedirectMount):
        answer = Redirect(mount.what, mount.status, mount.key.prefix).wsgi
    return with_slash_wsgi(answer) if mount.slash == "redirect" else answer


def _is_stripped(mount: Mount) -> bool:
    return isinstance(mount, AppMount) and mount.strip


def _silent(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return []


def _dispatch_asgi(config: Config, request: _Request) -> Scope:
    """Return the scope that the mount receives over ASGI."""
    # Imported here because only questions about ASGI need it, and it would slow down every command.
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
        "type": "websocket" if request.is_websocket else "http",
        "method": "GET" if request.is_websocket else request.method,
        "path": request.path.decode("utf-8", "replace"),
        "scheme": request.scheme.replace("http", "ws") if request.is_websocket else request.scheme,
        "headers": [(b"host", request.host.encode("utf-8", "replace"))],
    }
    asyncio.run(ASGIDispatcher(router, Lifespans([], [], 0), not_found(), 0)(scope, receive, send))
    return reached[0] if reached else {}


def _ranked(config: Config, request: _Request) -> list[Route[Mount]]:
    """Return the mounts that could answer, beginning with the one that does."""
    router = Router((mount.key, mount) for mount in config.mounts)
    return list(router.rank(request.path.decode("latin-1"), request.host, request.scheme))


def _text(path: str | None) -> str | None:
    return None if path is None else from_wsgi(path, "backslashreplace")


def _reason(key: MountKey, others: list[MountKey]) -> str:
    subject, under = f'"{key.prefix}"' if key.prefix else "the root", ""
    if key.host:
        how = "matches" if key.host.startswith("*.") or "{" in key.host else "is"
        subject, under = f'the host {how} "{key.authority}", and {subject}', " under it"
    rivals = [other for other in others if other.authority == key.authority]
    equal = next((each for each in rivals if each.prefix.count("/") == key.prefix.count("/")), None)
    if equal:
        return f'{subject} matches, and a literal segment beats the placeholder of "{equal.prefix}"'
    if rivals:
        return f"{subject} is the longest prefix{under or ' that matches'}"
    return f"{subject} is the only prefix{under} that matches"

"""What a URL comes to: a request for it, dispatched by the serving code to stand-ins that only take note."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

from multiserve._types import StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.config import Config, Mount
from multiserve.dispatch.wsgi import WSGIDispatcher, not_found
from multiserve.errors import ConfigError, Problem
from multiserve.keys import MountKey
from multiserve.routing import Router


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Which mount answers a URL, and why.

    Attributes:
        url: The URL that was asked for.
        mount: The mount that answers; None for a 404.
        reason: Why it won, in a few words.
        script_name: What the application sees as SCRIPT_NAME, as text.
        path_info: What the application sees as PATH_INFO, as text.
        runner_up: The mount that would answer if the first did not exist.
    """

    url: str
    mount: Mount | None
    reason: str
    script_name: str = ""
    path_info: str = ""
    runner_up: Mount | None = None


def explain(config: Config, url: str) -> Explanation:
    """Explain which mount answers a URL; no application is imported.

    Args:
        config: The configuration.
        url: A whole URL, or a path with or without a host in front.

    Raises:
        ConfigError: The text is not a URL.
    """
    scheme, host, path = _split(url)
    reached: list[tuple[Mount, WSGIEnvironment]] = []
    router = Router((mount.key, _stand_in(mount, reached)) for mount in config.mounts)
    environ = {"PATH_INFO": path, "SCRIPT_NAME": "", "HTTP_HOST": host, "wsgi.url_scheme": scheme}
    WSGIDispatcher(router, not_found())(environ, _ignore)
    if not reached:
        return Explanation(url=url, mount=None, reason="no mount has a prefix of this path, so the answer is 404")
    [(mount, seen)] = reached
    by_key = {each.key: each for each in config.mounts}
    ranked = [by_key[route.key] for route in router.rank(path, host, scheme)]
    others = [each for each in ranked if each is not mount]
    return Explanation(
        url=url,
        mount=mount,
        reason=_reason(mount.key, [other.key for other in others]),
        script_name=_text(seen["SCRIPT_NAME"]),
        path_info=_text(seen["PATH_INFO"]),
        runner_up=others[0] if others else None,
    )


def _stand_in(mount: Mount, reached: list[tuple[Mount, WSGIEnvironment]]) -> WSGIApplication:
    """Stand in for an application, and take note of the request that reaches it."""

    def application(environ: WSGIEnvironment, _: StartResponse) -> list[bytes]:
        reached.append((mount, environ))
        return []

    return application


def _ignore(*_: object) -> Callable[[bytes], object]:
    return lambda _: None


def _split(url: str) -> tuple[str, str, str]:
    """Split a URL into scheme, host and path, the path decoded as a server does it."""
    scheme, host, rest = "http", "", url
    if not url.startswith("/"):
        try:
            parts = urlsplit(url if "://" in url else f"//{url}")
        except ValueError as error:
            raise ConfigError(Problem(key=url, message=f"not a URL: {error}")) from None
        scheme, host, rest = parts.scheme or scheme, parts.netloc.rpartition("@")[2], parts.path
    path = rest.partition("?")[0].partition("#")[0]
    return scheme, host, unquote_to_bytes(path.encode("utf-8", "surrogateescape")).decode("latin-1")


def _text(wsgi: str) -> str:
    return wsgi.encode("latin-1").decode("utf-8", "backslashreplace")


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

"""What multiserve can know about an application: plain values, the same for every framework."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, TypeAlias

# "<" and "{" open the placeholders of all frameworks; "*rest" is Pyramid's and ":name" Bottle's old one.
_PLACEHOLDER = re.compile(r"[<{*]|:(?=[A-Za-z_])")


class Setting(NamedTuple):
    """A setting of an application, under its name in the framework."""

    name: str
    value: str


class Cookie(NamedTuple):
    """A cookie that an application sets under a fixed name, such as that of its session.

    Attributes:
        name: The name that browsers keep it under.
        path: Where browsers send it to; frameworks do not add the prefix of the mount.
        domain: The domain that it is set for; "" for the host of the request alone.
        setting: The setting that gives it another name, and `path_setting` the one for its path.
        path_setting: See `setting`.
    """

    name: str
    path: str
    domain: str = ""
    setting: str = ""
    path_setting: str = ""


def distinct_name(name: str, mount: str) -> str:
    """Return a name for a cookie that no other mount has: "session" at "/admin" becomes "session_admin"."""
    words = "".join(each if each.isascii() and each.isalnum() else " " for each in mount).split()
    return f"{name}_{'_'.join(words) or '2'}"


class Secret(NamedTuple):
    """How the key that signs sessions is set, without the key itself.

    Attributes:
        setting: Where it is set.
        how: `default` for one that a template or a tutorial gives to everybody, `none` for none.
        fingerprint: Equal for equal keys, within one run of a command only; "" for none.
    """

    setting: str
    how: Literal["set", "default", "none"]
    fingerprint: str = ""


class StaticFiles(NamedTuple):
    """Static files that an application links to but does not serve in production.

    Attributes:
        url: Where its links lead; the prefix of the mount comes in front unless it begins with a slash.
        folder: Where they are collected, absolute; "" if that is not set.
        project: The folder of the project, absolute; "" if it is not known.
    """

    url: str
    folder: str
    project: str


class AllowedHosts(NamedTuple):
    """The hosts that an application answers; it refuses all others.

    Attributes:
        setting: Where they are set.
        patterns: A host, `*` for any, `.example.com` for it and all below it, `*.example.com` for all below it.
    """

    setting: str
    patterns: tuple[str, ...]

    def allow(self, host: str) -> bool:
        """Return whether a host, without a port, is one of them."""
        host = host.lower().rstrip(".")
        return any(_fits(host, pattern.lower()) for pattern in self.patterns)


def _fits(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    if pattern.startswith("."):
        return host == pattern[1:] or host.endswith(pattern)
    return pattern in ("*", host)


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerRoute:
    """One route inside an application.

    Attributes:
        path: What it matches, behind the mount's prefix, in the framework's own spelling of placeholders.
        methods: In alphabetical order, without the HEAD and OPTIONS that frameworks add; () for any.
            `WEBSOCKET` for a WebSocket.
        name: What the application calls it, for its URLs; "" for none.
        host: The host that it is bound to inside the application; "" for any.
        view: The function or class that answers, as `module:qualname`; "" if unknown.
        file: Where that is defined; "" if unknown.
        line: The line there; 0 if unknown.
    """

    path: str
    methods: tuple[str, ...] = ()
    name: str = ""
    host: str = ""
    view: str = ""
    file: str = ""
    line: int = 0

    @property
    def literal(self) -> str:
        """The path up to its first placeholder, which is the whole path if it has none."""
        return _PLACEHOLDER.split(self.path, maxsplit=1)[0]

    def below(self, prefix: str, *, host: str = "") -> InnerRoute:
        """Return the route as part of the application in which its own application is mounted."""
        return replace(self, path=prefix.rstrip("/") + self.path, host=self.host or host)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about an application. None always means unknown.

    Attributes:
        application: The framework's own object, inside all middleware; the same one for the same application.
        framework: The name of the framework, as it writes itself.
        version: Its version; "" if it is not installed as a distribution.
        wrappers: The middleware around it as `module:qualname`, the outermost first; what it changes is not known.
        routes: In the order in which the framework asks them, as far as it has one.
        routes_error: What was raised where the application cannot read its own routes, and where; "" for nothing.
        cookies: Those that it sets as soon as it uses its session.
        secret: The key that signs its session.
        logger: The name of the application's own logger.
        debug: Whether it shows tracebacks or a console to clients.
        own_prefix: Settings that tell it a prefix, apart from the mount.
        absolute_urls: URLs that begin with a slash and are sent to browsers as they are, without the prefix.
        hosts: The hosts that it answers; None also if it answers all.
        static_files: Those that it does not serve in production; None also if it serves them, or has none.
        static_folder: The folder of a route that the framework itself has added for static files.
        written_files: Settings that name a file or a folder which it writes to.
        settings_module: The settings of Django that the process has, which need not be those that were asked for.
        thread_hints: Objects that its views share between threads but that are not thread-safe, each as `module.name`.
        takes_whole_path: Whether it matches routes against the path including the prefix.
        may_answer_first: Whether its own middleware, or a hook, may answer before its router is asked.
    """

    application: Any = field(repr=False, compare=False)
    framework: str
    version: str
    wrappers: tuple[str, ...] = ()
    routes: tuple[InnerRoute, ...] | None = None
    routes_error: str = ""
    cookies: tuple[Cookie, ...] | None = None
    secret: Secret | None = None
    logger: str | None = None
    debug: bool | None = None
    own_prefix: tuple[Setting, ...] = ()
    absolute_urls: tuple[Setting, ...] = ()
    hosts: AllowedHosts | None = None
    static_files: StaticFiles | None = None
    static_folder: str | None = None
    written_files: tuple[Setting, ...] = ()
    settings_module: str | None = None
    thread_hints: tuple[str, ...] = ()
    takes_whole_path: bool = False
    may_answer_first: bool = False

    def usual_hosts(self, preferred: str = "localhost") -> list[str]:
        """Return hosts that the application accepts, at least one: the preferred one if possible, else those it lists.

        Args:
            preferred: A host without a port; also returned if the application lists none.
        """
        allowed = self.hosts
        if allowed is None or allowed.allow(preferred):
            return [preferred]
        names = [pattern.removeprefix("*").removeprefix(".") for pattern in allowed.patterns]
        hosts = [host for name in names if name for host in (name, f"www.{name}") if allowed.allow(host)]
        return [*dict.fromkeys(hosts)] or [preferred]


class InnerRequest(NamedTuple):
    """A request as an application sees it.

    Attributes:
        path: The rest behind the prefix, decoded; may be empty.
        method: In capitals; `WEBSOCKET` for a WebSocket.
        host: With the port, if it is not the usual one.
        prefix: SCRIPT_NAME or root_path.
        scheme: `http` or `https`.
    """

    path: str
    method: str = "GET"
    host: str = "localhost"
    prefix: str = ""
    scheme: str = "http"

    @property
    def hostname(self) -> str:
        """The host without the port."""
        return self.host if self.host.endswith("]") else self.host.rpartition(":")[0] or self.host


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerAnswer:
    """What the router of an application decides about a request.

    Attributes:
        outcome: Whether a view is called, or what is answered instead.
        status: The status of the answer if no view is called; 0 for a view.
        route: The matching route, if it is known.
        location: Where a redirect goes.
        methods: The allowed methods in alphabetical order, if this one is not allowed.
    """

    outcome: Literal["view", "redirect", "method not allowed", "not found", "host refused"]
    status: int = 0
    route: InnerRoute | None = None
    location: str = ""
    methods: tuple[str, ...] = ()


NOT_FOUND = InnerAnswer(outcome="not found", status=404)

Inside: TypeAlias = Callable[[Any], Facts | None]
"""Reads an application that is mounted inside another one."""

Onward: TypeAlias = Callable[[Any, InnerRequest], InnerAnswer | None]
"""Passes a request on to an application that is mounted inside another one."""

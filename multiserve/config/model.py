"""The configuration: frozen dataclasses for what the file holds, with the defaults and help texts of all settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from multiserve.config.groups import Group
from multiserve.config.mounts import Mount
from multiserve.config.source import Source
from multiserve.config.tables import option
from multiserve.config.targets import Target

OFF = "off"  # of a check whose findings are not reported
LEVELS = (OFF, "note", "warning", "error")
ENGINES = ("kubernetes", "compose", "systemd")  # what `check --for` knows
MODULE = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$"  # for the JSON Schema as well, whose patterns are not anchored


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`[server]`: what both servers share."""

    host: str = option("127.0.0.1", help="The address to listen on; 0.0.0.0 is every network.")
    port: int = option(
        8000,
        help="The port to listen on; 0 takes any free one. The variable PORT counts before the file.",
        minimum=0,
        maximum=65535,
    )
    trusted_proxies: int = option(
        0, help="Proxies in front whose X-Forwarded headers are believed; 0 believes nothing.", minimum=0, maximum=100
    )
    strict: bool = option(default=False, help="Refuse to start when any mount cannot be loaded or started.")
    startup_timeout: int = option(
        60, help="Seconds that requests wait for the start-up of an ASGI application.", minimum=1, maximum=3600
    )
    shutdown_timeout: int = option(
        5, help="Seconds that all ASGI applications together get to shut down.", minimum=1, maximum=3600
    )
    client_timeout: int = option(
        30,
        help="Seconds to wait for a client: for the head of a request, for more of its body, to take some response.",
        minimum=1,
        maximum=3600,
    )
    middleware: tuple[Target, ...] = option(
        (),
        help="WSGI or ASGI middleware around everything, also around URLs without a mount, outermost first.",
        only_in_file=True,
    )
    maintenance_page: Path | None = option(
        default=None,
        help="A file of HTML: the page of mounts in maintenance (multiserve maintenance), in place of ours.",
        only_in_file=True,
    )
    manage: str = option(
        "",
        help="With --production: HOST:PORT or unix:PATH of a listener of its own for health and metrics.",
    )
    drain_seconds: int = option(
        0,
        help="With --production: seconds from TERM on in which all is served while /readyz already says 503.",
        minimum=0,
        maximum=3600,
    )
    max_websockets: int = option(
        1000,
        help="WebSockets that one worker keeps open at a time; further ones get 503.",
        minimum=1,
        maximum=1_000_000,
    )
    log: str = option(
        "text",
        help="How the lines of the log are written: as text, or as one JSON object each.",
        choices=("text", "json"),
    )
    request_id: bool = option(
        default=False,
        help="Give each request an X-Request-ID, that of a trusted proxy or a new one; always on with log = json.",
    )

    @property
    def identifies_requests(self) -> bool:
        """Whether each request has an id."""
        return self.request_id or self.log == "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Development:
    """`[development]`: the development server."""

    reload: bool = option(default=True, help="Restart when a source file or the configuration changes.")
    debugger: bool | None = option(
        default=None, help="Show tracebacks with a console in the browser; by default only where host is this machine."
    )
    isolate: bool = option(
        default=False, help="Load each application in a process of its own: a save restarts only what it concerns."
    )
    refresh: bool = option(default=False, help="Load HTML pages again in the browser after a save.")
    https: bool = option(default=False, help="Serve HTTPS, with a certificate made for this machine.")
    threaded: bool = option(default=True, help="Answer each request in a thread of its own, if all mounts are WSGI.")
    extra_files: tuple[str, ...] = option((), help="More files to watch: paths or glob patterns.")
    exclude_patterns: tuple[str, ...] = option((), help="Files that the reloader leaves alone: fnmatch patterns.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole file, checked.

    Attributes:
        source: Where it comes from, absolute.
        mounts: In the order of the file.
        elsewhere: The other mounts of the file, which another process serves: their URLs are nobody else's.
        middleware: What wraps every mount, outermost first, around its own.
        ignore: Codes of checks whose findings are not wanted.
        select: Codes of checks, or how they begin, whose findings alone are wanted; empty for all.
        severity: How severe the findings of a check are, by its code.
        plugins: Modules with checks and readers of frameworks; none of them is imported yet.
        groups: What is known of the groups, by their names.
        group: The group that this process serves, of which all mounts are; empty for the process in front.
        env: Environment variables to set before any application is imported: those of `env_files`, then of the file.
        pythonpath: Folders to search for modules, absolute; the first one is the folder of the file.
        gunicorn: gunicorn's settings as the file has them; the gunicorn server checks them.
        root: The key path of the table that holds it all; empty, or `tool.multiserve`.
        env_files: The files of environment variables that were read.
        engine: What runs it, where `check --for` asks what would break there; empty for nothing of that kind.
        written: Every value as it stands in the file, variables not replaced, by its key path.
    """

    source: Source
    mounts: tuple[Mount, ...] = option(help="URL prefix, host, or host/prefix = what answers there.")
    middleware: tuple[Target, ...] = option(
        (), help="WSGI or ASGI middleware around every mount, outermost first: module:Class or module:make(option=1)."
    )
    ignore: tuple[str, ...] = option((), help="Codes of checks whose findings are not wanted.")
    select: tuple[str, ...] = option(
        (), help="Codes of checks, or how they begin, such as MS2: only their findings are reported."
    )
    severity: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}),
        metadata={"help": "How severe the findings of a check are, by its code: off, note, warning or error."},
    )
    plugins: tuple[str, ...] = option(
        (),
        help="Modules that bring checks or readers of frameworks of your own (docs/plugins.md).",
        pattern=MODULE,
    )
    env: Mapping[str, str] = option(
        help="Environment variables, set before any application is imported; one that is set already wins."
    )
    pythonpath: tuple[Path, ...] = option(
        (), help="More folders to search for modules; the folder of the file always comes first."
    )
    server: Server = option(help="What both servers share.")
    development: Development = option(help="The development server: multiserve run.")
    gunicorn: Mapping[str, Any] = option(
        help="The production server, multiserve run --production: every setting of gunicorn under its own name."
    )
    groups: Mapping[str, Group] = field(
        default_factory=lambda: MappingProxyType({}),
        metadata={"help": "Groups of mounts, each with a process, an interpreter and an environment of its own."},
    )
    group: str = ""
    elsewhere: tuple[Mount, ...] = ()
    root: str = ""
    engine: str = ""
    env_files: tuple[Path, ...] = ()
    written: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.source.folder

    @property
    def path(self) -> Path | None:
        """The file itself, absolute; None if the mounts are those of a command line."""
        return self.source.file

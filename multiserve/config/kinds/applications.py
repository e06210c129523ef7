"""Entries that mount an application, or a factory that makes an application for each tenant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self, get_args

from multiserve._types import Interface
from multiserve.config.kinds.mount import Entry, Mount, attempt, parse_named
from multiserve.config.tables import option
from multiserve.config.targets import Target, parse_target


@dataclass(frozen=True, slots=True, kw_only=True)
class AppMount(Mount):
    """An application."""

    kind = "app"
    given = "app"
    noun = "an app"
    example = '{ app = "module:attribute" }'
    loads_code = True
    help = "The application, or the factory of tenants: module:attribute, module:factory(...) or path/to/file.py:app."
    target: Target
    interface: Interface | None = option(
        default=None,
        help="The interface of the application, wsgi or asgi, if multiserve cannot find it out.",
        choices=get_args(Interface),
    )
    threads: int = option(
        4,
        help="Requests that a WSGI application answers at a time in each worker of production, or beside ASGI ones.",
        minimum=1,
        maximum=1000,
    )
    max_concurrency: int = option(
        0,
        help="Requests that it may have at a time, beyond which the answer is 503; 0 is no bound.",
        minimum=0,
        maximum=100_000,
    )
    strip: bool = option(
        default=False,
        help="Hide the prefix from an application that ignores SCRIPT_NAME or root_path, and take it off the path.",
    )
    startup: Target | None = option(
        None,
        help="A function, module:function, that a WSGI mount runs once in each worker before its first request.",
    )
    shutdown: Target | None = option(
        None, help="A function, module:function, that a WSGI mount runs once in each worker before that ends."
    )

    @classmethod
    def read_entry(cls, entry: Entry) -> Self | None:
        """Read an application; None without a key or without a target that can be parsed."""
        text = entry.text()
        target = entry.parse(parse_target, text)
        mount = entry.read(cls, what=text, target=target, **cls._read_functions(entry))
        return mount if entry.key and target else None

    @classmethod
    def _read_functions(cls, entry: Entry) -> dict[str, Target | None]:
        texts = {name: entry.table.text(name) for name in ("startup", "shutdown")}
        return {name: attempt(entry.table, name, parse_named, text) for name, text in texts.items() if text is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantMount(AppMount):
    """A factory, which makes an application for each value of the placeholders in the key."""

    kind = "tenants"
    has_placeholders = True
    startup: None = field(default=None, init=False)  # a factory can do at its first call what is to be done
    shutdown: None = field(default=None, init=False)
    max_instances: int = option(
        128, help="Tenants that are kept; the least recently used one goes first.", minimum=1, maximum=1_000_000
    )
    idle_seconds: int = option(
        0, help="Seconds after which an unused tenant is given up; 0 is never.", minimum=0, maximum=10_000_000
    )
    refused_seconds: int = option(
        60,
        help="Seconds for which a name is remembered for which the factory returned None.",
        minimum=0,
        maximum=10_000_000,
    )

    @classmethod
    def _read_functions(cls, entry: Entry) -> dict[str, Target | None]:
        del entry
        return {}

"""From a configuration to one application: loads every mount, collects every failure, and composes the rest."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from multiserve._types import Interface, WSGIApplication
from multiserve.composition import compose_asgi, compose_wsgi
from multiserve.config.file import Config, find_config, load_config
from multiserve.errors import LoadError
from multiserve.loading.mounts import LoadedMount, MountLoader
from multiserve.tracebacks import format_cause

log = logging.getLogger("multiserve")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """All mounts and the composed application, which is a WSGI or an ASGI application."""

    config: Config
    mounts: tuple[LoadedMount, ...]
    application: Any
    interface: Interface

    @property
    def failures(self) -> tuple[LoadedMount, ...]:
        """The mounts that cannot be served."""
        return tuple(loaded for loaded in self.mounts if loaded.error)


def assemble(
    config: Config,
    *,
    development: bool = False,
    environment: Mapping[str, str] = MappingProxyType({}),
    interface: Interface | None = None,
    wrap: Callable[[WSGIApplication], WSGIApplication] | None = None,
    observe: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> Assembly:
    """Load every mount and compose them; the failures are in the result.

    Args:
        config: The configuration; its `[env]` is set and its `pythonpath` put in front before the first import.
        development: Show tracebacks and the list of mounts to clients.
        environment: Environment variables that count only where neither the process nor the file sets them.
        interface: What the composed application shall speak; by default WSGI if every mount does, else ASGI.
        wrap: Wrap each WSGI application, such as with a debugger.
        observe: Watch what happens while a mount is loaded, given its TOML key.
    """
    _prepare_process(config, environment)
    loader = MountLoader(config, interface, wrap)
    loaded = []
    for mount in config.mounts:
        with observe(mount.toml_key):
            loaded.append(loader.load(mount))
    speaks: Interface = interface or ("asgi" if any(each.interface == "asgi" for each in loaded) else "wsgi")
    mounts = tuple(loader.finish(each, speaks) for each in loaded)
    compose = compose_wsgi if speaks == "wsgi" else compose_asgi
    return Assembly(
        config=config, mounts=mounts, application=compose(config, mounts, development=development), interface=speaks
    )


def _prepare_process(config: Config, environment: Mapping[str, str]) -> None:
    for name, value in {**environment, **config.env}.items():
        os.environ.setdefault(name, value)
    if "TZ" in config.env and hasattr(time, "tzset"):
        time.tzset()  # the process looks at the variable only when it starts
    folders = [str(folder) for folder in config.pythonpath]
    sys.path[:] = [*folders, *(entry for entry in sys.path if entry not in folders)]


def may_refuse(config: Config) -> bool:
    """Tell whether a single failure can keep a server from starting."""
    return config.server.strict or any(mount.required for mount in config.mounts)


def refuse_failures(assembly: Assembly) -> None:
    """Raise where a failure must not be served around: all mounts failed, or a required one did, or any if strict.

    Raises:
        LoadError: With the problems of every mount that failed.
    """
    failures = assembly.failures
    strict = assembly.config.server.strict or len(failures) == len(assembly.mounts)
    if strict or any(loaded.mount.required for loaded in failures):
        _refuse(failures)


def log_failures(assembly: Assembly, log: logging.Logger) -> None:
    """Log each failure that is served around, with the traceback of the application."""
    for loaded in assembly.failures:
        if loaded.error:
            log.error("%s answers 503:\n%s", loaded.mount.key, format_cause(loaded.error))


def _refuse(failures: Iterable[LoadedMount]) -> None:
    if errors := [loaded.error for loaded in failures if loaded.error]:
        refusal = LoadError(*(problem for error in errors for problem in error.problems))
        refusal.details = "\n\n".join(map(format_cause, errors))
        raise refusal


def create_app(config: str | os.PathLike[str] | None = None, interface: Interface | None = None) -> Any:
    """Compose the mounts of a configuration into one application, for any server.

    Args:
        config: The path of the file; by default it is found as the command line finds it.
        interface: `"wsgi"` (PEP 3333) or `"asgi"` (ASGI 3.0); by default WSGI if every mount is, else ASGI.

    Raises:
        ConfigError: The file is missing or wrong.
        LoadError: No mount could be loaded, or a required one could not, or WSGI cannot serve them.
    """
    assembly = assemble(load_config(find_config(config)), interface=interface)
    refuse_failures(assembly)
    _refuse(loaded for loaded in assembly.failures if loaded.interface)  # it is the server that is wrong, not the mount
    log_failures(assembly, log)
    return assembly.application

"""From a configuration to one application: loads every mount, collects every failure, and composes the rest."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from multiserve._types import Interface, WSGIApplication
from multiserve.config import Config, Mount, find_config, load_config
from multiserve.dispatch.wsgi import WSGIDispatcher, not_found
from multiserve.errors import LoadError, Problem
from multiserve.loader import format_cause, load
from multiserve.mounts.broken import broken
from multiserve.routing import Router

log = logging.getLogger("multiserve")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedMount:
    """One mount and what became of it.

    Attributes:
        mount: The entry of the file.
        application: What answers its requests; a 503 in place of one that could not be loaded.
        interface: What the application speaks; None where there is none.
        error: Why it could not be loaded.
    """

    mount: Mount
    application: WSGIApplication
    interface: Interface | None = None
    error: LoadError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """All mounts and the composed application."""

    config: Config
    mounts: tuple[LoadedMount, ...]
    application: WSGIApplication

    @property
    def failures(self) -> tuple[LoadedMount, ...]:
        """The mounts that could not be loaded."""
        return tuple(loaded for loaded in self.mounts if loaded.error)


def assemble(
    config: Config, *, development: bool = False, environment: Mapping[str, str] = MappingProxyType({})
) -> Assembly:
    """Load every mount and compose them; the failures are in the result.

    Args:
        config: The configuration; its `[env]` is set and its `pythonpath` put in front before the first import.
        development: Show tracebacks and the list of mounts to clients.
        environment: Environment variables that count only where neither the process nor the file sets them.
    """
    _prepare_process(config, environment)
    mounts = tuple(_load_mount(config, mount, development=development) for mount in config.mounts)
    router = Router((loaded.mount.key, loaded.application) for loaded in mounts)
    names = [str(mount.key) for mount in config.mounts] if development else []
    return Assembly(config=config, mounts=mounts, application=WSGIDispatcher(router, not_found(names)))


def _prepare_process(config: Config, environment: Mapping[str, str]) -> None:
    for name, value in {**environment, **config.env}.items():
        os.environ.setdefault(name, value)
    folders = [str(folder) for folder in config.pythonpath]
    sys.path[:] = [*folders, *(entry for entry in sys.path if entry not in folders)]


def _load_mount(config: Config, mount: Mount, *, development: bool) -> LoadedMount:
    try:
        loaded = load(mount.target, prefix=mount.key.prefix, key=mount.toml_key, folder=config.folder)
        _refuse_asgi(mount, loaded.interface)
    except LoadError as error:
        details = format_cause(error) if development else ""
        return LoadedMount(mount=mount, application=broken(str(mount.key), details), error=error)
    return LoadedMount(mount=mount, application=loaded.application, interface=loaded.interface)


def _refuse_asgi(mount: Mount, interface: Interface) -> None:
    if interface == "asgi":
        message = f'"{mount.app}" is an ASGI application, which this version cannot mount'
        raise LoadError(Problem(key=mount.toml_key, message=message, hint="Mount a WSGI application here."))


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
    if failures and (strict or any(loaded.mount.required for loaded in failures)):
        errors = [loaded.error for loaded in failures if loaded.error]
        refusal = LoadError(*(problem for error in errors for problem in error.problems))
        refusal.details = "\n\n".join(map(format_cause, errors))
        raise refusal


def log_failures(assembly: Assembly, log: logging.Logger) -> None:
    """Log each failure that is served around, with the traceback of the application."""
    for loaded in assembly.failures:
        if loaded.error:
            log.error("%s answers 503:\n%s", loaded.mount.key, format_cause(loaded.error))


def create_app(config: str | os.PathLike[str] | None = None) -> WSGIApplication:
    """Compose the mounts of a configuration into one WSGI application (PEP 3333), for any server.

    Args:
        config: The path of the file; by default it is found as the command line finds it.

    Raises:
        ConfigError: The file is missing or wrong.
        LoadError: No mount could be loaded, or a required one could not.
    """
    configuration = load_config(find_config(config))
    assembly = assemble(configuration)
    refuse_failures(assembly)
    log_failures(assembly, log)
    return assembly.application

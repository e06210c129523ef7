"""From a configuration to one application: loads every mount, collects every failure, and composes the rest."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from multiserve._types import ASGIApplication, Interface, WSGIApplication
from multiserve.config import Config, Mount, find_config, load_config
from multiserve.dispatch.wsgi import WSGIDispatcher
from multiserve.errors import LoadError, Problem
from multiserve.keys import MountKey
from multiserve.loader import format_cause, load
from multiserve.mounts.answers import Answer, broken, not_found
from multiserve.routing import Router

log = logging.getLogger("multiserve")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedMount:
    """One mount and what became of it.

    Attributes:
        mount: The entry of the file.
        application: What was loaded; None if nothing could be.
        interface: What the application speaks; None where there is none.
        error: Why the mount cannot be served.
    """

    mount: Mount
    application: Any = None
    interface: Interface | None = None
    error: LoadError | None = None


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
) -> Assembly:
    """Load every mount and compose them; the failures are in the result.

    Args:
        config: The configuration; its `[env]` is set and its `pythonpath` put in front before the first import.
        development: Show tracebacks and the list of mounts to clients.
        environment: Environment variables that count only where neither the process nor the file sets them.
        interface: What the composed application shall speak; by default WSGI if every mount does, else ASGI.
        wrap: Wrap each WSGI application, such as with a debugger.
    """
    _prepare_process(config, environment)
    failed: dict[str, LoadError] = {}
    mounts = tuple(_load_mount(config, mount, interface, wrap, failed) for mount in config.mounts)
    speaks: Interface = interface or ("asgi" if any(loaded.interface == "asgi" for loaded in mounts) else "wsgi")
    compose = _compose_wsgi if speaks == "wsgi" else _compose_asgi
    return Assembly(
        config=config, mounts=mounts, application=compose(config, mounts, development=development), interface=speaks
    )


def _compose_wsgi(config: Config, mounts: Iterable[LoadedMount], *, development: bool) -> WSGIApplication:
    composed = [
        (loaded.mount.key, _broken(loaded, development=development).wsgi if loaded.error else loaded.application)
        for loaded in mounts
    ]
    return WSGIDispatcher(Router(composed), _not_found(config, development=development).wsgi)


def _compose_asgi(config: Config, mounts: Iterable[LoadedMount], *, development: bool) -> ASGIApplication:
    # asyncio takes long to import: whoever mounts WSGI applications alone does without it.
    from multiserve.dispatch.asgi import ASGIDispatcher, ASGIMount
    from multiserve.dispatch.bridge import WSGIBridge
    from multiserve.dispatch.lifespan import Lifespan, Lifespans

    missing = _not_found(config, development=development)
    lifespans: dict[int, Lifespan] = {}  # one for each application object, however often it is mounted
    required: list[Lifespan] = []
    composed: list[tuple[MountKey, ASGIMount]] = []
    for loaded in mounts:
        mount, application = loaded.mount, loaded.application
        if loaded.error:
            answer = _broken(loaded, development=development).asgi
            composed.append((mount.key, ASGIMount(http=answer, websocket=answer)))
        elif loaded.interface == "wsgi":
            bridge = WSGIBridge(application, mount.threads, name=str(mount.key))
            composed.append((mount.key, ASGIMount(http=bridge, websocket=missing.asgi)))
        else:
            lifespan = lifespans.setdefault(id(application), Lifespan(application, str(mount.key)))
            composed.append((mount.key, ASGIMount(http=application, websocket=application, lifespan=lifespan)))
            if (mount.required or config.server.strict) and lifespan not in required:
                required.append(lifespan)
    supervisor = Lifespans(list(lifespans.values()), required, config.server.shutdown_timeout)
    return ASGIDispatcher(Router(composed), supervisor, missing, config.server.startup_timeout, details=development)


def _not_found(config: Config, *, development: bool) -> Answer:
    return not_found([str(mount.key) for mount in config.mounts] if development else [])


def _broken(loaded: LoadedMount, *, development: bool) -> Answer:
    return broken(str(loaded.mount.key), format_cause(loaded.error) if development and loaded.error else "")


def _prepare_process(config: Config, environment: Mapping[str, str]) -> None:
    for name, value in {**environment, **config.env}.items():
        os.environ.setdefault(name, value)
    folders = [str(folder) for folder in config.pythonpath]
    sys.path[:] = [*folders, *(entry for entry in sys.path if entry not in folders)]


def _load_mount(
    config: Config,
    mount: Mount,
    interface: Interface | None,
    wrap: Callable[[WSGIApplication], WSGIApplication] | None,
    failed: dict[str, LoadError],
) -> LoadedMount:
    if earlier := failed.get(mount.app):
        error = LoadError(*(replace(problem, key=mount.toml_key) for problem in earlier.problems))
        error.__cause__ = earlier.__cause__
        return LoadedMount(mount=mount, error=error)
    try:
        application, speaks = load(
            mount.target,
            prefix=mount.key.prefix,
            key=mount.toml_key,
            folder=config.folder,
            interface=mount.interface,
        )
    except LoadError as error:
        if mount.target.call is None:  # it is loaded once, however often it is mounted
            failed[mount.app] = error
        return LoadedMount(mount=mount, error=error)
    if (speaks, interface) == ("asgi", "wsgi"):
        problem = Problem(
            key=mount.toml_key,
            message=f'"{mount.app}" is an ASGI application, which a WSGI server cannot serve',
            hint="Serve multiserve.asgi:application with an ASGI server instead; it serves the WSGI mounts, too.",
        )
        return LoadedMount(mount=mount, application=application, interface=speaks, error=LoadError(problem))
    if wrap and speaks == "wsgi":
        application = wrap(application)
    return LoadedMount(mount=mount, application=application, interface=speaks)


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

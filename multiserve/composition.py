"""From a configuration to one application: loads every mount, collects every failure, and composes the rest."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from multiserve._types import Interface, Loaded
from multiserve.config.model import Config
from multiserve.config.mounts import GroupedMount, Mount
from multiserve.dispatchers import compose_asgi, compose_bridged, compose_wsgi, identify, surround
from multiserve.errors import LoadError, Problem
from multiserve.kinds import kind_of
from multiserve.loading.django_urls import forget_settled_urls
from multiserve.loading.monkey_patches import refused_monkey_patches
from multiserve.loading.mounts import ForeignInterfaceError, LoadedMount, MountLoader
from multiserve.loading.server_starts import refused_server_starts
from multiserve.tracebacks import format_cause


def _nothing_failed(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """All mounts and the composed application, which is a WSGI or an ASGI application.

    Attributes:
        config: The configuration.
        mounts: Its mounts, and what became of them.
        application: The composed application.
        interface: Its interface.
        failure_of_start: Return why the mount of a name could not be started; empty if it could, or may yet.
        loader: What has loaded the mounts, and can load more.
    """

    config: Config
    mounts: tuple[LoadedMount, ...]
    application: Any
    interface: Interface
    failure_of_start: Callable[[str], str] = _nothing_failed
    loader: MountLoader | None = None

    @property
    def failures(self) -> tuple[LoadedMount, ...]:
        """The mounts that cannot be served."""
        return tuple(loaded for loaded in self.mounts if loaded.error)

    @property
    def unserved(self) -> tuple[Mount, ...]:
        """The mounts that cannot be served now, because they could not be loaded or not be started."""
        return tuple(each.mount for each in self.mounts if each.error or self.failure_of_start(each.mount.name))

    def start(self, *, refuse: bool = False) -> list[str]:
        """Run the `startup` functions of WSGI mounts; over ASGI they are lifespans, which the server runs.

        Args:
            refuse: Whether a required mount whose start-up fails is an error.

        Returns:
            The names of the mounts whose start-up failed.

        Raises:
            LoadError: A required one failed.
        """
        if self.interface == "asgi":
            return []
        failed = [loaded for loaded in self.mounts if loaded.hooks and not loaded.hooks.start()]
        if refuse:
            raise_failures(
                replace(each, error=_not_started(each))
                for each in failed
                if each.mount.required or self.config.server.strict
            )
        return [loaded.mount.name for loaded in failed]


@refused_server_starts()
def compose(
    config: Config,
    *,
    development: bool = False,
    environment: Mapping[str, str] = MappingProxyType({}),
    interface: Interface | None = None,
    wrap: Callable[[Loaded], Loaded] | None = None,
    observe: Callable[[Mount], AbstractContextManager[object]] = nullcontext,
) -> Composition:
    """Load every mount and compose them; the failures are in the result.

    Args:
        config: The configuration; its `[env]` is set and its `pythonpath` put in front before the first import.
        development: Show tracebacks and the list of mounts to clients, and serve the static files of Django.
        environment: Environment variables that count only where neither the process nor the file sets them.
        interface: The interface of the composed application; by default WSGI if every mount has that, else ASGI.
        wrap: Wrap each application, such as with a debugger.
        observe: Show that a mount is being loaded, or watch what happens meanwhile.

    Raises:
        LoadError: The middleware of `[server]` cannot be loaded or does not fit.
    """
    prepare_process(config, environment)
    loader = MountLoader(config, interface, wrap, development=development)
    loaded = []
    for mount in config.mounts:
        with observe(mount), refused_monkey_patches():
            loaded.append(load_mount(mount, loader))
    forget_settled_urls()
    natural: Interface = "asgi" if any(each.interface == "asgi" for each in loaded) else "wsgi"
    found = interface or natural
    if config.server.middleware and (found, natural) == ("asgi", "wsgi"):
        bridged = _compose_bridged(config, loaded, loader, development=development)
        if bridged is not None:
            return bridged
    mounts = tuple(_finish(each, found, loader) for each in loaded)
    compose = compose_wsgi if found == "wsgi" else compose_asgi
    application = compose(config, mounts, development=development)
    surround(config, application, found)
    identify(config, application, found)
    return _composition(config, mounts, application, found, loader)


def _composition(
    config: Config, mounts: tuple[LoadedMount, ...], application: Any, interface: Interface, loader: MountLoader
) -> Composition:
    hooks = {each.mount.name: each.hooks for each in mounts if each.hooks}
    if interface == "asgi":
        failure_of_start: Callable[[str], str] = application.lifespans.failure_of
    else:
        failure_of_start = lambda name: hooks[name].failure if name in hooks else ""  # noqa: E731 (two ways to know it)
    loader.failure_of_start = failure_of_start
    return Composition(
        config=config,
        mounts=mounts,
        application=application,
        interface=interface,
        failure_of_start=failure_of_start,
        loader=loader,
    )


def _compose_bridged(
    config: Config, loaded: Sequence[LoadedMount], loader: MountLoader, *, development: bool
) -> Composition | None:
    """Compose WSGI mounts with the middleware of `[server]`, which is WSGI then, for an ASGI server.

    Returns:
        None if the middleware is not WSGI, and a mount that could not be loaded may be the reason.

    Raises:
        LoadError: The middleware cannot be loaded, or is not WSGI.
    """
    mounts = tuple(_finish(each, "wsgi", loader) for each in loaded)
    try:
        application = compose_bridged(config, mounts, development=development)
    except LoadError:
        if any(each.error for each in loaded):
            return None
        raise
    return _composition(config, mounts, application, "asgi", loader)


def load_mount(mount: Mount, loader: MountLoader) -> LoadedMount:
    """Load one mount; why that fails is in the result."""
    try:
        _refuse_of_another_process(mount, loader.config)
        loaded = kind_of(mount).load(mount, loader)
    except ForeignInterfaceError as error:
        loader.failures[mount.name] = error
        return LoadedMount(mount=mount, interface="asgi", error=error)
    except LoadError as error:
        loader.failures[mount.name] = error
        loaded = LoadedMount(mount=mount, error=error)
    if loaded.error:
        loaded.error.problems = tuple(map(loader.config.source.word, loaded.error.problems))
    return loaded


def _refuse_of_another_process(mount: Mount, config: Config) -> None:
    """Raise for a mount of a group that is neither handed on nor in the process of its group, as under other servers.

    Raises:
        LoadError: It is one.
    """
    if mount.group not in ("", config.group) and not isinstance(mount, GroupedMount):
        hint = "Serve it with multiserve run, or multiserve run --production, or take the option out."
        message = f'only multiserve run starts the process of the group "{mount.group}"'
        raise LoadError(Problem(key=f"{mount.toml_key}.group", message=message, hint=hint))


def _finish(loaded: LoadedMount, interface: Interface, loader: MountLoader) -> LoadedMount:
    try:
        is_lost = loaded.error and not loaded.handlers
        return loaded if is_lost else kind_of(loaded.mount).finish(loaded, interface, loader)
    except LoadError as error:
        loader.failures[loaded.mount.name] = error
        return LoadedMount(mount=loaded.mount, error=error)


def prepare_process(config: Config, environment: Mapping[str, str] = MappingProxyType({})) -> None:
    """Set the environment variables and the module search path of a configuration, before anything is imported."""
    for name, value in {**environment, **config.env}.items():
        os.environ.setdefault(name, value)
    if "TZ" in config.env and hasattr(time, "tzset"):
        time.tzset()  # the process looks at the variable only when it starts
    folders = [str(folder) for folder in config.pythonpath]
    sys.path[:] = [*folders, *(entry for entry in sys.path if entry not in folders)]


def may_refuse(config: Config) -> bool:
    """Return whether a single failure can keep a server from starting."""
    return config.server.strict or any(mount.required for mount in config.mounts)


def refuse_failures(composition: Composition) -> None:
    """Raise if the server must not start: all mounts failed, or a required one did, or any did and it is strict.

    Raises:
        LoadError: With the problems of every mount that failed.
    """
    failures = composition.failures
    config = composition.config
    # A group of which nothing is left concerns its own mounts alone.
    strict = config.server.strict or (len(failures) == len(composition.mounts) and not config.group)
    if strict or any(loaded.mount.required for loaded in failures):
        raise_failures(failures)


def _not_started(loaded: LoadedMount) -> LoadError:
    failure = loaded.hooks.failure if loaded.hooks else ""
    *_, last = failure.splitlines()
    return LoadError(Problem(key=f"{loaded.mount.toml_key}.startup", message=f"the start-up failed: {last}"))


def log_failures(composition: Composition, log: logging.Logger) -> None:
    """Log each mount that answers 503, with the traceback of its application."""
    for loaded in composition.failures:
        if loaded.error:
            log.error("%s answers 503:\n%s", loaded.mount.key, format_cause(loaded.error))


def raise_failures(failures: Iterable[LoadedMount]) -> None:
    """Raise one `LoadError` over the problems of all these mounts, or return if there are none."""
    if errors := [loaded.error for loaded in failures if loaded.error]:
        refusal = LoadError(*(problem for error in errors for problem in error.problems))
        refusal.details = "\n\n".join(map(format_cause, errors))
        raise refusal

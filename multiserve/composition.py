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

from multiserve._types import ASGIApplication, Interface, Loaded, WSGIApplication
from multiserve.config.model import Config
from multiserve.config.mounts import AppMount, Mount
from multiserve.dispatch.answers import Answer, broken
from multiserve.dispatch.not_found_page import ListedMount, not_found_in
from multiserve.dispatch.tenants import ASGITenantMount, WSGITenantMount
from multiserve.dispatch.wsgi import WSGIDispatcher
from multiserve.errors import LoadError, Problem
from multiserve.keys import MountKey
from multiserve.kinds import kind_of
from multiserve.kinds.kind import Surroundings
from multiserve.loading.applications import Middleware
from multiserve.loading.django_urls import forget_settled_urls
from multiserve.loading.monkey_patches import refused_monkey_patches
from multiserve.loading.mounts import ForeignInterfaceError, LoadedMount, MountLoader
from multiserve.loading.server_starts import refused_server_starts
from multiserve.routing import Router
from multiserve.tracebacks import format_cause, format_traceback


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """All mounts and the composed application, which is a WSGI or an ASGI application."""

    config: Config
    mounts: tuple[LoadedMount, ...]
    application: Any
    interface: Interface

    @property
    def failures(self) -> tuple[LoadedMount, ...]:
        """The mounts that cannot be served."""
        return tuple(loaded for loaded in self.mounts if loaded.error)

    def start(self, *, refuse: bool = False) -> list[str]:
        """Run the `startup` functions of WSGI mounts, for a server that runs no lifespan.

        Args:
            refuse: Whether a required mount whose start-up fails is an error.

        Returns:
            The names of the mounts whose start-up failed.

        Raises:
            LoadError: A required one failed.
        """
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
            loaded.append(_load(mount, loader))
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
    _surround(config, application, found)
    return Composition(config=config, mounts=mounts, application=application, interface=found)


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
    return Composition(config=config, mounts=mounts, application=application, interface="asgi")


def _surround(config: Config, dispatcher: Any, interface: Interface) -> None:
    """Put the middleware of `[server]` around a dispatcher.

    Raises:
        LoadError: It cannot be loaded, or has another interface. To serve without it could be unsafe.
    """
    key = f"{config.root}.server.middleware" if config.root else "server.middleware"
    for target in reversed(config.server.middleware):
        middleware = Middleware(target, key=key, folder=config.folder)

        def wrap(application: Any, middleware: Middleware = middleware) -> Any:
            return middleware.wrap(Loaded(application, interface), "").application

        dispatcher.surround(wrap)


def _load(mount: Mount, loader: MountLoader) -> LoadedMount:
    try:
        return kind_of(mount).load(mount, loader)
    except ForeignInterfaceError as error:
        loader.failures[mount.name] = error
        return LoadedMount(mount=mount, interface="asgi", error=error)
    except LoadError as error:
        loader.failures[mount.name] = error
        return LoadedMount(mount=mount, error=error)


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
    strict = composition.config.server.strict or len(failures) == len(composition.mounts)
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


def compose_wsgi(config: Config, mounts: Sequence[LoadedMount], *, development: bool) -> WSGIApplication:
    """Compose mounts that are all WSGI.

    Args:
        config: The configuration.
        mounts: What its mounts have become; those that failed answer 503.
        development: Show tracebacks and the list of mounts to clients.
    """
    around = _surroundings(config, mounts, development=development)
    router = Router(_answers_wsgi(mounts, around))
    return WSGIDispatcher(router, around.not_found.wsgi, trusted_proxies=config.server.trusted_proxies)


def _answers_wsgi(
    mounts: Sequence[LoadedMount], around: Surroundings
) -> list[tuple[MountKey, WSGIApplication | WSGITenantMount]]:
    return [
        (
            loaded.mount.key,
            _broken(loaded, around).wsgi
            if loaded.error and loaded.application is None
            else kind_of(loaded.mount).answer_wsgi(loaded.mount, loaded, around),
        )
        for loaded in mounts
    ]


def compose_bridged(config: Config, mounts: Sequence[LoadedMount], *, development: bool) -> ASGIApplication:
    """Compose mounts that are all WSGI, with the WSGI middleware of `[server]`, into an ASGI application.

    The middleware calls any mount in the thread in which it is called itself: all mounts share one pool of threads,
    which is as small as the mount with the fewest `threads` asks for.

    Raises:
        LoadError: The middleware cannot be loaded, or is not WSGI.
    """
    from multiserve.dispatch.asgi import ASGIDispatcher
    from multiserve.dispatch.bridged import BridgedSet, BridgedTenants
    from multiserve.dispatch.lifespan import Lifespan, Lifespans

    around = _surroundings(config, mounts, development=development)
    answers = _answers_wsgi(mounts, around)
    inner = WSGIDispatcher(Router(answers), around.not_found.wsgi)
    _surround(config, inner, "wsgi")
    threads = min((mount.threads for mount in config.mounts if isinstance(mount, AppMount)), default=4)
    tenants = [BridgedTenants(answer) for _, answer in answers if isinstance(answer, WSGITenantMount)]
    hooked = [(each, Lifespan(each.hooks.lifespan, each.mount.name)) for each in mounts if each.hooks]
    required = [lifespan for each, lifespan in hooked if each.mount.required or config.server.strict]
    outer = ASGIDispatcher(
        Router([]),
        Lifespans([each for _, each in hooked], required, config.server.shutdown_timeout, tenants),
        around.not_found,
        config.server.startup_timeout,
        details=development,
        trusted_proxies=config.server.trusted_proxies,
    )
    bridged = BridgedSet(inner, threads, around.not_found.asgi)
    outer.surround(lambda _: bridged)
    return outer


def compose_asgi(config: Config, mounts: Sequence[LoadedMount], *, development: bool) -> ASGIApplication:
    """Compose mounts of either interface; the arguments are those of `compose_wsgi`."""
    # asyncio takes long to import, and a composition of WSGI applications does not need it.
    from multiserve.dispatch.asgi import ASGIDispatcher, ASGIMount
    from multiserve.dispatch.lifespan import Lifespan, Lifespans

    # A mount that failed may be the one that is ASGI.
    takes_asgi = any(loaded.interface == "asgi" or loaded.error for loaded in mounts)
    around = replace(_surroundings(config, mounts, development=development), takes_asgi=takes_asgi)
    lifespans: dict[int, Lifespan] = {}  # by application: one that is mounted twice has one
    required: list[Lifespan] = []
    composed: list[tuple[MountKey, ASGIMount | ASGITenantMount]] = []
    for loaded in mounts:
        mount = loaded.mount
        if loaded.error and loaded.application is None:
            answer = _broken(loaded, around).asgi
            composed.append((mount.key, ASGIMount(http=answer, websocket=answer)))
            continue
        lifespan = None
        if loaded.hooks:
            lifespan = lifespans.setdefault(id(loaded.hooks), Lifespan(loaded.hooks.lifespan))
        elif loaded.interface == "asgi" and kind_of(mount).may_have_lifespan(loaded, config):
            lifespan = lifespans.setdefault(id(loaded.application), Lifespan(loaded.application))
        if lifespan is not None:
            lifespan.mounts.append(mount.name)
            if (mount.required or config.server.strict) and lifespan not in required:
                required.append(lifespan)
        composed.append((mount.key, kind_of(mount).answer_asgi(mount, loaded, around, lifespan)))
    tenants = [answering for _, answering in composed if isinstance(answering, ASGITenantMount)]
    supervisor = Lifespans(list(lifespans.values()), required, config.server.shutdown_timeout, tenants)
    return ASGIDispatcher(
        Router(composed),
        supervisor,
        around.not_found,
        config.server.startup_timeout,
        details=development,
        trusted_proxies=config.server.trusted_proxies,
    )


def _surroundings(config: Config, mounts: Sequence[LoadedMount], *, development: bool) -> Surroundings:
    listed = [ListedMount(each.mount.key, each.mount.what, is_loaded=each.error is None) for each in mounts]
    missing = not_found_in(listed, development=development)
    return Surroundings(config=config, not_found=missing, development=development)


def _broken(loaded: LoadedMount, surroundings: Surroundings) -> Answer:
    if not surroundings.development or loaded.error is None:
        return broken(loaded.mount.name)
    return broken(loaded.mount.name, loaded.error.problems, format_traceback(loaded.error))

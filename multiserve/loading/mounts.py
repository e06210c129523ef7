"""What loading a mount results in, and what the mounts of a configuration share while they are loaded."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from multiserve._types import ASGIApplication, Interface, Loaded, WSGIApplication
from multiserve.config.model import Config
from multiserve.config.mounts import AppMount, Mount
from multiserve.config.targets import Placeholder, Target
from multiserve.dispatch.forks import leaving_after_fork
from multiserve.dispatch.hooks import Hooks
from multiserve.errors import LoadError, Problem
from multiserve.loading.applications import Middleware, load
from multiserve.loading.django_static import with_static_files
from multiserve.loading.factories import Factory
from multiserve.loading.objects import Objects
from multiserve.mounts.redirects import with_slash_asgi, with_slash_wsgi
from multiserve.mounts.stripping import strip_asgi, strip_wsgi


class Handlers(NamedTuple):
    """What answers for a mount that multiserve answers by itself, over either interface."""

    wsgi: WSGIApplication
    asgi: ASGIApplication


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedMount:
    """One mount and what became of it.

    Attributes:
        mount: The entry of the file.
        application: What answers, wrapped in its middleware; None for tenants, for a mount that cannot be served, and
            for one with handlers until the interface of the composition is known.
        interface: The interface of the application, or of those that the factory makes; None if it is not known or
            either would do.
        origin: The application as it was loaded, before anything wrapped it.
        factory: What makes the applications of tenants.
        handlers: What answers over either interface, without middleware.
        hooks: What a WSGI application runs when a worker starts and ends.
        error: Why the mount cannot be served; with an application, it may be served later.
    """

    mount: Mount
    application: Any = None
    interface: Interface | None = None
    origin: Any = None
    factory: Factory | None = None
    handlers: Handlers | None = None
    hooks: Hooks | None = None
    error: LoadError | None = None


class MountLoader:
    """Loads targets and middleware for the mounts of one configuration, each of them once."""

    def __init__(
        self,
        config: Config,
        interface: Interface | None,
        wrap: Callable[[Loaded], Loaded] | None,
        *,
        development: bool = False,
    ) -> None:
        """Create a loader that has loaded nothing yet.

        Args:
            config: The configuration.
            interface: The interface that the composed application must have; None if that follows from the mounts.
            wrap: Wrap each application, such as with a debugger.
            development: Whether clients may see what is wrong, and Django's static files are served.
        """
        self.config = config
        self.development = development
        self.failures: dict[str, LoadError] = {}  # by the names of the mounts; complete when all of them are loaded
        self.failure_of_start: Callable[[str], str] = lambda _: ""  # by the name of a mount; known once it is composed
        self._interface = interface
        self._wrap = wrap
        self._failed: dict[str, LoadError] = {}  # by target: one that is mounted twice is loaded once
        self._wrappings: dict[Hashable, Loaded] = {}
        self._objects = Objects()
        self._middleware: dict[str, Middleware | LoadError] = {}

    def load_target(self, mount: AppMount) -> Loaded:
        """Load the application of a mount, without its middleware.

        Raises:
            LoadError: It cannot be loaded.
        """
        if earlier := self._failed.get(mount.what):
            error = LoadError(*(replace(problem, key=mount.place) for problem in earlier.problems))
            error.__cause__ = earlier.__cause__
            raise error
        try:
            return load(
                mount.target,
                prefix=mount.key.prefix,
                key=mount.place,
                folder=self.config.folder,
                interface=mount.interface,
                objects=self._objects,
            )
        except LoadError as error:
            if mount.target.call is None:
                self._failed[mount.what] = error
            raise

    def refuse_foreign(self, mount: Mount, interface: Interface | None) -> None:
        """Raise for an ASGI application in a composition that has to be WSGI.

        Raises:
            ForeignInterfaceError: It is one.
        """
        if (interface, self._interface) == ("asgi", "wsgi"):
            raise ForeignInterfaceError(mount)

    def wrap_once(self, mount: Mount, loaded: Loaded) -> Loaded:
        """Wrap an application once, however often it is mounted, so that its middleware has one lifespan, too.

        Middleware that takes the prefix is made for each mount.
        """
        targets = (*self.config.middleware, *mount.middleware)
        takes_prefix = any(_asks_for_prefix(target) for target in targets)
        names = tuple(target.text for target in targets)
        strip = isinstance(mount, AppMount) and mount.strip
        key = (
            id(loaded.application),
            loaded.interface,
            mount.slash,
            strip,
            names,
            mount.key.prefix if takes_prefix else "",
        )
        if key not in self._wrappings:
            served = with_static_files(loaded) if self.development else loaded
            self._wrappings[key] = self.wrap(mount, served, mount.key.prefix)
        return self._wrappings[key]

    def wrap(self, mount: Mount, loaded: Loaded, prefix: str) -> Loaded:
        """Wrap an application in what the file and the development server put around it.

        Raises:
            LoadError: A middleware cannot be loaded, or does not fit the application.
        """
        if isinstance(mount, AppMount) and mount.strip:
            strip: Callable[[Any], Any] = strip_wsgi if loaded.interface == "wsgi" else strip_asgi
            loaded = Loaded(strip(loaded.application), loaded.interface)
        if mount.slash == "redirect":
            add_slash: Callable[[Any], Any] = with_slash_wsgi if loaded.interface == "wsgi" else with_slash_asgi
            loaded = Loaded(add_slash(loaded.application), loaded.interface)
        for middleware in reversed(self.load_middleware(mount)):
            loaded = middleware.wrap(loaded, prefix)
        if self._wrap is None:
            return loaded
        if loaded.interface == "wsgi":
            # What wraps it may call the application only while its response is read, when the dispatcher has done.
            loaded = Loaded(leaving_after_fork(loaded.application), "wsgi")
        return self._wrap(loaded)

    def load_middleware(self, mount: Mount) -> list[Middleware]:
        """Load the middleware of all mounts, and then that of one mount.

        Raises:
            LoadError: One of them cannot be loaded.
        """
        root = f"{self.config.root}." if self.config.root else ""
        wanted = [
            *((target, f"{root}middleware") for target in self.config.middleware),
            *((target, f"{mount.toml_key}.middleware") for target in mount.middleware),
        ]
        return [self._load_one_middleware(target, key) for target, key in wanted]

    def _load_one_middleware(self, target: Target, key: str) -> Middleware:
        name = f"{key} {target.text}"
        if name not in self._middleware:
            try:
                self._middleware[name] = Middleware(target, key=key, folder=self.config.folder)
            except LoadError as error:
                self._middleware[name] = error
        found = self._middleware[name]
        if isinstance(found, LoadError):
            raise found
        return found


def _asks_for_prefix(target: Target) -> bool:
    call = target.call
    return call is not None and Placeholder.PREFIX in (*call.args, *call.kwargs.values())


class ForeignInterfaceError(LoadError):
    """The mount is ASGI, and the composition has to be WSGI."""

    def __init__(self, mount: Mount) -> None:
        """Report this mount."""
        what = f'"{mount.what}" is an ASGI application' if isinstance(mount, AppMount) else f"{mount.noun} is ASGI"
        super().__init__(
            Problem(
                key=mount.place,
                message=f"{what}, which a WSGI server cannot serve",
                hint="Serve multiserve.asgi:application with an ASGI server instead; it serves the WSGI mounts, too.",
            )
        )

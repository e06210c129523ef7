"""From an entry of `[mounts]` to what stands there: loaded, wrapped, or with the reason why it cannot be served."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from multiserve._types import Interface, Loaded, WSGIApplication
from multiserve.config.file import Config
from multiserve.config.mounts import AppMount, FileMount, Mount, RedirectMount, StaticMount, TenantMount
from multiserve.config.targets import Placeholder, Target
from multiserve.dispatch.forks import leaving_after_fork
from multiserve.errors import LoadError, Problem
from multiserve.loading.applications import Factory, Middleware, load
from multiserve.mounts.redirects import Redirect, with_slash_asgi, with_slash_wsgi
from multiserve.mounts.stripping import strip_asgi, strip_wsgi


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedMount:
    """One mount and what became of it.

    Attributes:
        mount: The entry of the file.
        application: What answers, wrapped in its middleware; a `Factory` for tenants; None if nothing could be loaded.
        interface: What the application speaks; None where there is none, or where either would do.
        origin: The application as it was loaded, before anything wrapped it.
        error: Why the mount cannot be served.
    """

    mount: Mount
    application: Any = None
    interface: Interface | None = None
    origin: Any = None
    error: LoadError | None = None


class MountLoader:
    """Loads mounts, each in its own way; every failure is in the result."""

    def __init__(
        self, config: Config, interface: Interface | None, wrap: Callable[[WSGIApplication], WSGIApplication] | None
    ) -> None:
        """Load the mounts of a configuration.

        Args:
            config: The configuration.
            interface: What the composed application has to speak; None if that follows from the mounts.
            wrap: Wrap each WSGI application, such as with a debugger.
        """
        self._config = config
        self._interface = interface
        self._wrap = wrap
        self._failed: dict[str, LoadError] = {}  # by target: what is mounted twice is loaded once
        self._wrappings: dict[Hashable, Loaded] = {}
        self._middleware: dict[str, Middleware | LoadError] = {}

    def load(self, mount: Mount) -> LoadedMount:
        """Load one mount."""
        try:
            if isinstance(mount, TenantMount):
                return self._load_factory(mount)
            if isinstance(mount, AppMount):
                return self._load_application(mount)
            self._load_middleware(mount)  # what is wrong with it is told now, though nobody knows yet what it wraps
            return LoadedMount(mount=mount, application=self._make(mount))
        except _ForeignInterfaceError as error:
            return LoadedMount(mount=mount, interface="asgi", error=error)
        except LoadError as error:
            return LoadedMount(mount=mount, error=error)

    def finish(self, loaded: LoadedMount, speaks: Interface) -> LoadedMount:
        """Choose the face of a mount that has one for either interface, now that it is known what the set speaks."""
        mount, faces = loaded.mount, loaded.application
        if loaded.error or isinstance(mount, AppMount):
            return loaded
        asgi, wsgi = Loaded(faces.asgi, "asgi"), Loaded(faces.wsgi, "wsgi")
        try:
            try:
                found = self._wrapped(mount, asgi if speaks == "asgi" else wsgi, mount.key.prefix)
            except LoadError:
                if speaks == "wsgi":
                    raise
                found = self._wrapped(mount, wsgi, mount.key.prefix)  # its middleware is WSGI
        except LoadError as error:
            return LoadedMount(mount=mount, error=error)
        return replace(loaded, application=found.application, interface=found.interface)

    def _load_application(self, mount: AppMount) -> LoadedMount:
        if earlier := self._failed.get(mount.what):
            error = LoadError(*(replace(problem, key=mount.toml_key) for problem in earlier.problems))
            error.__cause__ = earlier.__cause__
            raise error
        try:
            loaded = load(
                mount.target,
                prefix=mount.key.prefix,
                key=mount.toml_key,
                folder=self._config.folder,
                interface=mount.interface,
            )
        except LoadError as error:
            if mount.target.call is None:
                self._failed[mount.what] = error
            raise
        if (loaded.interface, self._interface) == ("asgi", "wsgi"):
            raise _ForeignInterfaceError(mount)
        found = self._wrapped_once(mount, loaded)
        return LoadedMount(
            mount=mount, application=found.application, interface=found.interface, origin=loaded.application
        )

    def _load_factory(self, mount: TenantMount) -> LoadedMount:
        self._load_middleware(mount)
        factory = Factory(
            mount.target,
            placeholders=mount.key.placeholders,
            key=mount.toml_key,
            folder=self._config.folder,
            interface=mount.interface,
            finish=lambda loaded, prefix: self._wrapped(mount, loaded, prefix),
        )
        if (factory.interface, self._interface) == ("asgi", "wsgi"):
            raise _ForeignInterfaceError(mount)
        return LoadedMount(mount=mount, application=factory, interface=factory.interface)

    def _make(self, mount: Mount) -> Any:
        if isinstance(mount, RedirectMount):
            return Redirect(mount.what, mount.status, mount.key.prefix)
        if isinstance(mount, StaticMount):
            return open_folder(mount)
        if isinstance(mount, FileMount):
            return open_file(mount)
        raise TypeError(f"{mount!r} is of no known kind")

    def _wrapped_once(self, mount: Mount, loaded: Loaded) -> Loaded:
        """Wrap an application once, however often it is mounted: its middleware, too, has one lifespan.

        Middleware that is told the prefix is another one at each mount.
        """
        targets = (*self._config.middleware, *mount.middleware)
        told = any(_asks_for_prefix(target) for target in targets)
        names = tuple(target.text for target in targets)
        strip = isinstance(mount, AppMount) and mount.strip
        key = (id(loaded.application), loaded.interface, mount.slash, strip, names, mount.key.prefix if told else "")
        if key not in self._wrappings:
            self._wrappings[key] = self._wrapped(mount, loaded, mount.key.prefix)
        return self._wrappings[key]

    def _wrapped(self, mount: Mount, loaded: Loaded, prefix: str) -> Loaded:
        """Put around an application what the file, and the development server, want around it."""
        if isinstance(mount, AppMount) and mount.strip:
            strip: Callable[[Any], Any] = strip_wsgi if loaded.interface == "wsgi" else strip_asgi
            loaded = Loaded(strip(loaded.application), loaded.interface)
        if mount.slash == "redirect":
            add_slash: Callable[[Any], Any] = with_slash_wsgi if loaded.interface == "wsgi" else with_slash_asgi
            loaded = Loaded(add_slash(loaded.application), loaded.interface)
        for middleware in reversed(self._load_middleware(mount)):
            loaded = middleware.wrap(loaded, prefix)
        if self._wrap and loaded.interface == "wsgi":
            # What wraps it may call the application only while its response is read, when the dispatcher has done.
            loaded = Loaded(self._wrap(leaving_after_fork(loaded.application)), "wsgi")
        return loaded

    def _load_middleware(self, mount: Mount) -> list[Middleware]:
        """Load the middleware of a mount, that of all mounts in front."""
        root = f"{self._config.root}." if self._config.root else ""
        wanted = [
            *((target, f"{root}middleware") for target in self._config.middleware),
            *((target, f"{mount.toml_key}.middleware") for target in mount.middleware),
        ]
        return [self._load_one_middleware(target, key) for target, key in wanted]

    def _load_one_middleware(self, target: Target, key: str) -> Middleware:
        name = f"{key} {target.text}"
        if name not in self._middleware:
            try:
                self._middleware[name] = Middleware(target, key=key, folder=self._config.folder)
            except LoadError as error:
                self._middleware[name] = error
        found = self._middleware[name]
        if isinstance(found, LoadError):
            raise found
        return found


def _asks_for_prefix(target: Target) -> bool:
    call = target.call
    return call is not None and Placeholder.PREFIX in (*call.args, *call.kwargs.values())


class _ForeignInterfaceError(LoadError):
    """An ASGI application in a set that has to be WSGI."""

    def __init__(self, mount: AppMount) -> None:
        super().__init__(
            Problem(
                key=mount.toml_key,
                message=f'"{mount.what}" is an ASGI application, which a WSGI server cannot serve',
                hint="Serve multiserve.asgi:application with an ASGI server instead; it serves the WSGI mounts, too.",
            )
        )


def open_folder(mount: StaticMount) -> Any:
    """Make what serves the folder of a static mount, a `StaticFolder`.

    Raises:
        LoadError: There is no such folder, or no such fallback in it.
    """
    # werkzeug's part in it takes its time to import, and most sets have no static folder.
    from multiserve.mounts.static.folder import StaticFolder

    for problem in _problems_of_folder(mount):
        raise LoadError(problem)
    return StaticFolder(
        mount.folder,
        index=mount.index,
        fallback=mount.fallback,
        max_age=mount.max_age,
        immutable=mount.immutable,
        dot_files=mount.dot_files,
    )


def open_file(mount: FileMount) -> Any:
    """Make what serves the file of a mount, a `SingleFile`.

    Raises:
        LoadError: There is no such file.
    """
    from multiserve.mounts.static.single_file import SingleFile

    if not os.path.isfile(mount.path):  # noqa: PTH113 (Path.is_file raises where a name is too long)
        hint = "Paths are relative to the folder of the configuration."
        raise LoadError(Problem(key=mount.toml_key, message=f"there is no file {mount.path}", hint=hint))
    return SingleFile(mount.path, max_age=mount.max_age)


def _problems_of_folder(mount: StaticMount) -> Iterable[Problem]:
    from multiserve.mounts.static.files import Folder

    hint = "Paths are relative to the folder of the configuration."
    if mount.what.startswith("~"):
        hint = "A ~ stands for itself: write the whole path."
    # Path.is_file and Path.is_dir raise where a name is too long.
    if os.path.isfile(mount.folder):  # noqa: PTH113
        yield Problem(key=mount.toml_key, message=f"{mount.folder} is a file", hint="Name the folder that it is in.")
    elif not os.path.isdir(mount.folder):  # noqa: PTH112
        yield Problem(key=mount.toml_key, message=f"there is no folder {mount.folder}", hint=hint)
    elif mount.fallback:
        found = Folder(mount.folder, dot_files=True).open(mount.fallback.split("/"))
        if found is not None:
            found.close()
        if found is None or found.file is None:
            message = f'there is no file "{mount.fallback}" in {mount.folder}'
            yield Problem(key=f"{mount.toml_key}.fallback", message=message, hint="It is a file of the static folder.")

"""Factories of tenants: how one is found, called and awaited, and how its failures are reported."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from multiserve._types import Interface, Loaded
from multiserve.config.targets import Call, Target
from multiserve.loading.applications import (
    FACTORIES,
    bind_arguments,
    find_target,
    identify,
    is_application,
    reported,
)
from multiserve.loading.interfaces import is_async, signature_of
from multiserve.loading.modules import Failure, blamed
from multiserve.loading.objects import Objects


class Factory:
    """A factory of tenants, called with what the placeholders of its key stand for.

    Attributes:
        interface: The interface of its applications; None if that is not known before one is made.
    """

    def __init__(
        self,
        target: Target,
        *,
        placeholders: Sequence[str],
        key: str,
        folder: Path,
        interface: Interface | None,
        finish: Callable[[Loaded, str], Loaded],
    ) -> None:
        """Import the target, and check that it takes as many arguments as there are placeholders.

        Args:
            target: The factory; it takes the values of the placeholders, and then the arguments in the file.
            placeholders: Their names.
            key: The TOML key of the target, for the error.
            folder: The folder that the target's file, if it names one, is relative to.
            interface: The interface of the applications, if the user declares it.
            finish: Completes each application, given its prefix, such as by wrapping it in middleware.

        Raises:
            LoadError: There is no such factory.
        """
        self._target = target
        self._key = key
        self._declared = interface
        self._finish = finish
        with reported(target, key):
            self._found, self._name, call = find_target(target, folder, FACTORIES)
            self._call = call or Call()
            if callable(self._found) and is_application(self._found):
                names = ", ".join(placeholders)
                message = f'"{self._name}" is an application, and a key with placeholders needs a factory'
                raise Failure(message, f"Write a function that takes {names} and returns an application.")
            self._check_arguments(placeholders)
            self.interface = interface or ("asgi" if is_async(self._found) else None)

    def _check_arguments(self, placeholders: Sequence[str]) -> None:
        """Check that the factory takes the values of the placeholders and the arguments in the file."""
        try:
            bind_arguments(self._found, self._name, self._call, "", placeholders)
        except Failure as failure:
            signature = signature_of(self._found) if callable(self._found) else None
            if signature is None:
                raise
            given = (
                f"{self._found.__name__ if hasattr(self._found, '__name__') else self._name}({', '.join(placeholders)})"
            )
            message = f'"{self._name}" takes {signature}, and it is called with the values of {", ".join(placeholders)}'
            raise Failure(message, f"Write a factory that takes them: def {given}.") from failure.__cause__

    def call(self, values: tuple[str, ...], prefix: str) -> Any:
        """Call the factory for one tenant; an async one returns an awaitable.

        Raises:
            LoadError: The factory raised.
        """
        with reported(self._target, self._key):
            args, kwargs = bind_arguments(self._found, self._name, self._call, prefix, values)
            with blamed(f'"{self._name}" raised '):
                made = self._found(*args, **kwargs)
            return self._settle(made) if inspect.isawaitable(made) else made

    async def _settle(self, made: Awaitable[Any]) -> Any:
        from asyncio import CancelledError  # it takes long to import, and only async factories need it

        try:
            return await made
        except CancelledError:
            raise
        except BaseException:
            with reported(self._target, self._key), blamed(f'"{self._name}" raised '):
                raise

    def finish(self, made: Any, prefix: str) -> Loaded | None:
        """Return the application that the factory has made; None if it returned None, as there is no such tenant.

        Raises:
            LoadError: It is not an application, or a middleware does not fit it.
        """
        if made is None:
            return None
        with reported(self._target, self._key):
            application = Objects().application_of(made)
            loaded = identify(application, f"{self._name}()", self._declared, is_made=True)
        return self._finish(loaded, prefix)

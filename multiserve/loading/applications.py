"""From a target to an application, to a factory of tenants, or to a middleware: calls it, and tells how that fails."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from multiserve._types import Interface, Loaded
from multiserve.config.targets import Call, Target
from multiserve.errors import LoadError, Problem
from multiserve.loading.interfaces import InterfaceProblem, is_async, signature_of, tell_interface
from multiserve.loading.modules import (
    USUAL_APPLICATIONS,
    USUAL_FACTORIES,
    Failure,
    blamed,
    find_attribute,
    import_module,
    kind_of,
)


def load(target: Target, *, prefix: str, key: str, folder: Path, interface: Interface | None = None) -> Loaded:
    """Load what a target names.

    Args:
        target: What to import, and how to call it.
        prefix: The mount's prefix, for a factory that asks for it; "" for the root.
        key: The TOML key of the target, for the error.
        folder: The folder that the target's file, if it names one, is relative to.
        interface: What the application speaks, if the user says so; else it is told from the object.

    Raises:
        LoadError: Nothing can be loaded; the cause is the application's own exception, if it raised one.
    """
    with _reported(target, key):
        found, name, call = _find(target, folder, {**_APPLICATIONS, **_FACTORIES})
        if call is not None:
            found = _call(found, name, call, prefix)
            name = f"{name}()"
        return _identify(found, name, interface, is_made=call is not None)


@contextlib.contextmanager
def _reported(target: Target, key: str) -> Iterator[None]:
    """Turn every failure into a `LoadError` that names the key."""
    try:
        with blamed(f'looking into "{target.text}" failed: '):
            yield
    except Failure as failure:
        problem = Problem(key=key, message=str(failure), hint=failure.hint)
        raise LoadError(problem) from failure.__cause__


_APPLICATIONS: dict[str, Call | None] = dict.fromkeys(USUAL_APPLICATIONS)
_FACTORIES: dict[str, Call | None] = dict.fromkeys(USUAL_FACTORIES, Call())


def _find(target: Target, folder: Path, usual: dict[str, Call | None]) -> tuple[Any, str, Call | None]:
    """Give what a target names, its own name, and how to call it; `usual` names are tried where it has none."""
    module = import_module(target, folder)
    attribute, call = (target.attribute, target.call) if target.attribute else _usual_name(module, target.module, usual)
    return find_attribute(module, target.module, attribute), f"{target.module}:{attribute}", call


def _usual_name(module: ModuleType, path: str, usual: dict[str, Call | None]) -> tuple[str, Call | None]:
    for name, call in usual.items():
        with blamed(f'reading "{name}" of "{path}" failed: '):
            if not isinstance(getattr(module, name, module), ModuleType):  # a submodule called app is none
                return name, call
    message = f'"{path}" has none of the usual names: {", ".join(usual)}'
    raise Failure(message, f'Name the attribute: "{path}:attribute".')


def _call(factory: Callable[..., Any], name: str, call: Call, prefix: str, given: tuple[Any, ...] = ()) -> Any:
    """Call a factory with the arguments of the file behind those that are `given`."""
    args, kwargs = _arguments(factory, name, call, prefix, given)
    with blamed(f'"{name}" raised '):
        made = factory(*args, **kwargs)
    if inspect.iscoroutine(made):
        made.close()
        raise Failure(f'"{name}" is an async factory', "Make it a plain function that returns the application.")
    return made


def _arguments(
    factory: Any, name: str, call: Call, prefix: str, given: Sequence[Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Give the arguments of a call, which the factory takes."""
    if not callable(factory):
        raise Failure(f'"{name}" is not a factory: it is {kind_of(factory)}, which cannot be called')
    args, kwargs = call.arguments(prefix)
    args = [*given, *args]
    if signature := signature_of(factory):
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            hint = f"Its arguments are {signature}." if signature.parameters else "It takes no arguments."
            if _is_application(factory):
                hint = f'It is an application: write "{name}".'
            raise Failure(f'"{name}" was called wrongly: {error}', hint) from None
    return args, kwargs


def _is_application(found: Callable[..., Any]) -> bool:
    signature = signature_of(found)
    return signature is not None and not signature.parameters.keys().isdisjoint(("start_response", "receive"))


def _identify(found: Any, name: str, interface: Interface | None, *, is_made: bool) -> Loaded:
    """Tell what an application speaks."""
    if not callable(found):
        message = f'"{name}" is not an application: it is {kind_of(found)}, which cannot be called'
        if isinstance(found, ModuleType):
            raise Failure(message, f'Name the attribute in it: "{found.__name__}:app".')
        raise Failure(message, "The factory returned it: is a return missing?" if is_made else "")
    try:
        return Loaded(found, interface or tell_interface(found, name, is_made=is_made))
    except InterfaceProblem as problem:
        raise Failure(str(problem), problem.hint) from None


class Middleware:
    """What wraps an application: its target, which is called with the application in front of its own arguments."""

    def __init__(self, target: Target, *, key: str, folder: Path) -> None:
        """Import the target.

        Raises:
            LoadError: There is nothing that could be called.
        """
        self._target = target
        self._key = key
        with _reported(target, key):
            self._found, self._name, call = _find(target, folder, {})
            self._call = call or Call()

    def wrap(self, loaded: Loaded, prefix: str) -> Loaded:
        """Wrap an application.

        Raises:
            LoadError: The middleware raised, or speaks another interface than the application.
        """
        with _reported(self._target, self._key):
            wrapped = _call(self._found, self._name, self._call, prefix, (loaded.application,))
            if not callable(wrapped):
                message = f'the middleware "{self._target.text}" returned {kind_of(wrapped)}, which cannot be called'
                raise Failure(message, "It has to return an application: is a return missing?")
            interface = _identify(wrapped, f"{self._name}()", None, is_made=True).interface
            if interface != loaded.interface:
                message = f'the middleware "{self._target.text}" is {interface.upper()}, but what it wraps is '
                hint = f"Write it on the mounts that speak {interface.upper()}, instead of here."
                raise Failure(f"{message}{loaded.interface.upper()}", hint)
            return Loaded(wrapped, interface)


class Factory:
    """A factory of tenants, called with what the placeholders of its key stand for.

    Attributes:
        interface: What its applications speak, as far as that is known before one is made.
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
        """Import the target, and see that it takes as many arguments as there are placeholders.

        Args:
            target: The factory; the arguments of a call come behind the values of the placeholders.
            placeholders: Their names.
            key: The TOML key of the target, for the error.
            folder: The folder that the target's file, if it names one, is relative to.
            interface: What the applications speak, if the user says so.
            finish: What is done with each application and its prefix, such as to wrap it with middleware.

        Raises:
            LoadError: There is no such factory.
        """
        self._target = target
        self._key = key
        self._declared = interface
        self._finish = finish
        with _reported(target, key):
            self._found, self._name, call = _find(target, folder, _FACTORIES)
            self._call = call or Call()
            if callable(self._found) and _is_application(self._found):
                names = ", ".join(placeholders)
                message = f'"{self._name}" is an application, and a key with placeholders needs a factory'
                raise Failure(message, f"Write a function that takes {names} and returns an application.")
            self._check_arguments(placeholders)
            self.interface = interface or ("asgi" if is_async(self._found) else None)

    def _check_arguments(self, placeholders: Sequence[str]) -> None:
        """See that the factory takes the values of the placeholders, and what the file gives it besides."""
        try:
            _arguments(self._found, self._name, self._call, "", placeholders)
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
        """Call the factory for one tenant; an async one gives an awaitable.

        Raises:
            LoadError: The factory raised.
        """
        with _reported(self._target, self._key):
            args, kwargs = _arguments(self._found, self._name, self._call, prefix, values)
            with blamed(f'"{self._name}" raised '):
                made = self._found(*args, **kwargs)
            return self._settle(made) if inspect.isawaitable(made) else made

    async def _settle(self, made: Awaitable[Any]) -> Any:
        from asyncio import CancelledError  # who awaits has it already; who mounts WSGI alone does without it

        try:
            return await made
        except CancelledError:
            raise
        except BaseException:
            with _reported(self._target, self._key), blamed(f'"{self._name}" raised '):
                raise

    def finish(self, made: Any, prefix: str) -> Loaded | None:
        """Make an application of what the factory has returned; None if that says that there is no such tenant.

        Raises:
            LoadError: It is no application, or a middleware does not fit it.
        """
        if made is None:
            return None
        with _reported(self._target, self._key):
            loaded = _identify(made, f"{self._name}()", self._declared, is_made=True)
        return self._finish(loaded, prefix)

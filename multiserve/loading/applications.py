"""From a target to an application or a middleware: imports it, calls it, and reports how that fails."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from multiserve._types import Interface, Loaded
from multiserve.config.targets import Call, Target
from multiserve.errors import LoadError
from multiserve.loading.dash_prefix import told_prefix
from multiserve.loading.interfaces import InterfaceProblem, signature_of, tell_interface
from multiserve.loading.lookalikes import describe_lookalike
from multiserve.loading.modules import (
    USUAL_APPLICATIONS,
    USUAL_FACTORIES,
    Failure,
    applications_in,
    blamed,
    find_attribute,
    hiding_reported,
    import_module,
    is_bare_folder,
    kind_of,
    place_of,
    usual_module_near,
)
from multiserve.loading.objects import Objects
from multiserve.loading.scripts import script_of


def load(
    target: Target,
    *,
    prefix: str,
    key: str,
    folder: Path,
    interface: Interface | None = None,
    objects: Objects | None = None,
) -> Loaded:
    """Load what a target names.

    Args:
        target: What to import, and how to call it.
        prefix: The mount's prefix, for a factory that asks for it; "" for the root.
        key: The TOML key of the target, for the error.
        folder: The folder that the target's file, if it names one, is relative to.
        interface: The interface of the application, if the user declares it; by default it follows from the object.
        objects: The applications of objects that have been loaded already; by default there are none.

    Raises:
        LoadError: Nothing can be loaded; the cause is the application's own exception, if it raised one.
    """
    with reported(target, key), told_prefix(target, prefix, folder):
        objects = objects or Objects()
        if target.section:
            found = objects.sections.application_of(target, folder)
            return identify(found, target.text, interface, is_made=False)
        if script := script_of(target, folder):
            with blamed(f'making the application of "{target.text}" failed: '):
                return identify(objects.scripts.application_of(script), target.text, interface, is_made=False)
        found, name, call = find_target(target, folder, {**_APPLICATIONS, **FACTORIES})
        if call is not None:
            found = _call(found, name, call, prefix)
            name = f"{name}()"
        with blamed(f'making the application of "{name}" failed: '):
            found = objects.application_of(found, name)
        return identify(found, name, interface, is_made=call is not None)


@contextlib.contextmanager
def reported(target: Target, key: str) -> Iterator[None]:
    """Turn every failure into a `LoadError` that names the key."""
    try:
        with blamed(f'looking into "{target.text}" failed: '):
            yield
    except Failure as failure:
        raise LoadError(failure.at(key)) from failure.__cause__


_APPLICATIONS: dict[str, Call | None] = dict.fromkeys(USUAL_APPLICATIONS)
FACTORIES: dict[str, Call | None] = dict.fromkeys(USUAL_FACTORIES, Call())


def find_target(target: Target, folder: Path, usual: dict[str, Call | None]) -> tuple[Any, str, Call | None]:
    """Return what a target names, its name, and how to call it; without an attribute, the `usual` names are tried."""
    module, name = import_module(target, folder), target.module
    with hiding_reported(target, module, folder):
        attribute, call = (target.attribute, target.call) if target.attribute else _usual_name(module, name, usual)
        found = find_attribute(module, name, attribute)
        if isinstance(found, ModuleType):
            message = f'"{name}:{attribute}" is not an application: it is a module, which cannot be called'
            raise Failure(message, f'Name the attribute in it: "{found.__name__}:app".')
    return found, f"{name}:{attribute}", call


def _usual_name(module: ModuleType, path: str, usual: dict[str, Call | None]) -> tuple[str, Call | None]:
    for name, call in usual.items():
        with blamed(f'reading "{name}" of "{path}" failed: '):
            if not isinstance(getattr(module, name, module), ModuleType):  # a submodule called app is none
                return name, call
    message = f'"{path}" has none of the usual names: {", ".join(usual)}{place_of(module)}'
    if getattr(getattr(module, "ui", None), "__name__", "") == "nicegui.ui":
        raise Failure(message, 'Write "from nicegui import app, ui": app is the application of NiceGUI.')
    if inner := usual_module_near(module):
        raise Failure(message, f'Did you mean "{inner}"?')
    if not applications_in(module) and is_bare_folder(module):
        raise Failure(message, f'Write {{ static = "{path.replace(".", "/")}" }} for a folder of files.')
    found = next(iter(applications_in(module)), "attribute")
    raise Failure(message, f'Name the attribute: "{path}:{found}".')


def _call(factory: Callable[..., Any], name: str, call: Call, prefix: str, given: tuple[Any, ...] = ()) -> Any:
    """Call a factory with the arguments that are `given`, and then those in the file."""
    args, kwargs = bind_arguments(factory, name, call, prefix, given)
    with blamed(f'"{name}" raised '):
        made = factory(*args, **kwargs)
    if inspect.iscoroutine(made):
        made.close()
        raise Failure(f'"{name}" is an async factory', "Make it a plain function that returns the application.")
    return made


def bind_arguments(
    factory: Any, name: str, call: Call, prefix: str, given: Sequence[Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a call, after checking that the factory takes them."""
    if not callable(factory):
        raise Failure(f'"{name}" is not a factory: it is {kind_of(factory)}, which cannot be called')
    args, kwargs = call.arguments(prefix)
    args = [*given, *args]
    if signature := signature_of(factory):
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            hint = f"Its arguments are {signature}." if signature.parameters else "It takes no arguments."
            if missing := re.fullmatch("missing a required argument: '(.+)'", str(error)):
                hint = f'{hint} Write their values in the target: "{name}({missing[1]}=...)".'
            if is_application(factory):
                hint = f'It is an application: write "{name}".'
            raise Failure(f'"{name}" was called wrongly: {error}', hint) from None
    return args, kwargs


def is_application(found: Callable[..., Any]) -> bool:
    """Return whether a callable names the arguments of an application."""
    signature = signature_of(found)
    return signature is not None and not signature.parameters.keys().isdisjoint(("start_response", "receive"))


def identify(found: Any, name: str, interface: Interface | None, *, is_made: bool) -> Loaded:
    """Return an application with its interface."""
    if (interface is None or not callable(found)) and (lookalike := describe_lookalike(found)):
        raise Failure(f'"{name}" is not an application: it is {lookalike[0]}', lookalike[1])
    if not callable(found):
        message = f'"{name}" is not an application: it is {kind_of(found)}, which cannot be called'
        if isinstance(found, ModuleType):
            raise Failure(message, f'Name the attribute in it: "{found.__name__}:app".')
        missing = "is a return missing?" if found is None else "it has to return an application."
        raise Failure(message, f"The factory returned it: {missing}" if is_made else "")
    try:
        return Loaded(found, interface or tell_interface(found, name, is_made=is_made))
    except InterfaceProblem as problem:
        raise Failure(str(problem), problem.hint) from None


class Middleware:
    """Middleware: its target is called with the application, and then with the arguments in the file."""

    def __init__(self, target: Target, *, key: str, folder: Path) -> None:
        """Import the target.

        Raises:
            LoadError: The target cannot be imported.
        """
        self._target = target
        self._key = key
        with reported(target, key):
            self._found, self._name, call = find_target(target, folder, {})
            self._call = call or Call()

    def wrap(self, loaded: Loaded, prefix: str) -> Loaded:
        """Wrap an application.

        Raises:
            LoadError: The middleware raised, or has another interface than the application.
        """
        with reported(self._target, self._key):
            wrapped = _call(self._found, self._name, self._call, prefix, (loaded.application,))
            if not callable(wrapped):
                message = f'the middleware "{self._target.text}" returned {kind_of(wrapped)}, which cannot be called'
                raise Failure(message, "It has to return an application: is a return missing?")
            interface = identify(wrapped, f"{self._name}()", None, is_made=True).interface
            if interface != loaded.interface:
                message = f'the middleware "{self._target.text}" is {interface.upper()}, but what it wraps is '
                hint = f"Write it on the mounts that speak {interface.upper()}, instead of here."
                raise Failure(f"{message}{loaded.interface.upper()}", hint)
            return Loaded(wrapped, interface)

"""From a target to an application: imports it, calls its factory, and tells apart how that fails."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import inspect
import linecache
import os
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any, NamedTuple

from multiserve._types import Interface
from multiserve.errors import LoadError, Problem
from multiserve.interfaces import InterfaceProblem, signature_of, tell_interface
from multiserve.targets import Call, Target

USUAL_APPLICATIONS = ("application", "app")
USUAL_FACTORIES = ("create_app", "make_app")


class Loaded(NamedTuple):
    """An application and the interface that it speaks."""

    application: Any
    interface: Interface


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
    try:
        with _blamed(f'looking into "{target.text}" failed: '):
            return _load(target, prefix, folder, interface)
    except _Failure as failure:
        problem = Problem(key=key, message=str(failure), hint=failure.hint)
        raise LoadError(problem) from failure.__cause__


class _Failure(Exception):  # noqa: N818 (it never leaves this module)
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@contextlib.contextmanager
def _blamed(what: str) -> Iterator[None]:
    """Make whatever an application raises, even SystemExit, its own failure; only Ctrl-C is the user's."""
    try:
        yield
    except (KeyboardInterrupt, _Failure):
        raise
    except BaseException as error:
        raise _Failure(f"{what}{_explain(error)}", _hint_for(error)) from error


def _load(target: Target, prefix: str, folder: Path, interface: Interface | None) -> Loaded:
    module = _import(target, folder)
    attribute, call = (target.attribute, target.call) if target.attribute else _usual_name(module, target.module)
    found = _attribute(module, target.module, attribute)
    name = f"{target.module}:{attribute}"
    if call is not None:
        found = _call(found, name, call, prefix)
        name = f"{name}()"
    _refuse_uncallable(found, name, is_made=call is not None)
    return Loaded(found, interface or _tell_interface(found, name, is_made=call is not None))


def _import(target: Target, folder: Path) -> ModuleType:
    name, file = target.module, folder / target.file
    if target.file and not file.is_file():
        raise _Failure(f"there is no file {file}", "Paths are relative to the folder of the configuration.")
    with _blamed(f'importing "{name}" failed: '):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            # The module itself, or a package that it is in; any other name was imported by the module.
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            if target.file and (owner := sys.modules.get(name.partition(".")[0])):
                raise _taken(target, owner) from None
            raise _Failure(f'there is no module "{error.name}"', _where_to_look(name, error.name)) from None
    if target.file and not _is_from(module, file):
        raise _taken(target, module)
    return module


def _is_from(module: ModuleType, file: Path) -> bool:
    found = getattr(module, "__file__", None)
    return found is not None and os.path.exists(found) and file.samefile(found)  # noqa: PTH110 (it is no Path)


def _taken(target: Target, owner: ModuleType) -> _Failure:
    file = getattr(owner, "__file__", None) or "a module without a file"
    message = f'the module name "{owner.__name__}" is taken by {file}'
    return _Failure(message, f'Rename "{PurePath(target.file).parts[0]}".')


def _where_to_look(name: str, missing: str) -> str:
    package, _, last = missing.rpartition(".")
    parent = sys.modules.get(package)
    if hasattr(parent, last):
        return f'Did you mean "{package}:{last}{name[len(missing) :]}"?'
    paths = list(getattr(parent, "__path__", [])) if package else sys.path
    names = (found.name for found in pkgutil.iter_modules(paths))
    cutoff = 0.6 if package else 0.8  # the search path has hundreds of names, and some are always a little alike
    if near := difflib.get_close_matches(last, set(names), n=1, cutoff=cutoff):
        return f'Did you mean "{package + "." if package else ""}{near[0]}{name[len(missing) :]}"?'
    if package:
        kind = "package" if hasattr(parent, "__path__") else "module"
        return f'The {kind} "{package}" is there, but nothing in it is called "{last}".'
    return "Install the package that has it, or add the folder that has it to pythonpath."


def _hint_for(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f'Install the package that has "{error.name}", or add the folder that has it to pythonpath.'
    return ""


def _explain(error: BaseException) -> str:
    """Say what was raised and where, in one line."""
    # The lines of a SyntaxError's source come first and are indented; further lines of the message and notes follow.
    lines = "".join(traceback.format_exception_only(error)).splitlines()
    text = next((line for line in lines if not line.startswith(" ")), type(error).__name__)
    if isinstance(error, SyntaxError) and error.filename:
        return f"{text} ({error.filename}, line {error.lineno})"
    frames = own_frames(error)
    return f"{text} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else text


def own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Give the frames of an exception without those of multiserve and of the import system in front."""
    frames = list(traceback.extract_tb(error.__traceback__))
    ours = (__file__, importlib.__file__)
    while frames and (frames[0].filename in ours or frames[0].filename.startswith("<frozen importlib")):
        del frames[0]
    return frames


def format_cause(error: LoadError) -> str:
    """Format the error, and behind it the application's own traceback if it raised one."""
    if error.__cause__ is None:
        return str(error)
    linecache.checkcache()
    details = traceback.TracebackException.from_exception(error.__cause__)
    del details.stack[: len(details.stack) - len(own_frames(error.__cause__))]
    return f"{error}\n{''.join(details.format())}".rstrip()


def _usual_name(module: ModuleType, path: str) -> tuple[str, Call | None]:
    usual = {**dict.fromkeys(USUAL_APPLICATIONS), **dict.fromkeys(USUAL_FACTORIES, Call())}
    for name, call in usual.items():
        with _blamed(f'reading "{name}" of "{path}" failed: '):
            if not isinstance(getattr(module, name, module), ModuleType):  # a submodule called app is none
                return name, call
    message = f'"{path}" has none of the usual names: {", ".join(usual)}'
    raise _Failure(message, f'Name the attribute: "{path}:attribute".')


def _attribute(module: ModuleType, path: str, dotted: str) -> Any:
    found: Any = module
    for name in dotted.split("."):
        with _blamed(f'reading "{name}" of "{path}" failed: '):
            try:
                found = getattr(found, name)
            except AttributeError as error:
                raised = own_frames(error)  # by a property or a module's __getattr__, which may be what is wrong
                message = f'"{path}" has no "{name}"' + (f": {_explain(error)}" if raised else "")
                raise _Failure(message, _nearest(name, found)) from (error if raised else None)
        path = f"{path}.{name}"
    return found


def _nearest(name: str, owner: object) -> str:
    names = [each for each in dir(owner) if name.startswith("_") or not each.startswith("_")]
    usual = [each for each in (*USUAL_APPLICATIONS, *USUAL_FACTORIES) if each in names]
    near = [*difflib.get_close_matches(name, names, n=1), *usual]
    return f'Did you mean "{near[0]}"?' if near else ""


def _call(factory: Callable[..., Any], name: str, call: Call, prefix: str) -> Any:
    if not callable(factory):
        raise _Failure(f'"{name}" is not a factory: it is {_kind(factory)}, which cannot be called')
    args, kwargs = call.arguments(prefix)
    if signature := signature_of(factory):
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            is_application = not signature.parameters.keys().isdisjoint(("start_response", "receive"))
            hint = (
                f'It is an application: write "{name}".'
                if is_application
                else f"Its arguments are {signature}."
                if signature.parameters
                else "It takes no arguments."
            )
            raise _Failure(f'"{name}" was called wrongly: {error}', hint) from None
    with _blamed(f'"{name}" raised '):
        application = factory(*args, **kwargs)
    if inspect.iscoroutine(application):
        application.close()
        raise _Failure(f'"{name}" is an async factory', "Make it a plain function that returns the application.")
    return application


def _kind(value: object) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _refuse_uncallable(found: Any, name: str, *, is_made: bool) -> None:
    if not callable(found):
        message = f'"{name}" is not an application: it is {_kind(found)}, which cannot be called'
        if isinstance(found, ModuleType):
            raise _Failure(message, f'Name the attribute in it: "{found.__name__}:app".')
        raise _Failure(message, "The factory returned it: is a return missing?" if is_made else "")


def _tell_interface(application: Any, name: str, *, is_made: bool) -> Interface:
    try:
        return tell_interface(application, name, is_made=is_made)
    except InterfaceProblem as problem:
        raise _Failure(str(problem), problem.hint) from None

"""From a target to an application: imports it, tells apart how that fails, and which interface it has."""

from __future__ import annotations

import difflib
import importlib
import inspect
import linecache
import pkgutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from multiserve._types import Interface
from multiserve.errors import LoadError, Problem
from multiserve.targets import Call, Target

USUAL_APPLICATIONS = ("application", "app")
USUAL_FACTORIES = ("create_app", "make_app")


class Loaded(NamedTuple):
    """An application and the interface that it speaks."""

    application: Any
    interface: Interface


def load(target: Target, *, prefix: str, key: str, folder: Path) -> Loaded:
    """Load what a target names.

    Args:
        target: What to import, and how to call it.
        prefix: The mount's prefix, for a factory that asks for it; "" for the root.
        key: The TOML key of the target, for the error.
        folder: The folder that the target's file, if it names one, is relative to.

    Raises:
        LoadError: Nothing can be loaded; the cause is the application's own exception, if it raised one.
    """
    try:
        return _load(target, prefix, folder)
    except _Failure as failure:
        problem = Problem(key=key, message=str(failure), hint=failure.hint)
        raise LoadError(problem) from failure.__cause__


class _Failure(Exception):  # noqa: N818 (it never leaves this module)
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def _load(target: Target, prefix: str, folder: Path) -> Loaded:
    # A module may load other modules, replace hooks or leave by sys.exit(): whatever it raises is its own failure.
    # Only Ctrl-C is the user's.
    module = _import(target, folder)
    attribute, call = (target.attribute, target.call) if target.attribute else _usual_name(module)
    found = _attribute(module, attribute)
    name = f"{target.module}:{attribute}"
    if call is not None:
        found = _call(found, name, call, prefix)
        name = f"{name}()"
    return Loaded(found, _interface(found, name, is_call=call is not None))


def _import(target: Target, folder: Path) -> ModuleType:
    name = target.module
    try:
        module = importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        # The module itself, or a package that it is in; any other name was imported by the module.
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            message = f'there is no module "{error.name}"'
            raise _Failure(message, _where_to_look(name, error.name)) from None
        raise _Failure(f'importing "{name}" failed: {_explain(error)}', _hint_for(error)) from error
    except BaseException as error:
        raise _Failure(f'importing "{name}" failed: {_explain(error)}', _hint_for(error)) from error
    file = getattr(module, "__file__", None)
    if target.file and (file is None or not Path(file).samefile(folder / target.file)):
        message = f'the module name "{name}" is taken by {file or "a built-in module"}'
        raise _Failure(message, f"Rename {target.file}, or add its folder to pythonpath.")
    return module


def _where_to_look(name: str, missing: str) -> str:
    package, _, last = missing.rpartition(".")
    paths = list(getattr(sys.modules.get(package), "__path__", [])) if package else sys.path
    names = (found.name for found in pkgutil.iter_modules(paths))
    if near := difflib.get_close_matches(last, set(names), n=1):
        return f'Did you mean "{package + "." if package else ""}{near[0]}{name[len(missing) :]}"?'
    if package:
        return f'The package "{package}" is there, but has no module "{last}".'
    return "Install the package that has it, or add the folder that has it to pythonpath."


def _hint_for(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f'Install the package that has "{error.name}", or add the folder that has it to pythonpath.'
    return ""


def _explain(error: BaseException) -> str:
    """Say what was raised and where, in one line."""
    text = traceback.format_exception_only(error)[-1].strip()
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
    frames = own_frames(error.__cause__)
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(frames)] if frames else []
    return "".join([f"{error}\n", *lines, *traceback.format_exception_only(error.__cause__)]).rstrip()


def _usual_name(module: ModuleType) -> tuple[str, Call | None]:
    for name in USUAL_APPLICATIONS:
        if hasattr(module, name):
            return name, None
    for name in USUAL_FACTORIES:
        if hasattr(module, name):
            return name, Call()
    names = ", ".join((*USUAL_APPLICATIONS, *USUAL_FACTORIES))
    message = f'"{module.__name__}" has none of the usual names: {names}'
    raise _Failure(message, f'Name the attribute: "{module.__name__}:attribute".')


def _attribute(module: ModuleType, dotted: str) -> Any:
    found: Any = module
    path = module.__name__
    for name in dotted.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            near = difflib.get_close_matches(name, dir(found), n=1)
            raise _Failure(f'"{path}" has no "{name}"', f'Did you mean "{near[0]}"?' if near else "") from None
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise _Failure(f'reading "{name}" of "{path}" failed: {_explain(error)}') from error
        path = f"{path}.{name}"
    return found


def _call(factory: Callable[..., Any], name: str, call: Call, prefix: str) -> Any:
    if not callable(factory):
        raise _Failure(f'"{name}" is not a factory: {_kind(factory)} cannot be called', f'Write "{name}".')
    args, kwargs = call.arguments(prefix)
    if signature := _signature(factory):
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise _Failure(f'"{name}" was called wrongly: {error}', f"Its arguments are {signature}.") from None
    try:
        application = factory(*args, **kwargs)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _Failure(f'"{name}" raised {_explain(error)}', _hint_for(error)) from error
    if inspect.iscoroutine(application):
        application.close()
        raise _Failure(f'"{name}" is an async factory', "Make it a plain function that returns the application.")
    return application


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):  # some built-in callables have none
        return None


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _interface(application: Any, name: str, *, is_call: bool) -> Interface:
    """Tell the interface from the object, never by calling it."""
    if not callable(application):
        message = f'"{name}" is not an application: {_kind(application)} cannot be called'
        if isinstance(application, ModuleType):
            raise _Failure(message, f'Name the attribute in it: "{application.__name__}:app".')
        raise _Failure(message, "The factory returned it: is a return missing?" if is_call else "")
    if _is_coroutine_callable(application):
        return "asgi"
    signature = _signature(application)
    if signature is not None and not is_call and not _takes(signature, 2) and _takes(signature, 0):
        message = f'"{name}" is not a WSGI application: it takes no (environ, start_response)'
        raise _Failure(message, f'If it is a factory, write "{name}()".')
    return "wsgi"


def _is_coroutine_callable(application: Any) -> bool:
    return inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(type(application).__call__)


def _takes(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True

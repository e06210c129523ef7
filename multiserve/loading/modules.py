"""From a module and a dotted name to the object there, and how each step of that fails; it calls nothing."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

from multiserve.config.targets import Target
from multiserve.errors import UnlocatedError
from multiserve.tracebacks import in_one_line, own_frames

USUAL_APPLICATIONS = ("application", "app")
USUAL_FACTORIES = ("create_app", "make_app")


class Failure(UnlocatedError):  # noqa: N818 (the loader turns it into a `LoadError`)
    """A target that cannot be loaded: what went wrong, and what to do about it."""


@contextlib.contextmanager
def blamed(what: str) -> Iterator[None]:
    """Turn whatever an application raises, even SystemExit, into a `Failure`; only Ctrl-C goes through."""
    try:
        yield
    except (KeyboardInterrupt, Failure):
        raise
    except BaseException as error:
        raise Failure(f"{what}{in_one_line(error)}", _hint_for(error)) from error


def import_module(target: Target, folder: Path) -> ModuleType:
    """Import the module of a target.

    Raises:
        Failure: There is none, its import failed, or it is not the file that the target names.
    """
    name, file = target.module, folder / target.file
    if target.file and not os.path.isfile(file):  # noqa: PTH113 (Path.is_file raises where a name is too long)
        raise Failure(f"there is no file {file}", "Paths are relative to the folder of the configuration.")
    with blamed(f'importing "{name}" failed: '):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            # The module itself, or a package that it is in; any other name was imported by the module.
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            if target.file and (owner := sys.modules.get(name.partition(".")[0])):
                raise _taken(target, owner) from None
            raise Failure(f'there is no module "{error.name}"', _where_to_look(name, error.name)) from None
    if target.file and not _is_from(module, file):
        raise _taken(target, module)
    return module


def _is_from(module: ModuleType, file: Path) -> bool:
    found = getattr(module, "__file__", None)
    return found is not None and os.path.exists(found) and file.samefile(found)  # noqa: PTH110 (it is no Path)


def _taken(target: Target, owner: ModuleType) -> Failure:
    file = getattr(owner, "__file__", None) or "a module without a file"
    message = f'the module name "{owner.__name__}" is taken by {file}'
    return Failure(message, f'Rename "{PurePath(target.file).parts[0]}".')


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


def find_attribute(module: ModuleType, path: str, dotted: str) -> Any:
    """Return the object that a dotted name stands for in a module.

    Raises:
        Failure: There is no such attribute, or reading it failed.
    """
    found: Any = module
    for name in dotted.split("."):
        with blamed(f'reading "{name}" of "{path}" failed: '):
            try:
                found = getattr(found, name)
            except AttributeError as error:
                raised = own_frames(error)  # by a property or a module's __getattr__, which may be what is wrong
                message = f'"{path}" has no "{name}"' + (f": {in_one_line(error)}" if raised else "")
                raise Failure(message, _nearest(name, found)) from (error if raised else None)
        path = f"{path}.{name}"
    return found


def _nearest(name: str, owner: object) -> str:
    names = [each for each in dir(owner) if name.startswith("_") or not each.startswith("_")]
    usual = [each for each in (*USUAL_APPLICATIONS, *USUAL_FACTORIES) if each in names]
    near = [*difflib.get_close_matches(name, names, n=1), *usual]
    return f'Did you mean "{near[0]}"?' if near else ""


def kind_of(value: object) -> str:
    """Name the type of a value, with its article."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"

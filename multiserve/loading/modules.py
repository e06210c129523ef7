"""From a module and a dotted name to the object there, and how each step of that fails; it calls nothing."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import inspect
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from multiserve.config.targets import Target
from multiserve.errors import UnlocatedError
from multiserve.loading.import_failures import hint_for
from multiserve.loading.interfaces import signature_of
from multiserve.loading.search_path import own_file, where_to_look
from multiserve.loading.server_starts import ServerStart
from multiserve.tracebacks import in_one_line, is_foreign, own_frames, shown_line

USUAL_APPLICATIONS = ("application", "app")
USUAL_FACTORIES = ("create_app", "make_app")
USUAL_MODULES = ("wsgi", "asgi", "app", "main")
_OF_DJANGO = ("settings", "urls")


class Failure(UnlocatedError):  # noqa: N818 (the loader turns it into a `LoadError`)
    """A target that cannot be loaded: what went wrong, and what to do about it."""


@contextlib.contextmanager
def blamed(what: str) -> Iterator[None]:
    """Turn whatever an application raises, even SystemExit, into a `Failure`; only Ctrl-C goes through."""
    try:
        yield
    except (KeyboardInterrupt, Failure):
        raise
    except ServerStart as error:
        raise Failure(*error.describe()) from error
    except BaseException as error:
        raise Failure(f"{what}{in_one_line(error)}", hint_for(error), shown_line(error)) from error


def import_module(target: Target, folder: Path) -> ModuleType:
    """Import the module of a target.

    Raises:
        Failure: There is none, its import failed, or it is not the file that the target names.
    """
    if target.section:
        raise Failure(
            f'"{target.text}" is an application of PasteDeploy, and cannot be called', "Name a function in a module."
        )
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
            owner = sys.modules.get(name.partition(".")[0])
            own = file if target.file else own_file(name, owner, folder)
            if owner and own:
                raise _hidden(target, owner, own) from None
            hint = _elsewhere(error.name, folder) or _where_to_look(name, error.name)
            if os.path.isfile(folder / name):  # noqa: PTH113 (Path.is_file raises where a name is too long)
                hint = f'Write {{ file = "{name}" }} for a file.'
                if name.endswith(".ini"):
                    hint = f'Write "paste:{name}" for a file of PasteDeploy.'
            raise Failure(f'there is no module "{error.name}"', hint) from None
    if target.file and not _is_from(module, file):
        raise _hidden(target, module, file)
    return module


def _is_from(module: ModuleType, file: Path) -> bool:
    found = getattr(module, "__file__", None)
    return found is not None and os.path.exists(found) and file.samefile(found)  # noqa: PTH110 (it is no Path)


def _elsewhere(name: str, folder: Path) -> str:
    """Return what to do about a module that is in the working directory, or in a folder below that of the file."""
    if "." in name:
        return ""
    places = (Path.cwd(), *sorted(each.parent for each in folder.glob(f"[!.]*/{name}*")))
    files = [each for place in places for each in (place / f"{name}.py", place / name / "__init__.py")]
    found = list(dict.fromkeys(each for each in files if each.is_file() and not is_foreign(str(each))))
    if len(found) != 1:
        return ""
    holder = found[0].parent if found[0].stem == name else found[0].parent.parent
    return (
        f'{found[0]} is there: add its folder to pythonpath, as in pythonpath = ["{os.path.relpath(holder, folder)}"].'
    )


def _where_to_look(name: str, missing: str) -> str:
    package, _, last = missing.rpartition(".")
    rest = name[len(missing) :]
    if hasattr(sys.modules.get(package), last):
        return f'Did you mean "{package}:{last}{rest}"?'
    return where_to_look(missing, rest)


@contextlib.contextmanager
def hiding_reported(target: Target, module: ModuleType, folder: Path) -> Iterator[None]:
    """Say of whatever is not found in a module that it is another one than the user's own of that name."""
    try:
        yield
    except Failure:
        if own := own_file(target.module, module, folder):
            raise _hidden(target, module, own) from None
        raise


def _hidden(target: Target, owner: ModuleType, own: Path) -> Failure:
    name = owner.__name__
    file = getattr(owner, "__file__", None) or "a module of Python itself"
    if name == target.module and "." in name and _holder(Path(file)) == _holder(own):
        message = f'the module name "{name}" is taken by {file}, which hides {own}'
        return Failure(message, f'Rename the file "{name.rpartition(".")[2]}.py" or the folder beside it.')
    first = name.partition(".")[0]
    message = f'the module name "{first}" is taken by {file}, which hides {own}'
    renamed = target.text.replace(first, f"{first}_app", 1)
    what = f'the folder "{first}"' if "." in target.module or own.name == "__init__.py" else f'"{own.name}"'
    return Failure(message, f'Rename {what}, for instance so that the target is "{renamed}".')


def _holder(file: Path) -> Path:
    """Return the folder that a module or a package is in."""
    return file.parent.parent if file.name == "__init__.py" else file.parent


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
                if raised:
                    message = f'"{path}" has no "{name}": {in_one_line(error)}'
                    raise Failure(message, _nearest(name, found), shown_line(error)) from error
                hint = _nearest(name, found, applications_in(found))
                if not hint and found is module and (inner := usual_module_near(module)):
                    hint = f'Did you mean "{inner}:{name}"?'
                raise Failure(f'"{path}" has no "{name}"{place_of(module)}', hint) from None
        path = f"{path}.{name}"
    return found


def place_of(module: ModuleType) -> str:
    """Return the file of a module as messages have it behind its name; empty if it has none."""
    file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    return f" ({file})" if file else ""


def _nearest(name: str, owner: object, others: Sequence[str] = ()) -> str:
    names = [each for each in dir(owner) if name.startswith("_") or not each.startswith("_")]
    usual = [each for each in (*USUAL_APPLICATIONS, *USUAL_FACTORIES) if each in names]
    near = [*difflib.get_close_matches(name, names, n=1), *usual, *others]
    return f'Did you mean "{near[0]}"?' if near else ""


def has_file(package: ModuleType, name: str) -> bool:
    """Return whether a package has a module of this name; False for a module that is none."""
    return any(Path(folder, f"{name}.py").is_file() for folder in getattr(package, "__path__", ()))


def is_bare_folder(module: ModuleType) -> bool:
    """Return whether a module is a folder without any Python in it."""
    folders = list(getattr(module, "__path__", ()))
    return bool(folders) and not any(any(Path(folder).rglob("*.py")) for folder in folders)


def usual_module_near(module: ModuleType) -> str:
    """Return the module that has the application, by its usual name in a package or beside a module of Django."""
    package, _, last = module.__name__.rpartition(".")
    if inner := next((each for each in USUAL_MODULES if has_file(module, each)), ""):
        return f"{module.__name__}.{inner}"
    if package and last in _OF_DJANGO and has_file(sys.modules[package], "wsgi"):
        return f"{package}.wsgi"
    if module.__name__ == "manage":
        found = list(Path(getattr(module, "__file__", None) or "").parent.glob("*/wsgi.py"))
        return f"{found[0].parent.name}.wsgi" if len(found) == 1 else ""
    return ""


def applications_in(module: object) -> list[str]:
    """Return the public names in a module that are applications without doubt, by the names of their arguments."""
    found = []
    for name, value in list(getattr(module, "__dict__", {}).items()):
        with contextlib.suppress(Exception):  # some objects refuse to be looked into
            if name.startswith("_") or inspect.isclass(value) or not callable(value):
                continue
            signature = signature_of(value)
            if signature and not signature.parameters.keys().isdisjoint(("start_response", "receive")):
                found.append(name)
    return found


def kind_of(value: object) -> str:
    """Name the type of a value, with its article."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"

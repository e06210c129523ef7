"""What an exception that an application raises while it loads means, and what its author can do about it."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType

from multiserve.loading.search_path import hidden_module, where_to_look
from multiserve.tracebacks import is_foreign, users_frame

_NOT_SET = 'The environment variable {name} is not set. Set it, or write {name} = "..." under [env].'
_MOST = 10  # fields of one model that a message lists
_CURE_OF_CIRCLES = "Import inside the function that needs it, or move what both need into a module of its own."


def hint_for(error: BaseException) -> str:
    """Return what to do about an exception, or about one that it was raised from; empty if that is not known."""
    with contextlib.suppress(Exception):  # exceptions are objects of the application, and may refuse to be looked into
        for each in _chain(error):
            hint = next((explain(each) for kind, explain in _EXPLANATIONS if isinstance(each, kind)), "")
            if hint := hint or _by_class(each):
                return hint
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and all(current is not each for each in seen):
        seen.append(current)
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _key_error(error: BaseException) -> str:
    frames = _frames(error)
    if not frames or frames[-1].f_code is not type(os.environ).__getitem__.__code__:
        return ""
    return _NOT_SET.format(name=error.args[0])


def _none(error: BaseException) -> str:
    """Return which variable is not set, where os.getenv on the same line gave None to something that fails with it."""
    frame = users_frame(error)
    if frame is None or "NoneType" not in str(error):
        return ""
    names = re.findall(r"""(?:getenv|environ\.get)\(\s*["'](\w+)["']\s*\)""", frame.line or "")
    return next((_NOT_SET.format(name=name) for name in names if name not in os.environ), "")


def _no_module(error: BaseException) -> str:
    name = getattr(error, "name", None)
    if not name:
        return ""
    settings = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    if f"{settings}.".startswith(f"{name}."):
        return f'DJANGO_SETTINGS_MODULE is "{settings}": correct it where it is set, or under [env].'
    parent = sys.modules.get(name.rpartition(".")[0])
    if parent and not hasattr(parent, "__path__"):
        return f'"{parent.__name__}" is no package, but the module {getattr(parent, "__file__", None) or "of Python"}.'
    return _beside(error, name) or where_to_look(name, by=f'"{name}"')


def _beside(error: BaseException, name: str) -> str:
    """Return how to import a module that is beside the file which imports it, in a folder that is not searched."""
    frame, first = users_frame(error), name.partition(".")[0]
    folder = Path(frame.filename).parent if frame else Path()
    found = next((each for each in (folder / f"{first}.py", folder / first) if each.exists()), None)
    if found is None:
        return ""
    package = _package_of_last(error)
    other = f', or import it as "{package}.{name}"' if package else ""
    return f"{found} is in a folder that is not searched: add the folder to pythonpath{other}."


def _import_error(error: BaseException) -> str:
    text = str(error)
    if "no known parent package" in text:
        return _without_package(error)
    if "beyond top-level package" in text:
        outermost = _package_of_last(error).partition(".")[0]
        return f'Take a dot out of the import: "{outermost}" is the outermost package around the file.'
    name, file = getattr(error, "name", None), getattr(error, "path", None)
    wanted = re.match("cannot import name '([^']+)'", text)
    return _lacking(error, name, file, wanted[1] if wanted else "")


def _attribute_error(error: BaseException) -> str:
    module = getattr(error, "obj", None)
    if not isinstance(module, ModuleType):
        return ""
    return _lacking(error, module.__name__, getattr(module, "__file__", None), str(getattr(error, "name", "")))


def _lacking(error: BaseException, name: str | None, file: str | None, wanted: str) -> str:
    """Return why a module lacks a name: it hides the module that is meant, or is not complete; or the name is misspelt.

    Args:
        error: What was raised.
        name: The name of the module.
        file: Its file.
        wanted: The name that it lacks.
    """
    if not name or not file:
        return ""
    if hidden := hidden_module(name, file):
        own = Path(file).parent if Path(file).name == "__init__.py" else Path(file)
        return f'{own} hides {hidden}. Rename it, for instance to "{own.stem}_app{own.suffix}".'
    if "partially initialized module" in str(error):
        return f"The imports go in a circle: {' -> '.join(_circle(error, name))}. {_CURE_OF_CIRCLES}"
    names = [each for each in dir(sys.modules.get(name)) if not each.startswith("_") or wanted.startswith("_")]
    near = difflib.get_close_matches(wanted, names, n=1)
    return f'Did you mean "{near[0]}"?' if near else ""


def _circle(error: BaseException, name: str) -> list[str]:
    """Return the modules from the one that is not complete to the one that asks for it, and the first one again."""
    names = [str(frame.f_globals.get("__name__")) for frame in _modules(error)]
    return [*dict.fromkeys([name, *(names[names.index(name) :] if name in names else names[-1:])]), name]


def _without_package(error: BaseException) -> str:
    frame = users_frame(error)
    path = Path(frame.filename) if frame else Path()
    if not (path.parent / "__init__.py").exists():
        return f"{path.name} is in no package: take the dot out of the import."
    return (
        f"{path.parent} is a package: add {path.parent.parent} to pythonpath, "
        f'and mount "{path.parent.name}.{path.stem}".'
    )


def _no_file(error: BaseException) -> str:
    frame, name = users_frame(error), getattr(error, "filename", None)
    if frame is None or not isinstance(name, str) or os.path.isabs(name):  # noqa: PTH117 (any text)
        return ""
    found = Path(frame.filename).parent / name
    if not found.exists():
        return ""
    return f"{found} is there, but the working directory is {Path.cwd()}. Build the path from Path(__file__).parent."


_EXPLANATIONS = (
    (KeyError, _key_error),
    (ModuleNotFoundError, _no_module),
    (ImportError, _import_error),
    (AttributeError, lambda error: _attribute_error(error) or _none(error)),
    (TypeError, _none),
    (FileNotFoundError, _no_file),
)


def _by_class(error: BaseException) -> str:
    """Return what to do about an exception of a package, which is known by its class without importing it."""
    names = {f"{each.__module__.partition('.')[0]}.{each.__name__}" for each in type(error).__mro__}
    if "django.ImproperlyConfigured" in names and "settings are not configured" in str(error):
        return f'Write DJANGO_SETTINGS_MODULE = "{_settings_module(error)}" under [env].'
    if "django.AppRegistryNotReady" in names:
        return (
            "Mount the wsgi.py or asgi.py of the Django project, which sets Django up, "
            "or call django.setup() before this import."
        )
    if names & {"pydantic.ValidationError", "pydantic_core.ValidationError"}:
        return _invalid_fields(error)
    return ""


def _settings_module(error: BaseException) -> str:
    """Return the only settings module below the folder of the user's code; else one to be filled in."""
    folders = {Path(frame.f_code.co_filename).parent for frame in _modules(error)}
    found = {path for folder in folders for path in folder.glob("*/settings.py")}
    return f"{found.pop().parent.name}.settings" if len(found) == 1 else "project.settings"


def _invalid_fields(error: BaseException) -> str:
    """Return the fields that a model of pydantic lacks or refuses, never their values."""
    fields = [(".".join(map(str, each["loc"])), each["type"], each["msg"]) for each in error.errors()]  # type: ignore[attr-defined]
    missing = [name for name, kind, _ in fields if kind == "missing"][:_MOST]
    parts = [f"Missing: {', '.join(missing)}."] if missing else []
    parts += [f"{name}: {message}." for name, kind, message in fields if kind != "missing"][:_MOST]
    if any("pydantic_settings" in frame.f_code.co_filename for frame in _frames(error)):
        parts.append("Set their environment variables, or write them under [env].")
    return " ".join(parts)


def _frames(error: BaseException) -> list[FrameType]:
    return [frame for frame, _ in traceback.walk_tb(error.__traceback__)]


def _modules(error: BaseException) -> list[FrameType]:
    """Return the frames of the user's modules that were being imported, the innermost last."""
    return [
        frame
        for frame in _frames(error)
        if frame.f_code.co_name == "<module>" and not is_foreign(frame.f_code.co_filename)
    ]


def _package_of_last(error: BaseException) -> str:
    """Return the package of the innermost module that was being imported; empty if it is in none."""
    return next((str(frame.f_globals.get("__package__") or "") for frame in _modules(error)[-1:]), "")

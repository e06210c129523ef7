"""Finds the application inside middleware, partials, bound methods and closures.

Only stored attributes are followed; no property and no method of the wrappers is called.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from multiserve.frameworks.reading import is_a, known

# Names under which middleware stores the application that it wraps.
_NAMES = (
    "app", "application", "wsgi_app", "asgi_app", "_app", "_application", "inner", "inner_app", "next_app",
    "other_asgi_app", "wrapped", "wrapped_app", "wsgi_application",
)  # fmt: skip
_MOST = 64  # objects that are examined


class Unwrapped(NamedTuple):
    """An application and the middleware around it, the outermost first."""

    application: Any
    wrappers: tuple[str, ...]


def look_through(application: Any, is_meant: Callable[[Any], bool]) -> Unwrapped | None:
    """Find the one application inside that `is_meant`.

    Returns:
        None if there is none, or more than one, or a dispatcher in between, which chooses by the path.
    """
    found: list[Unwrapped] = []
    seen: set[int] = set()
    pending: list[tuple[Any, tuple[str, ...]]] = [(application, ())]
    while pending:
        current, around = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        if len(seen) > _MOST or _chooses(current):
            return None
        if is_meant(current):
            found.append(Unwrapped(current, around))
        else:
            around = (*around, *_name(current))
            pending.extend((inner, around) for inner in inside(current))
    return found[0] if len(found) == 1 else None


def own_mounts(application: Any) -> tuple[str, ...]:
    """Return the prefixes of a dispatcher, such as werkzeug's `DispatcherMiddleware`, in or around an application."""
    dispatcher = next(filter(_chooses, _all_inside(application)), None)
    mounts = () if dispatcher is None else _stored(dispatcher, "mounts")
    return tuple(each for each in mounts if isinstance(each, str))


def wrapper_in(application: Any, module: str, name: str) -> Any:
    """Return the middleware of a class in or around an application; None if there is none."""
    return next((each for each in _all_inside(application) if is_a(each, module, name)), None)


def _all_inside(application: Any) -> Iterator[Any]:
    """Yield an application, and whatever is inside it, the outermost first."""
    seen: set[int] = set()
    pending = [application]
    while pending and len(seen) < _MOST:
        current = pending.pop(0)
        if id(current) not in seen:
            seen.add(id(current))
            yield current
            pending.extend(inside(current))


def _chooses(wrapper: Any) -> bool:
    """Return whether it is a dispatcher with several applications, such as werkzeug's `DispatcherMiddleware`."""
    mounts = _stored(wrapper, "mounts")
    return isinstance(mounts, dict) and bool(mounts)


def inside(wrapper: Any) -> Iterator[Any]:
    """Find what a wrapper stores that may be the application which it wraps."""
    candidates: list[Any]
    if isinstance(wrapper, functools.partial):
        candidates = [wrapper.func]
    elif inspect.ismethod(wrapper):
        candidates = [wrapper.__self__]
    elif inspect.isfunction(wrapper):
        candidates = [wrapper.__dict__.get("__wrapped__"), *_closed_over(wrapper)]
    else:
        by_protocol = _stored(wrapper, "application_mapping")  # Channels: HTTP is one of several
        candidates = [by_protocol.get("http")] if isinstance(by_protocol, dict) else []
        candidates += [_stored(wrapper, name) for name in (*_NAMES, "__wrapped__")]
    for candidate in candidates:
        if callable(candidate) and not isinstance(candidate, type):
            yield candidate


def _closed_over(function: types.FunctionType) -> Iterator[Any]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if name in _NAMES:
            yield known(lambda cell=cell: cell.cell_contents, None)  # type: ignore[misc]


def _stored(owner: Any, name: str) -> Any:
    """Return an attribute that is stored in the instance or in one of its slots."""
    value = known(lambda: inspect.getattr_static(owner, name, None), None)
    if isinstance(value, types.MemberDescriptorType):
        return known(lambda: value.__get__(owner), None)
    is_of_class = isinstance(value, (property, classmethod, staticmethod)) or (
        inspect.isfunction(value) and name not in getattr(owner, "__dict__", {})
    )
    return None if is_of_class else value


def _name(wrapper: Any) -> tuple[str, ...]:
    if inspect.ismethod(wrapper) or isinstance(wrapper, functools.partial):
        return ()
    named = wrapper if inspect.isfunction(wrapper) else type(wrapper)
    return (f"{named.__module__}:{named.__qualname__}",)

"""What multiserve knows about frameworks: an application's routes, cookies, loggers and settings, and its router.

Nothing here imports a framework, calls a view or starts anything. If a framework is not loaded yet, no mounted
application can be one of its applications.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Protocol

from multiserve.frameworks import bottle, dash, django, falcon, flask, litestar, pyramid, starlette
from multiserve.frameworks.facts import (
    AllowedHosts,
    Cookie,
    Facts,
    InnerAnswer,
    InnerRequest,
    InnerRoute,
    Inside,
    Onward,
    Secret,
    Setting,
    StaticFiles,
    distinct_name,
)
from multiserve.frameworks.reading import known
from multiserve.frameworks.thread_hints import thread_hints
from multiserve.frameworks.wrappers import Unwrapped, look_through, own_mounts

__all__ = [
    "AllowedHosts",
    "Cookie",
    "Facts",
    "Framework",
    "InnerAnswer",
    "InnerRequest",
    "InnerRoute",
    "Inspector",
    "Secret",
    "Setting",
    "StaticFiles",
    "distinct_name",
    "find_route",
    "inspect_application",
    "own_mounts",
    "with_frameworks",
]

_DEEPEST = 8  # applications mounted inside each other


class Framework(Protocol):
    """Reads the applications of one framework; a module with these functions is one, or any other object.

    None of them may import the framework, call a view or start anything. If one raises, the application counts as one
    that cannot be read.
    """

    def recognises(self, application: object, /) -> bool:
        """Return whether an object is an application of this framework."""

    def read(self, application: Any, inside: Inside, /) -> Facts:
        """Return what an application says about itself.

        Args:
            application: An object that this framework recognises.
            inside: Reads an application of any framework that is mounted inside this one.
        """

    def find(self, application: Any, request: InnerRequest, onward: Onward, /) -> InnerAnswer | None:
        """Return what the router of an application does with a request, or None if that is not certain.

        Args:
            application: An object that this framework recognises.
            request: The request as the application sees it.
            onward: Asks the router of an application that is mounted inside this one.
        """


# Dash comes first, because its server is an application of another framework.
_FRAMEWORKS: tuple[Framework, ...] = (dash, flask, django, starlette, pyramid, litestar, falcon, bottle)
_MORE: ContextVar[tuple[Framework, ...]] = ContextVar("frameworks of plugins", default=())


@contextlib.contextmanager
def with_frameworks(frameworks: Sequence[Framework]) -> Iterator[None]:
    """Read applications of these frameworks as well, inside the with block; they come before the built-in ones."""
    token = _MORE.set((*frameworks, *_MORE.get()))
    try:
        yield
    finally:
        _MORE.reset(token)


def inspect_application(application: Any) -> Facts | None:
    """Read the facts about an application, through the middleware around it.

    Returns:
        None if multiserve cannot see inside.
    """
    return _inspect(application, ())


class Inspector:
    """Reads the facts about each application once, however often they are needed."""

    def __init__(self) -> None:
        """Start without having read anything."""
        self._read: dict[
            int, tuple[Any, Facts | None]
        ] = {}  # keeps the application alive, so that its id is not reused

    def facts_of(self, application: Any) -> Facts | None:
        """Return what `inspect_application` returned the first time; None for no application."""
        if application is None:
            return None
        if id(application) not in self._read:
            self._read[id(application)] = (application, inspect_application(application))
        return self._read[id(application)][1]


def find_route(application: Any, request: InnerRequest) -> InnerAnswer | None:
    """Ask the router of an application what it does with a request, without calling any view.

    Returns:
        None if multiserve cannot see inside, or cannot be certain.
    """
    return _find(application, request, 0)


def _framework_of(application: object) -> Framework | None:
    for framework in _MORE.get():
        if known(lambda: framework.recognises(application), False):  # noqa: B023, FBT003 (it is called at once)
            return framework
    return next((framework for framework in _FRAMEWORKS if framework.recognises(application)), None)


def _look_inside(application: Any) -> tuple[Framework, Unwrapped] | None:
    found = known(lambda: look_through(application, lambda each: _framework_of(each) is not None), None)
    framework = _framework_of(found.application) if found else None
    return (framework, found) if framework and found else None


def _inspect(application: Any, above: tuple[int, ...]) -> Facts | None:
    seen = _look_inside(application)
    if seen is None or id(seen[1].application) in above or len(above) == _DEEPEST:
        return None
    framework, found = seen
    here = (*above, id(found.application))
    facts = known(lambda: framework.read(found.application, lambda each: _inspect(each, here)), None)
    if facts is None or (facts.takes_whole_path and above):
        return None  # its routes ignore the prefix under which it is mounted here
    hints = known(lambda: thread_hints(facts.routes or ()), ())
    return replace(facts, wrappers=found.wrappers or facts.wrappers, thread_hints=hints)


def _find(application: Any, request: InnerRequest, depth: int) -> InnerAnswer | None:
    seen = _look_inside(application)
    if seen is None or depth == _DEEPEST:
        return None
    framework, found = seen
    return known(
        lambda: framework.find(found.application, request, lambda each, rest: _find(each, rest, depth + 1)), None
    )

"""The lifespans of applications that are mounted inside one of Starlette or FastAPI, which runs none of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from multiserve.frameworks import starlette
from multiserve.frameworks.reading import is_a, known
from multiserve.frameworks.wrappers import look_through

_DEEPEST = 8  # applications mounted inside each other
# They come with a function that mounts their applications, and run the lifespan inside the outer one, or do without it.
_MOUNTED_BY_THEIR_FRAMEWORKS = frozenset(("gradio", "marimo", "nicegui"))


class InnerLifespan(NamedTuple):
    """An application inside another one, with a lifespan of its own.

    Attributes:
        path: Where it is mounted, behind the prefix of the outer application.
        may_be_run: Whether the outer application has a lifespan of its own, which may run it.
    """

    path: str
    may_be_run: bool


def inner_lifespans(application: Any) -> tuple[InnerLifespan, ...]:
    """Return the lifespans inside an application that nobody runs, or that its own lifespan has to run."""
    if not starlette.recognises(application):
        return ()
    outer = _lifespan_of(application)
    return known(lambda: tuple(_find(application, outer, "", _DEEPEST)), ())


def _find(application: Any, outer: Any, above: str, depth: int) -> Iterator[InnerLifespan]:
    router = getattr(application, "router", application)
    for route in router.routes if depth else ():
        found = look_through(route.app, starlette.recognises) if is_a(route, "starlette.routing", "Mount") else None
        if found is None:
            continue
        path, inner = f"{above}{route.path}", found.application
        own = _lifespan_of(inner)
        if own is not None and own is not outer and not _is_mounted_by_its_framework(inner, own):
            yield InnerLifespan(path or "/", outer is not None)
        yield from _find(inner, outer, path, depth - 1)


def _is_mounted_by_its_framework(application: Any, lifespan: Any) -> bool:
    modules = (type(application).__module__, getattr(lifespan, "__module__", None) or "")
    return any(module.partition(".")[0] in _MOUNTED_BY_THEIR_FRAMEWORKS for module in modules)


def _lifespan_of(application: Any) -> Any:
    """Return the lifespan that an application was given, or its functions for the start; None for none."""
    router = getattr(application, "router", application)
    context = router.lifespan_context
    is_default = type(context).__name__ == "_DefaultLifespan"
    functions = [*(getattr(router, "on_startup", None) or ()), *(getattr(router, "on_shutdown", None) or ())]
    return (tuple(functions) or None) if is_default else context

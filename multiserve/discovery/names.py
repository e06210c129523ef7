"""What a mount is called, from the names of modules and attributes, and how much a name sounds like the site itself."""

from __future__ import annotations

import re

# Names that say nothing about what an application is for.
_GENERIC = frozenset(
    {
        "app",
        "make",
        "create",
        "build",
        "application",
        "asgi",
        "main",
        "server",
        "src",
        "wsgi",
        "web",
        "run",
        "factory",
        "index",
        "program",
        "config",
    }
)
_AROUND = re.compile(r"^(create|make|build|get|init)_|_?(application|app|server|factory|wsgi|asgi)$")
_SITE = frozenset({"site", "website", "frontend", "front", "home", "homepage", "www", "storefront", "public", "portal"})
_PART = frozenset(
    {
        "admin",
        "api",
        "auth",
        "backend",
        "backoffice",
        "blog",
        "chat",
        "dashboard",
        "docs",
        "internal",
        "metrics",
        "staff",
    }
)
# Which framework is more likely the site itself, where the names do not tell.
_WEIGHTS = {"Vite": 3, "React": 3, "Flask": 2, "Django": 2, "Pyramid": 2, "Quart": 2, "Starlette": 1, "Bottle": 1}


def names_of(module: str, attribute: str) -> tuple[str, ...]:
    """Return what an application can be called, the best name first: its own, then those of its packages."""
    own = _AROUND.sub("", _AROUND.sub("", attribute))
    parts = [own, *reversed(module.split("."))]
    names = [_AROUND.sub("", part) or part for part in parts]
    return tuple(dict.fromkeys(name for name in names if name and name.lower() not in _GENERIC and name != "__init__"))


def prefix_of(name: str) -> str:
    """Return the prefix that is made of a name."""
    return "/" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def siteness(kind: str, names: tuple[str, ...]) -> int:
    """Return how much something looks like the site itself, which is mounted at the root."""
    words = {word for name in names for word in re.split(r"[^a-z0-9]+", name.lower())}
    return _WEIGHTS.get(kind, 0) + 4 * bool(words & _SITE) - 4 * bool(words & _PART)

"""multiserve composes Python web applications from a TOML file and serves them on one origin.

The names below are the public API (docs/api.md), with `multiserve.testing` and the two modules for other servers,
`multiserve.wsgi` and `multiserve.asgi`. Everything else is private.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiserve.api import check, create_app, explain, load_config
    from multiserve.config.model import Config
    from multiserve.errors import ConfigError, LoadError, MultiserveError, Problem, ServeError
    from multiserve.findings import Finding
    from multiserve.routes.explain import Explanation

__version__ = "0.1.0"

__all__ = [
    "Config",
    "ConfigError",
    "Explanation",
    "Finding",
    "LoadError",
    "MultiserveError",
    "Problem",
    "ServeError",
    "__version__",
    "check",
    "create_app",
    "explain",
    "load_config",
]

# Each name is imported when it is first used: a program that only loads a configuration imports no more than that.
_MODULES = {
    "check": "multiserve.api",
    "create_app": "multiserve.api",
    "explain": "multiserve.api",
    "load_config": "multiserve.api",
    "Config": "multiserve.config.model",
    "Explanation": "multiserve.routes.explain",
    "Finding": "multiserve.findings",
    **dict.fromkeys(("ConfigError", "LoadError", "MultiserveError", "Problem", "ServeError"), "multiserve.errors"),
}


if not TYPE_CHECKING:  # a type checker would take every name for a public one

    def __getattr__(name: str) -> Any:
        """Import a public name from its module and keep it."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib

        value = globals()[name] = getattr(importlib.import_module(_MODULES[name]), name)
        return value


def __dir__() -> list[str]:
    """List the public names, those included that are not imported yet."""
    return sorted({*globals(), *__all__})

"""multiserve composes Python web applications from a TOML file and serves them on one origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from multiserve.errors import ConfigError, LoadError, MultiserveError, Problem, ServeError

if TYPE_CHECKING:
    from multiserve.composition import create_app

__version__ = "0.1.0"

__all__ = ["ConfigError", "LoadError", "MultiserveError", "Problem", "ServeError", "__version__", "create_app"]


def __getattr__(name: str) -> Any:
    """Import what composes only when it is asked for: commands that compose nothing start faster."""
    if name != "create_app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from multiserve.composition import create_app

    return create_app

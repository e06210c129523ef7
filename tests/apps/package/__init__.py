"""A package, which is an application itself."""

from good import answer as app

__all__ = ["app"]

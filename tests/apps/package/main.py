"""A module of the package."""

from good import answer as app

__all__ = ["app"]

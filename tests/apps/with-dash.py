"""A file that no import statement could name."""

from good import answer as app

__all__ = ["app"]

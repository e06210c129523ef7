"""A module without any of the usual names."""

from good import answer as website

__all__ = ["website"]

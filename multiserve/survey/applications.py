"""Applications that are in the process of a group: a reader of frameworks returns what that process says about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multiserve.frameworks import Facts, InnerAnswer, InnerRequest
from multiserve.frameworks.facts import Inside, Onward

Find = Callable[[InnerRequest], InnerAnswer | None]


class RemoteApplication:
    """Stands for an application of another process: the same one for the same application.

    Attributes:
        facts: What is known about it; None if multiserve cannot see inside.
        find: Asks its router.
    """

    def __init__(self, facts: Facts | None, find: Find) -> None:
        """Stand for an application."""
        self.facts = facts
        self.find = find


class RemoteReader:
    """Reads the applications of other processes, as the reader of a framework reads those of this one."""

    def recognises(self, application: object) -> bool:
        """Return whether it is an application of another process."""
        return isinstance(application, RemoteApplication)

    def read(self, application: Any, inside: Inside) -> Facts:
        """Return what its own process has read."""
        del inside
        if application.facts is None:
            raise LookupError("nobody can see inside")
        facts: Facts = application.facts
        return facts

    def find(self, application: Any, request: InnerRequest, onward: Onward) -> InnerAnswer | None:
        """Ask its own process what its router does with a request."""
        del onward
        answer: InnerAnswer | None = application.find(request)
        return answer

"""Whether the system has what groups need."""

from __future__ import annotations

import socket

from multiserve.config.model import Config
from multiserve.errors import Problem


def problem_of_system(config: Config) -> Problem | None:
    """Return why there can be no groups on this system, if a configuration asks for some; None if there can."""
    if hasattr(socket, "AF_UNIX") or not (config.groups or config.development.isolate):
        return None
    return Problem(
        key="groups" if config.groups else "development.isolate",
        message="groups need unix sockets, which Python has not on this system",
        hint="On Windows, run multiserve in WSL or in a container, or leave groups and isolate out.",
    )

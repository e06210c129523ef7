"""Mounts of a group, as the process in front of it has them."""

from __future__ import annotations

from dataclasses import dataclass

from multiserve.config.kinds.mount import Mount
from multiserve.shortening import shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedMount(Mount):
    """A mount whose requests are handed on to the process of its group; the file has none of this kind.

    Attributes:
        socket: The path of the socket on which that process listens.
        mount: The mount as the file has it.
    """

    kind = "group"
    given = "group"
    noun = "a mount of a group"
    example = '{ app = "module:attribute", group = "name" }'
    help = "The group whose process answers."
    socket: str
    mount: Mount

    @property
    def shown(self) -> str:
        """What is mounted, as far as there is room for it, and the group, unless that is this mount alone."""
        if self.group == self.name:
            return shorten(self.what)
        return f"{shorten(self.what)} ({self.group})"

"""The process that has started this one: without it, nobody would end this one or start it again."""

from __future__ import annotations

import os

from multiserve.servers.groups.places import remove_folder_of


class Starter:
    """The parent of a process that serves, which may end at any moment, also while this process starts."""

    def __init__(self, pid: int, socket: str = "") -> None:
        """Begin to watch it.

        Args:
            pid: Its process id; 0 where that is not known.
            socket: The path of the socket of a group, whose folder it removes at its end; empty if there is none.
        """
        self._pid = pid
        self._socket = socket
        self._first = os.getppid()  # another process where a script around the interpreter has started that one

    def has_ended(self) -> bool:
        """Return whether it has ended; what it would have removed then is removed."""
        if os.getppid() == self._first and _runs(self._pid):
            return False
        if self._socket:
            remove_folder_of(self._socket)
        return True


def _runs(pid: int) -> bool:
    if not pid or os.name == "nt":  # where signal 0 is none
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True

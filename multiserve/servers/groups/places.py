"""Where the groups listen: unix sockets in a private folder, bound by the parent: a restart loses no connection."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Collection
from pathlib import Path

from multiserve.errors import Problem, ServeError
from multiserve.mounts.grouped.proxy import DOWN

_LONGEST = 100  # bytes of a path, of which all systems have room for a little more
_USUAL = "/tmp"  # noqa: S108 (mkdtemp makes a folder in it that no other user can enter)
_BACKLOG = 2048  # connections that wait while a group starts anew, as gunicorn has it


class Place:
    """The socket of one group, which stays open whatever becomes of the processes that serve it.

    Attributes:
        path: Its path.
        listener: The socket itself.
    """

    def __init__(self, path: Path) -> None:
        """Bind the socket."""
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        path.chmod(0o600)
        # For good: processes that take it over share this with us, and an event loop must not wait in it.
        self.listener.settimeout(0)
        self.listener.listen(_BACKLOG)
        self._down = Path(f"{path}{DOWN}")

    def hand_to(self, user: int, group: int) -> None:
        """Let one other user connect, and nobody else."""
        os.chown(self.path, user, group)
        self.path.chmod(0o600)

    def go_down(self, reason: str) -> None:
        """Have requests answered with 503 from now on, also those that wait already.

        Args:
            reason: What a development server shows.
        """
        scratch = self._down.with_suffix(".new")
        with contextlib.suppress(OSError):  # requests wait then, which is no worse
            scratch.write_text(reason, "utf-8")
            scratch.replace(self._down)
        self.turn_away()

    def turn_away(self) -> None:
        """Close the connections that wait: whoever has opened them looks at the reason then."""
        with contextlib.suppress(OSError):
            while True:
                self.listener.accept()[0].close()

    def come_up(self) -> None:
        """Have requests handed on again."""
        with contextlib.suppress(OSError):
            self._down.unlink()

    def close(self) -> None:
        """Close the socket, and remove what is in the folder for it."""
        self.listener.close()
        with contextlib.suppress(OSError):
            self.path.unlink()
        self.come_up()


class Places:
    """The sockets of all groups, made when they are asked for.

    Attributes:
        owner: The process that removes them.
    """

    def __init__(self, folder: str | None = None) -> None:
        """Make no folder yet.

        Args:
            folder: Where to make it; None for the folder for temporary files.
        """
        self._parent = folder
        self._folder: Path | None = None
        self.owner = os.getpid()
        self._user: tuple[int, int] | None = None
        self._places: dict[str, Place] = {}
        self._count = 0

    @property
    def folder(self) -> Path:
        """The folder.

        Raises:
            ServeError: It cannot be made.
        """
        if self._folder is None:
            self._folder = _make_folder(self._parent or tempfile.gettempdir())
        return self._folder

    def place(self, group: str) -> Place:
        """Return the place of a group, which stays the same until `leave`.

        Raises:
            ServeError: There is no room for one.
        """
        if group not in self._places:
            self._count += 1  # names may be long, and have slashes in them
            try:
                self._places[group] = Place(self.folder / f"{self._count}.sock")
                if self._user:
                    self._places[group].hand_to(*self._user)
            except OSError as error:
                raise ServeError(f"the socket of the group {group} cannot be made: {error}") from error
        return self._places[group]

    def open_to(self, user: int, group: int) -> None:
        """Let the workers in front connect, where they run as another user than this process.

        Args:
            user: Their user id.
            group: Their group id.
        """
        self._user = user, group
        self.folder.chmod(0o711)  # what is in it cannot be listed
        for place in self._places.values():
            place.hand_to(user, group)

    def leave(self, group: str) -> None:
        """Give up the place of a group that is no more."""
        place = self._places.pop(group, None)
        if place is not None:
            place.close()

    def forget(self, group: str) -> None:
        """Have another place for a group from now on; whoever uses this one closes it."""
        self._places.pop(group, None)

    def keep_only(self, groups: Collection[str]) -> None:
        """Give up all places but those of some groups."""
        for each in [each for each in self._places if each not in groups]:
            self.leave(each)

    def close(self) -> None:
        """Remove the folder, in the process that has made it."""
        if self.owner == os.getpid():
            for place in self._places.values():
                place.close()
            self._places.clear()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None


def remove_folder_of(socket: str) -> None:
    """Remove the folder of a socket, where the process that has made it was killed.

    Args:
        socket: The path of a socket in it.
    """
    shutil.rmtree(Path(socket).parent, ignore_errors=True)


def _make_folder(parent: str) -> Path:
    for each in dict.fromkeys((parent, _USUAL)):
        try:
            folder = Path(tempfile.mkdtemp(prefix="multiserve-", dir=each))
        except OSError as error:
            failure = f"{error.strerror or error}: {each}"
            continue
        if len(os.fsencode(folder)) <= _LONGEST - len("/9999.sock.down"):
            return folder
        folder.rmdir()
        failure = f"the path is too long for a unix socket: {each}"
    hint = "Set TMPDIR to a folder with a short path that can be written to, or worker_tmp_dir under [gunicorn]."
    raise ServeError(Problem(message=f"there is no folder for the sockets of groups: {failure}", hint=hint))

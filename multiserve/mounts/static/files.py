"""The files of one folder: which file a path names, and in which compressed form the client prefers it.

Nothing outside the folder is ever served, however the path is spelt.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePath

from werkzeug.http import parse_accept_header

_REFUSED = re.compile(r"[\x00-\x1f\x7f-\x9f\\]|^\.{0,2}$")  # control characters, backslashes, "", "." and ".."

# Never follow a link; and a FIFO that takes the place of a file must not hang us, nor a terminal become ours.
_ANY = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FILE = _ANY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = _ANY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", 0)  # which needs no right to list it
_OPENS_BENEATH = {os.open, os.stat} <= os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")  # not on Windows
_QUESTIONS = 5

# Content codings and the suffixes of such files, in order of preference where a client accepts several equally.
_CODINGS = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}


@dataclass(slots=True)
class FileFound:
    """What is at a path of the folder, as it was when it was opened.

    Attributes:
        segments: Where it is in the folder, once links are followed.
        status: What the system says about what was opened.
        file: The open file, to be read and closed by the caller; None for anything but a regular file.
    """

    segments: Sequence[str]
    status: os.stat_result
    file: FileIO | None = None

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, in which other files may be."""
        return stat.S_ISDIR(self.status.st_mode)

    def close(self) -> None:
        """Close the file, if there is one."""
        if self.file is not None:
            self.file.close()


class Folder:
    """A folder whose files may be served.

    What is checked is what was opened: each folder on the way and the file itself are opened without following links,
    so that no link can be put in their place between the check and the opening.
    """

    def __init__(self, folder: Path, *, dot_files: bool) -> None:
        """Serve the files of `folder`, and those that are hidden by a dot only if `dot_files` says so."""
        self.path = os.path.abspath(folder)  # noqa: PTH100 (strings from here on: several times faster)
        self._dot_files = dot_files

    def allows(self, segments: Sequence[str]) -> bool:
        """Return whether a path of these segments may be asked for at all."""
        return not any(_REFUSED.search(each) or (each[0] == "." and not self._dot_files) for each in segments)

    def open(self, segments: Sequence[str]) -> FileFound | None:
        """Open what is at a path; links are followed as long as they lead to what the folder serves anyway."""
        segments = "/".join(segments).split("/") if segments else ()  # an index may be in a folder, too
        if any(_REFUSED.search(each) for each in segments):
            return None
        try:
            if not _OPENS_BENEATH:
                return self._open_target_of(segments)
            try:
                return _open_beneath(self.path, segments)
            except _LinkError:
                return self._open_target_of(segments)
        except (OSError, ValueError):  # not there, not to be read, a name that is too long, links in a circle, ...
            return None

    def siblings(self, original: FileFound) -> dict[str, Sequence[str]]:
        """Return where the content of a file is in compressed form, by the name of the coding."""
        *parents, name = original.segments
        found: dict[str, Sequence[str]] = {}
        for coding, suffix in _CODINGS.items():
            segments = [*parents, f"{name}{suffix}"]
            with contextlib.suppress(OSError):  # the usual case: there is none
                status = os.lstat(self._path_of(segments))
                if stat.S_ISLNK(status.st_mode):
                    status = self._status_of_target(segments)
                if is_sibling(status, original.status):
                    found[coding] = segments
        return found

    def _open_target_of(self, segments: Sequence[str]) -> FileFound | None:
        """Open what a path with links in it leads to, which must be in the folder and not hidden there."""
        root = os.path.realpath(self.path)
        real = os.path.realpath(self._path_of(segments))
        if os.path.commonpath([root, real]) != root:
            return None
        target = PurePath(real).relative_to(root).parts
        # A path that is asked for has been checked already; this one is for the links.
        if target != tuple(segments) and not self.allows(target):
            return None
        return _open_beneath(root, target) if _OPENS_BENEATH else _open_and_compare(real, target)

    def _path_of(self, segments: Sequence[str]) -> str:
        return "/".join((self.path, *segments))  # Windows takes it as well

    def _status_of_target(self, segments: Sequence[str]) -> os.stat_result:
        found = self.open(segments)
        if found is None:
            raise FileNotFoundError
        found.close()
        return found.status


class _LinkError(OSError):
    """There is a link on the way, or something that is no folder."""


def _open_beneath(root: str, segments: Sequence[str]) -> FileFound:
    """Open what is at a path without following any link below `root`.

    Raises:
        OSError: It is not there or cannot be read; `_LinkError` where a link is on the way.
    """
    if not segments:
        return FileFound((), os.stat(root))  # noqa: PTH116 (strings are several times faster)
    *folders, name = f"{root}{os.sep}{segments[0]}", *segments[1:]
    folder: int | None = None
    try:
        for each in folders:
            outer, folder = folder, os.open(each, _FOLDER, dir_fd=folder)
            if outer is not None:
                os.close(outer)
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            raise _LinkError(errno.ELOOP, "a link")
        if not stat.S_ISREG(status.st_mode):  # a FIFO or a device is not even opened
            return FileFound(segments, status)
        return _take(os.open(name, _FILE, dir_fd=folder), segments)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
            raise _LinkError(error.errno, error.strerror) from None
        raise
    finally:
        if folder is not None:
            os.close(folder)


def _open_and_compare(real: str, segments: Sequence[str]) -> FileFound | None:
    """Open a file by its path, where the system has no way to open it relative to an open folder."""
    status = os.lstat(real)
    if not stat.S_ISREG(status.st_mode):
        return FileFound(segments, status)
    found = _take(os.open(real, _FILE), segments)
    with contextlib.suppress(OSError):
        # The path must still lead to itself, and to what was opened: else a link was put in its place meanwhile. These
        # are two questions, between which a folder may be swapped again: so they are asked several times.
        if all(os.path.realpath(real) == real and _is_at(found.status, real) for _ in range(_QUESTIONS)):
            return found
    found.close()
    return None


def _is_at(status: os.stat_result, path: str) -> bool:
    return os.path.samestat(status, os.lstat(path))


def _take(descriptor: int, segments: Sequence[str]) -> FileFound:
    file = FileIO(descriptor, "rb")
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode):
        return FileFound(segments, status, file)
    file.close()  # another thing has taken the place of the file
    return FileFound(segments, status)


def is_sibling(compressed: os.stat_result, original: os.stat_result) -> bool:
    """Return whether a file can be the compressed form of another: an older one holds what the other was before."""
    return stat.S_ISREG(compressed.st_mode) and compressed.st_mtime_ns >= original.st_mtime_ns


def choose_coding(codings: Collection[str], accepted: str) -> str:
    """Choose among content codings by an Accept-Encoding header (RFC 9110, section 12.5.3); "" for none."""
    if not codings:
        return ""
    accept = parse_accept_header(accepted)
    best = max((each for each in _CODINGS if each in codings), key=accept.quality, default="")
    return best if best and accept.quality(best) > 0 and accept.quality(best) >= accept.quality("identity") else ""

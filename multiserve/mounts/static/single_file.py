"""One file at one URL as a mount, for WSGI and ASGI."""

from __future__ import annotations

import os
import stat
from io import FileIO
from pathlib import Path

from multiserve._types import WSGIApplication, WSGIEnvironment
from multiserve.mounts.static.files import FileFound
from multiserve.mounts.static.read_only import MISSING, ReadOnly
from multiserve.mounts.static.responses import respond

_THREADS = 2


class SingleFile(ReadOnly):
    """One file, which answers at the URL of its mount and nowhere below it."""

    def __init__(self, path: Path, *, max_age: int | None = None) -> None:
        """Serve a file, which may be a symbolic link to any place.

        Args:
            path: The file.
            max_age: Seconds for which clients may cache the file; None if they must revalidate it each time.
        """
        self._path = os.path.abspath(path)  # noqa: PTH100 (a string is several times faster)
        super().__init__(f"file:{self._path}", _THREADS)
        caching = "no-cache" if max_age is None else f"public, max-age={max_age}"
        self._headers = [("Cache-Control", caching), ("X-Content-Type-Options", "nosniff")]

    def answer(self, environ: WSGIEnvironment) -> WSGIApplication:
        """Return the file, or that there is none at the URL."""
        root = "" if environ.get("SCRIPT_NAME") else "/"  # of a host, whose URL ends with a slash
        if environ.get("PATH_INFO", "") not in ("", root):
            return MISSING.wsgi
        found = self._open()
        if found is None:
            return MISSING.wsgi
        return respond(found, environ, name=self._path, coding="", headers=self._headers)

    def _open(self) -> FileFound | None:
        try:
            file = FileIO(self._path, "rb", opener=_open)
        except OSError:
            return None
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            return FileFound((), status, file)
        file.close()
        return None


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))

"""A static folder as a mount, for WSGI and ASGI: which file answers a path, or which other response does."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Sequence
from pathlib import Path

from multiserve._types import WSGIApplication, WSGIEnvironment
from multiserve.dispatch.answers import Answer, accepts_html
from multiserve.mounts.redirects import add_slash
from multiserve.mounts.static.files import FileFound, Folder, choose_coding, is_sibling
from multiserve.mounts.static.media_types import is_asset
from multiserve.mounts.static.read_only import MISSING, ReadOnly
from multiserve.mounts.static.responses import respond

_NAVIGATION = "Accept, Sec-Fetch-Mode"  # what decides whether the fallback answers
_NO_PAGE = Answer("404 Not Found", "Not Found: there is no such file.\n", ("Vary", _NAVIGATION))
OPENED = "multiserve.opened"
"""Where the environ may have a list, to which the path of the file is added that answers."""

_THREADS = 8  # so that one slow disk access does not delay the next
_REVALIDATE = "no-cache"
_FOR_EVER = "public, max-age=31536000, immutable"


class StaticFolder(ReadOnly):
    """The files of one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        index: str = "index.html",
        fallback: str = "",
        max_age: int | None = None,
        immutable: Sequence[str] = (),
        dot_files: bool = False,
    ) -> None:
        """Serve a folder, which may be a symbolic link.

        Args:
            folder: Where the files are.
            index: The name of the file that answers for a folder.
            fallback: The file, relative to the folder, that answers navigations to URLs without a file; "" for none.
            max_age: Seconds for which clients may cache a file; None if they must revalidate it each time.
            immutable: Patterns (as in `fnmatch`) for the names, or for the paths in the folder, of files that never
                change.
            dot_files: Also serve files and folders whose names begin with a dot.
        """
        self._folder = Folder(folder, dot_files=dot_files)
        super().__init__(f"static:{self._folder.path}", _THREADS)
        self._index = index
        self._fallback = fallback.split("/") if fallback else []
        self._caching = _REVALIDATE if max_age is None else f"public, max-age={max_age}"
        self._immutable = re.compile("|".join(map(fnmatch.translate, immutable)) or r"(?!)")

    def answer(self, environ: WSGIEnvironment) -> WSGIApplication:
        """Return the file at the URL, or what else answers there."""
        path = environ.get("PATH_INFO", "")
        if not path and not environ.get("SCRIPT_NAME"):
            path = "/"
        first, *segments = os.fsdecode(path.encode("latin-1")).split("/")
        if segments and not segments[-1]:
            segments[-1] = self._index
        if first or not self._folder.allows(segments):
            return MISSING.wsgi
        found = self._folder.open(segments)
        if found and found.is_folder and not path.endswith("/") and self._has_index(segments):
            return _to_folder(environ).wsgi
        if answer := self._serve(found, segments, environ):
            return answer
        if not self._fallback or is_asset(path.rpartition("/")[2]):
            return MISSING.wsgi
        if _is_navigation(environ):
            found = self._folder.open(self._fallback)
            answer = self._serve(found, self._fallback, environ, _REVALIDATE, _NAVIGATION)
        return answer or _NO_PAGE.wsgi

    def _has_index(self, segments: Sequence[str]) -> bool:
        index = self._folder.open([*segments, self._index])
        if index is None:
            return False
        index.close()
        return index.file is not None

    def _serve(
        self,
        found: FileFound | None,
        segments: Sequence[str],
        environ: WSGIEnvironment,
        caching: str = "",
        vary: str = "",
    ) -> WSGIApplication | None:
        """Serve a file, or the compressed form that the client prefers; return None if it is not a file."""
        if found is None or found.file is None:
            return None
        headers = [("Cache-Control", caching or self._caching_of(segments)), ("X-Content-Type-Options", "nosniff")]
        siblings = self._folder.siblings(found)
        if vary := ", ".join(filter(None, (vary, "Accept-Encoding" if siblings else ""))):
            headers.append(("Vary", vary))
        coding = choose_coding(siblings, environ.get("HTTP_ACCEPT_ENCODING", ""))
        found, coding = self._open_sibling(found, siblings[coding], coding) if coding else (found, "")
        if OPENED in environ:
            environ[OPENED].append("/".join((self._folder.path, *found.segments)))
        return respond(found, environ, name=segments[-1], coding=coding, headers=headers)

    def _open_sibling(self, original: FileFound, segments: Sequence[str], coding: str) -> tuple[FileFound, str]:
        """Open the compressed form of a file instead of it, if that is still possible."""
        sibling = self._folder.open(segments)
        if sibling is None or not is_sibling(sibling.status, original.status):
            if sibling is not None:
                sibling.close()
            return original, ""
        original.close()
        return sibling, coding

    def _caching_of(self, segments: Sequence[str]) -> str:
        never_changes = self._immutable.match("/".join(segments)) or self._immutable.match(segments[-1])
        return _FOR_EVER if never_changes else self._caching


def _to_folder(environ: WSGIEnvironment) -> Answer:
    name = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}".rpartition("/")[2]
    return add_slash(name.encode("latin-1"), environ.get("QUERY_STRING", ""))


def _is_navigation(environ: WSGIEnvironment) -> bool:
    """Return whether a browser asks for a page to show, and not for a part of one, nor a program for data."""
    mode = environ.get("HTTP_SEC_FETCH_MODE", "navigate")
    return mode == "navigate" and accepts_html(environ.get("HTTP_ACCEPT", ""))

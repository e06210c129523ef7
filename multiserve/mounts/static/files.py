"""The files of one folder: which of them a path names, of which type they are, and how one becomes a response.

Nothing outside the folder is ever opened, however the path is spelt.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from io import FileIO
from mimetypes import MimeTypes
from pathlib import Path
from typing import NamedTuple

from werkzeug.http import http_date, parse_accept_header
from werkzeug.security import safe_join
from werkzeug.wrappers import Response
from werkzeug.wsgi import FileWrapper

from multiserve._types import WSGIEnvironment

BLOCK = 256 * 1024  # bytes read at a time
_REFUSED = re.compile(r"[\x00-\x1f\x7f-\x9f\\]|^\.{0,2}$")  # control characters, backslashes, "", "." and ".."

_RANGE = re.compile(r"\s*bytes\s*=\s*(?:(?P<first>[0-9]{1,18})-(?P<last>[0-9]{0,18})|-[0-9]{1,18})\s*", re.IGNORECASE)

# A FIFO that takes the place of a file must not hang us, nor a terminal become ours.
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)

# Content codings and how the names of such files end, the best first: for clients that like several equally well.
_CODINGS = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}

# What Python does not know in each version, or calls by another name than RFC 9239; system files have no say.
_TYPES = MimeTypes().types_map[True] | {
    ".7z": "application/x-7z-compressed",
    ".avif": "image/avif",
    ".bz2": "application/x-bzip2",
    ".cjs": "text/javascript",
    ".flac": "audio/flac",
    ".geojson": "application/geo+json",
    ".gz": "application/gzip",
    ".ico": "image/vnd.microsoft.icon",
    ".ics": "text/calendar",
    ".js": "text/javascript",
    ".jsonld": "application/ld+json",
    ".jxl": "image/jxl",
    ".m4a": "audio/mp4",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".otf": "font/otf",
    ".rss": "application/rss+xml",
    ".tgz": "application/gzip",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xhtml": "application/xhtml+xml",
    ".xz": "application/x-xz",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zst": "application/zstd",
}
_PAGES = ("text/html", "application/xhtml+xml")


class Found(NamedTuple):
    """What stands at a path of the folder.

    Attributes:
        path: Where it is.
        status: What the system says about it, links followed.
    """

    path: str
    status: os.stat_result

    @property
    def is_file(self) -> bool:
        """Whether it can be served: no folder, FIFO, device or socket."""
        return stat.S_ISREG(self.status.st_mode)

    @property
    def is_folder(self) -> bool:
        """Whether other files may stand in it."""
        return stat.S_ISDIR(self.status.st_mode)


class Blocks(FileWrapper):
    """The blocks of a file, each in the same memory: to be copied before the next one is asked for.

    What a thread allocates and another one frees, for each block anew, costs more than the reading itself.
    """

    file: FileIO

    def __init__(self, file: FileIO, size: int) -> None:
        """Read blocks of at most `size` bytes."""
        super().__init__(file, size)
        self._buffer = memoryview(bytearray(size))

    def __next__(self) -> memoryview:  # type: ignore[override]  # nobody takes it for bytes
        """Give the next block."""
        if size := self.file.readinto(self._buffer):
            return self._buffer[:size]
        raise StopIteration


class Folder:
    """A folder whose files may be served."""

    def __init__(self, folder: Path, *, dot_files: bool) -> None:
        """Take the files of `folder`; those that are hidden by a dot only if `dot_files` says so."""
        self.path = os.path.abspath(folder)  # noqa: PTH100 (strings from here on: several times faster)
        self._dot_files = dot_files

    def allows(self, segments: Sequence[str]) -> bool:
        """Tell whether a path of these segments may be asked for at all."""
        return not any(_REFUSED.search(each) or (each[0] == "." and not self._dot_files) for each in segments)

    def find(self, segments: Sequence[str]) -> Found | None:
        """Find what stands at a path that is allowed; links are followed as long as they stay in the folder."""
        path = safe_join(self.path, *segments)
        if path is None:
            return None
        try:
            return self._walk(path, segments)
        except (OSError, ValueError):  # not there, not to be read, a name that is too long, links in a circle, ...
            return None

    def siblings(self, original: Found) -> dict[str, Found]:
        """Give the files in which the content of another one stands compressed, by the name of the coding."""
        found = {}
        for coding, suffix in _CODINGS.items():
            with contextlib.suppress(OSError):  # the usual case: there is none
                path = original.path + suffix
                status = os.lstat(path)
                sibling = self._follow(path) if stat.S_ISLNK(status.st_mode) else Found(path, status)
                # One that is older holds what the original was before.
                if sibling and sibling.is_file and sibling.status.st_mtime_ns >= original.status.st_mtime_ns:
                    found[coding] = sibling
        return found

    def _walk(self, path: str, segments: Sequence[str]) -> Found | None:
        place, status = self.path, None
        for each in segments:
            place = f"{place}{os.sep}{each}"
            status = os.lstat(place)
            if stat.S_ISLNK(status.st_mode):
                return self._follow(path)
        return Found(path, status) if status else self._follow(path)  # without a link there is no way out

    def _follow(self, path: str) -> Found | None:
        folder, real = os.path.realpath(self.path), os.path.realpath(path)
        return Found(real, os.lstat(real)) if os.path.commonpath([folder, real]) == folder else None


def content_type(name: str) -> str:
    """Give the type of a file by its name; a compressed one is an archive like any other."""
    return _TYPES.get(os.path.splitext(name)[1].lower(), "application/octet-stream")  # noqa: PTH122


def is_asset(name: str) -> bool:
    """Tell whether a name is clearly that of a file which is no page."""
    return _TYPES.get(os.path.splitext(name)[1].lower(), _PAGES[0]) not in _PAGES  # noqa: PTH122


def choose_coding(codings: Collection[str], accepted: str) -> str:
    """Choose among content codings by an Accept-Encoding header (RFC 9110, section 12.5.3); "" for none."""
    if not codings:
        return ""
    accept = parse_accept_header(accepted)
    best = max((each for each in _CODINGS if each in codings), key=accept.quality, default="")
    return best if best and accept.quality(best) > 0 and accept.quality(best) >= accept.quality("identity") else ""


def respond(found: Found, environ: WSGIEnvironment, *, name: str, coding: str) -> Response | None:
    """Open a file and make it a response: all of it, the range that is asked for, or that nothing has changed.

    Args:
        found: The file.
        environ: The request, which also says how the server likes to send files.
        name: The name that tells the type of the content.
        coding: How the content is compressed; "" if it is not.

    Returns:
        The response, which closes the file; None if the file has vanished or may not be read.

    Raises:
        RequestedRangeNotSatisfiable: The range that is asked for is not in the file.
    """
    try:
        file = open(found.path, "rb", buffering=0, opener=_open)  # noqa: SIM115 (the response closes it)
    except OSError:
        return None
    try:
        status = os.fstat(file.fileno())  # it may be another one by now
        if stat.S_ISREG(status.st_mode):
            return _respond(file, status, environ, content_type(name), coding)
    except BaseException:
        file.close()
        raise
    file.close()
    return None


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | _NEVER_WAIT)


def _respond(file: FileIO, status: os.stat_result, environ: WSGIEnvironment, mimetype: str, coding: str) -> Response:
    has_range = "HTTP_RANGE" in environ
    if has_range and not _is_for_bytes(environ):
        has_range = False
        environ = {name: value for name, value in environ.items() if name != "HTTP_RANGE"}
    content = _wrapper(environ, status.st_size, has_range=has_range)(file, max(1, min(BLOCK, status.st_size)))
    response = Response(content, mimetype=mimetype, direct_passthrough=True)
    response.content_length = status.st_size
    # A clock that was wrong must not lead to a date of the future (RFC 9110, section 8.8.2.1), or to none at all.
    response.headers["Last-Modified"] = http_date(max(0, min(status.st_mtime, time.time())))
    response.set_etag("-".join(filter(None, (f"{status.st_mtime_ns:x}", f"{status.st_size:x}", coding))))
    if coding:
        response.headers["Content-Encoding"] = coding
    response.make_conditional(environ, accept_ranges=True, complete_length=status.st_size)
    response.headers["Accept-Ranges"] = "bytes"  # older versions of werkzeug say so only where a range is asked for
    del response.headers["Date"]  # the server's to say
    return response


def _wrapper(environ: WSGIEnvironment, size: int, *, has_range: bool) -> Callable[[FileIO, int], Iterable[bytes]]:
    """Choose what reads a file: what the server offers, if that does."""
    wrapper: Callable[[FileIO, int], Iterable[bytes]] = environ.get("wsgi.file_wrapper", FileWrapper)
    if wrapper is Blocks:
        return Blocks if size > BLOCK else FileWrapper  # a single block needs no memory to be used again
    return FileWrapper if has_range else wrapper  # a server's would send the whole file, or cannot seek


def _is_for_bytes(environ: WSGIEnvironment) -> bool:
    """Tell whether a Range header counts (RFC 9110, section 14.2): one range; a server may ignore what is more."""
    if environ["REQUEST_METHOD"] != "GET" or not (match := _RANGE.fullmatch(environ["HTTP_RANGE"])):
        return False
    first, last = match["first"], match["last"]
    return not (first and last) or int(first) <= int(last)

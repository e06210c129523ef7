"""An open file as a WSGI response: all of it, a range of it, or that it has not changed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from http import HTTPStatus
from io import FileIO

from multiserve._types import StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.answers import Answer
from multiserve.mounts.static.conditions import Validators, check_preconditions, requested_range
from multiserve.mounts.static.files import FileFound
from multiserve.mounts.static.media_types import content_type

BLOCK = 256 * 1024  # bytes read at a time
REUSES_MEMORY = "multiserve.reuses_memory"
"""Where the environ says that the server has done with each block before it asks for the next."""

_CHANGED = Answer("412 Precondition Failed", "Precondition Failed: the file is another one by now.\n")


class FileShrankError(Exception):
    """A file became shorter while it was sent: the response cannot be completed, so the connection has to end."""


def respond(
    found: FileFound, environ: WSGIEnvironment, *, name: str, coding: str, headers: Iterable[tuple[str, str]] = ()
) -> WSGIApplication:
    """Return what answers a GET or HEAD with an open file, and closes it.

    Args:
        found: A file, not a folder.
        environ: The request.
        name: The name that tells the media type.
        coding: How the content is compressed; "" if it is not.
        headers: More headers of a response that has the file or says that it is unchanged.
    """
    size = found.status.st_size
    validators = _validators_of(found, coding)
    status = check_preconditions(environ, validators)
    if status == HTTPStatus.PRECONDITION_FAILED:
        found.close()
        return _CHANGED.wsgi
    lines = [("ETag", validators.etag), ("Accept-Ranges", "bytes"), *headers]
    if status == HTTPStatus.NOT_MODIFIED:
        found.close()
        return FileResponse(status, lines)
    part = requested_range(environ, validators, size)
    if part is not None and not part:
        found.close()
        return _beyond(size).wsgi
    if part is not None:
        status = HTTPStatus.PARTIAL_CONTENT
        lines.append(("Content-Range", f"bytes {part.start}-{part.stop - 1}/{size}"))
    else:
        part = range(size)
    lines += [("Content-Type", _with_charset(content_type(name))), ("Content-Length", str(len(part)))]
    lines.append(("Last-Modified", validators.last_modified))
    if coding:
        lines.append(("Content-Encoding", coding))
    return FileResponse(status, lines, found.file, part)


def _validators_of(found: FileFound, coding: str) -> Validators:
    status = found.status
    parts = [f"{status.st_mtime_ns:x}", f"{status.st_size:x}", *([coding] if coding else [])]
    # A clock that was wrong must not lead to a date of the future (RFC 9110, section 8.8.2.1), or to none at all.
    return Validators(f'"{"-".join(parts)}"', int(max(0, min(status.st_mtime, time.time()))))


def _beyond(size: int) -> Answer:
    text = "Range Not Satisfiable: the file has no such range.\n"
    return Answer("416 Range Not Satisfiable", text, ("Content-Range", f"bytes */{size}"))


def _with_charset(kind: str) -> str:
    is_text = kind.startswith("text/") or kind.endswith("+xml") or kind == "application/xml"
    return f"{kind}; charset=utf-8" if is_text else kind


class FileResponse:
    """A response with a part of an open file as its body."""

    def __init__(
        self, status: HTTPStatus, headers: list[tuple[str, str]], file: FileIO | None = None, part: range = range(0)
    ) -> None:
        """Respond with `part`, the positions of the bytes, of `file`, which is closed in the end."""
        self.status = status
        self.headers = headers
        self._file = file
        self._part = part

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application, once."""
        body = self._body(environ)
        start_response(f"{self.status.value} {self.status.phrase}", self.headers)
        return body

    def _body(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        if self._file is None:
            return []
        if environ["REQUEST_METHOD"] == "HEAD":
            self._file.close()
            return []
        blocks = Blocks(self._file, self._part, reuses_memory=bool(environ.get(REUSES_MEMORY)))
        if len(self._part) > BLOCK:
            return blocks
        try:  # at once: should there be less, the status can still say so
            return list(blocks)
        finally:
            blocks.close()


class Blocks:
    """The blocks of a part of a file, and exactly as many bytes as were promised."""

    def __init__(self, file: FileIO, part: range, *, reuses_memory: bool = False) -> None:
        """Read a part of a file.

        Args:
            file: The file.
            part: The positions of the bytes.
            reuses_memory: Each block is in the same memory, to be copied before the next one is asked for. What one
                thread allocates and another one frees, for each block anew, costs more than the reading itself.
        """
        self._file = file
        self._remaining = len(part)
        self._buffer = memoryview(bytearray(min(BLOCK, len(part)))) if reuses_memory and len(part) > BLOCK else None
        file.seek(part.start)

    def __iter__(self) -> Blocks:
        return self

    def __next__(self) -> bytes:
        """Return the next block.

        Raises:
            FileShrankError: The file ends before the part does.
        """
        if not self._remaining:
            raise StopIteration
        wanted = min(BLOCK, self._remaining)
        block: bytes | memoryview | None
        if self._buffer is None:
            block = self._file.read(wanted)
        else:
            block = self._buffer[: self._file.readinto(self._buffer[:wanted]) or 0]
        if not block:
            raise FileShrankError(f"a file became {self._remaining} bytes shorter while it was sent")
        self._remaining -= len(block)
        return block  # type: ignore[return-value]  # who asks for memory that is reused knows what comes

    def close(self) -> None:
        """Close the file."""
        self._file.close()

"""The body of a request as `wsgi.input`, read strictly (RFC 9112, sections 6 and 7.1) and without reading ahead."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

_PART = 65536  # bytes that are read at a time, however many an application or a client asks for
_LONGEST_LINE = 8190  # bytes of the line before a chunk, with its extensions, or of a trailer
_LONGEST_TRAILERS = 65536
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n")
_GONE = "the client has left before its request body was complete"


class BadBody(OSError):  # noqa: N818 (applications see it: the name says what is wrong)
    """The chunks of a request body are not what RFC 9112 says; the client gets 400."""


class ClientGone(ConnectionAbortedError):  # noqa: N818 (the same)
    """The client has left before its request body was complete."""


class RequestBody(io.BufferedIOBase):
    """A stream that ends where the body ends; an incomplete or malformed body raises at every read from there on.

    Attributes:
        fault: Why the body cannot be read to its end; None while it can.
    """

    def __init__(
        self, stream: io.BufferedIOBase, length: int | None, before: Callable[[], object] = lambda: None
    ) -> None:
        """Read from a buffered stream.

        Args:
            stream: What the client sends, from the first byte behind the head.
            length: The Content-Length; None if the body is chunked.
            before: What to do before the first read, such as to send `100 Continue`.
        """
        self._stream = stream
        self._left = length or 0  # bytes of the body, or of the chunk
        self._is_last = length is not None  # no chunk follows
        self._is_in_chunk = False
        self._before: Callable[[], object] | None = before
        self.fault: OSError | None = None

    @property
    def is_complete(self) -> bool:
        """Whether everything has been read that belongs to the body."""
        return self._is_last and not self._left

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Read `size` bytes, or as many as there are; all of them if it is negative or None."""
        return self._collect(self._stream.read1, size, until=None)

    def read1(self, size: int = -1) -> bytes:
        """Read what is there, at most `size` bytes; wait only if nothing is."""
        return self._take(self._stream.read1, size) if size else b""

    def readline(self, size: int | None = -1) -> bytes:
        """Read up to the end of the line, at most `size` bytes."""
        return self._collect(self._stream.readline, size, until=b"\n")

    def _collect(self, read: Callable[[int], bytes], size: int | None, *, until: bytes | None) -> bytes:
        data = bytearray()  # chunks of one byte would take forty times as much in a list
        most = -1 if size is None or size < 0 else size
        while len(data) != most and (part := self._take(read, most - len(data) if most >= 0 else -1)):
            data += part
            if until and part.endswith(until):
                break
        return bytes(data)

    def _take(self, read: Callable[[int], bytes], most: int) -> bytes:
        """Read a part of the body, of at most `most` bytes if that is not negative; empty at its end."""
        if self.fault:
            raise self.fault
        try:
            if not self._left and not self._is_last:
                self._prepare()
                self._begin_chunk()
            if not self._left:
                return b""
            self._prepare()
            data = read(min(self._left, _PART if most < 0 else most, _PART))
            if not data:
                raise ClientGone(_GONE)
        except OSError as error:
            self.fault = error
            raise
        self._left -= len(data)
        return data

    def _prepare(self) -> None:
        if self._before:
            before, self._before = self._before, None
            before()

    def _begin_chunk(self) -> None:
        """Read what is between two chunks: the end of the last one, and the size of the next one."""
        if self._is_in_chunk and self._read_line(2) != b"\r\n":
            raise BadBody("a chunk is longer than its size")
        match = _CHUNK_LINE.fullmatch(self._read_line(_LONGEST_LINE))
        if not match:
            raise BadBody("not the size of a chunk")
        self._is_in_chunk = True
        self._left = int(match[1], 16)
        if not self._left:
            self._skip_trailers()
            self._is_last = True

    def _skip_trailers(self) -> None:
        room = _LONGEST_TRAILERS
        while (line := self._read_line(_LONGEST_LINE)) != b"\r\n":
            room -= len(line)
            if room < 0:
                raise BadBody("the trailers are too long")
            if not _TRAILER.fullmatch(line):
                raise BadBody("not a trailer")

    def _read_line(self, longest: int) -> bytes:
        """Read a line with its end, or the first `longest` bytes of one that is longer."""
        line = self._stream.readline(longest)
        if len(line) < longest and not line.endswith(b"\n"):
            raise ClientGone(_GONE)
        return line

"""One request to an application in this process and its response, the same for WSGI and ASGI."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from multiserve._types import Scope
from multiserve.hosts import DEFAULT_PORTS
from multiserve.paths import SAFE_IN_PATH

_LARGEST = 1_000_000  # bytes that are read of a response
_ESCAPED = f"{SAFE_IN_PATH}%"  # what may stay in a path that is already escaped
_HERE = str(Path(__file__).parents[1])


@dataclass(slots=True)
class Received:
    """The response to one request, as far as it has been received.

    Attributes:
        status: None before there is one.
        headers: The names in lower case.
        body: At most the first megabyte.
        seconds: Until the response was complete.
        error: What the application raised, or a TimeoutError.
    """

    status: int | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    seconds: float = 0.0
    error: BaseException | None = None

    @property
    def is_large(self) -> bool:
        """Whether the body has reached the size limit."""
        return len(self.body) >= _LARGEST

    @property
    def is_failure(self) -> bool:
        """Whether the application says itself that it has failed (RFC 9110, section 15.6)."""
        return self.status is not None and self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def media_type(self) -> str:
        """That of its Content-Type, in lower case; "" if there is none."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def is_encoded(self) -> bool:
        """Whether the body is compressed."""
        return self.header("content-encoding").lower() not in ("", "identity")

    def header(self, name: str) -> str:
        """Return the first header with a name in lower case; "" if there is none."""
        return next((value for each, value in self.headers if each == name), "")


class Client(Protocol):
    """Sends requests to an application of one interface, WSGI or ASGI."""

    def ask(self, method: str, url: str, accept: str, seconds: float) -> Received:
        """Send one request and return what is received within the time limit; never raise."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class RoutedURL(NamedTuple):
    """A URL as the router sees it: the path is decoded, and spelt as WSGI does (PEP 3333)."""

    path: str
    host: str
    scheme: str


def routed_url(url: str) -> RoutedURL:
    """Split a whole URL."""
    parts = urlsplit(url)
    path = unquote_to_bytes((parts.path or "/").encode("utf-8", "replace")).decode("latin-1")
    return RoutedURL(path, parts.netloc, parts.scheme)


def build_scope(method: str, url: str, accept: str) -> Scope:
    """Build the scope of a request as a server at the origin of the URL would."""
    parts = urlsplit(url)
    raw_path = quote(parts.path or "/", safe=_ESCAPED)
    headers = {"host": parts.netloc, "accept": accept, "user-agent": "multiserve check"}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": unquote(raw_path),
        "raw_path": raw_path.encode(),
        "query_string": quote(parts.query, safe=f"{_ESCAPED}?").encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()],
        "client": ("127.0.0.1", 49152),
        "server": (parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme, 80)),
        "extensions": {},
        "state": {},
    }


def too_slow(seconds: float) -> TimeoutError:
    """Return the error for a response that is not complete in time."""
    return TimeoutError(f"the response was not complete after {seconds:g} seconds")


def describe_error(error: BaseException) -> str:
    """Describe what an application raised, with the last frame of it."""
    if isinstance(error.__cause__, (SystemExit, KeyboardInterrupt, asyncio.CancelledError)):
        error = error.__cause__  # the dispatcher replaced it by an error that does not end the event loop
    text = "".join(traceback.format_exception_only(error)).strip()
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or frames[-1].filename.startswith(_HERE):
        return str(error) or text
    last = frames[-1]
    return f"{text} ({last.filename}:{last.lineno}, in {last.name})"

"""What a proxied mount answers in place of its server, and what is logged, once for each time that the server fails."""

from __future__ import annotations

import logging
import os
import ssl

from multiserve.dispatch import pages
from multiserve.dispatch.answers import Answer

log = logging.getLogger("multiserve")

CONNECT_TIMEOUT = 5.0  # seconds: what takes longer to take a connection is not there
_REMEMBERED = 256
_HINT = "Start that server, or correct the target of the mount."
_FOOTER = "This page loads again when it answers."
_NO_STORE = ("Cache-Control", "no-store")


class UpstreamError(Exception):
    """The server did not answer.

    Attributes:
        is_late: Whether it only took too long.
    """

    def __init__(self, reason: str, *, is_late: bool = False) -> None:
        """Say why, as the end of a sentence whose subject is the server."""
        super().__init__(reason)
        self.is_late = is_late


def describe(error: OSError) -> UpstreamError:
    """Return why there is no response, where the system says so, as the end of a sentence about the server."""
    if isinstance(error, TimeoutError):
        return UpstreamError(f"took no connection within {CONNECT_TIMEOUT:.0f} seconds", is_late=True)
    if isinstance(error, ConnectionError):
        return UpstreamError("closed the connection without an answer")
    return UpstreamError(f"takes no connections: {reason_of(error)}")


def reason_of(error: OSError) -> str:
    """Return what the system says, without the address, which is named already."""
    is_numbered = error.errno and error.errno > 0 and not isinstance(error, ssl.SSLError)
    return os.strerror(error.errno) if is_numbered and error.errno else in_one_line(error)


def in_one_line(error: BaseException) -> str:
    """Return the text of an error, which may be long, in one line."""
    return " ".join(str(error).split())[:200]


class BrokenOffError(Exception):
    """The response ended before it was complete: whatever of it has left must not look whole."""


class Failures:
    """Makes the answers of one mount, and logs when its server begins to fail and when it answers again."""

    def __init__(self, name: str, *, details: bool) -> None:
        """Answer for a mount.

        Args:
            name: The mount, as its key spells it.
            details: Tell clients which server failed, and why.
        """
        self.name = name
        self.details = details
        self._failing: set[str] = set()  # the servers that have failed, as the log names them
        self._is_full = False

    def answer(self, server: str, error: UpstreamError) -> Answer:
        """Return the 502 or 504 for a request that a server has not answered (RFC 9110, sections 15.6.3 and 15.6.5)."""
        self._take_note(server, error)
        status = "504 Gateway Timeout" if error.is_late else "502 Bad Gateway"
        phrase = status.partition(" ")[2]
        how = "did not answer in time" if error.is_late else "did not answer"
        title = f"{phrase}: the server behind {self.name} {how}."
        if not self.details:
            return Answer(status, f"{title}\n", _NO_STORE)
        said = f"{server} {error}."
        page = pages.page(title, pages.paragraph(said), pages.hint(_HINT), footer=_FOOTER, waits=True)
        text = f"{title}\n\n{said}\n{_HINT}\n"
        return Answer(status, text, _NO_STORE, page=page, policy=pages.WAITING_POLICY)

    def _take_note(self, server: str, error: UpstreamError) -> None:
        """Log a failure unless it is known; where clients make up names, only the first ones are logged."""
        if server in self._failing:
            return
        if len(self._failing) < _REMEMBERED:
            self._failing.add(server)
            log.error("%s: %s %s.", self.name, server, error)
        elif not self._is_full:
            self._is_full = True
            log.error("%s: more than %d servers do not answer; no others are named.", self.name, _REMEMBERED)

    def has_answered(self, server: str) -> None:
        """Take note that a server has answered."""
        if self._failing and server in self._failing:
            self._failing.discard(server)
            self._is_full = False
            log.info("%s: %s answers again.", self.name, server)


def bad_host() -> Answer:
    """Return the answer to a request whose Host header is none (RFC 9112, section 3.2)."""
    return Answer("400 Bad Request", "Bad Request: the Host header is not a host.\n")


def leaves_base() -> Answer:
    """Return the answer to a path with dot segments where the target has a path of its own, which they could leave."""
    return Answer("400 Bad Request", "Bad Request: the path has dot segments.\n")


def loop(name: str) -> Answer:
    """Return the answer to a request that has come back to where it was (RFC 5842, section 7.2)."""
    text = f"Loop Detected: {name} hands requests on to itself.\n"
    return Answer("508 Loop Detected", text, _NO_STORE)

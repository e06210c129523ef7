"""Entries that redirect to another path or URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from multiserve.config.kinds.mount import Entry, Mount
from multiserve.config.tables import option
from multiserve.config.targets import TargetProblem
from multiserve.hosts import normalise_host


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectMount(Mount):
    """A redirect, which keeps the rest of the path and the query."""

    kind = "redirect"
    given = "redirect"
    noun = "a redirect"
    example = '{ redirect = "/path" }'
    help = "The path, or the URL, to which the rest of the path and the query are appended."
    status: int = option(308, help="The status of the redirect.", choices=(301, 302, 303, 307, 308))

    @classmethod
    def read_entry(cls, entry: Entry) -> Self | None:
        """Read a redirect; None without a key or without a target."""
        text = entry.text()
        mount = entry.read(cls, what=text)
        entry.parse(check_redirect, text)
        return mount if entry.key and text is not None else None


def check_redirect(text: str) -> None:
    """Check the target of a redirect.

    Raises:
        TargetProblem: It is neither an absolute path nor an absolute URL.
    """
    shape = 'Write "/path" or "https://example.com/path".'
    if "?" in text or "#" in text:
        raise TargetProblem("a redirect keeps the query of the request, and has none of its own", shape)
    if "{" in text or "}" in text:
        raise TargetProblem("a redirect has no placeholders", shape)
    if not text.isprintable() or " " in text or "\\" in text:
        raise TargetProblem("a redirect has no spaces, backslashes or control characters", shape)
    if text.startswith("/") and not text.startswith("//"):
        return
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise TargetProblem(f"not a URL: {error}", shape) from None
    if parts.scheme in ("http", "https") and not parts.netloc.isascii():
        raise TargetProblem(f'"{parts.netloc}" is not as browsers send it', 'Write the host in its "xn--" form.')
    if parts.scheme in ("http", "https") and "@" in parts.netloc:
        raise TargetProblem("a redirect has no user", shape)
    if parts.scheme not in ("http", "https") or normalise_host(parts.netloc) is None:
        raise TargetProblem(f'"{text}" is neither a path nor a URL', shape)

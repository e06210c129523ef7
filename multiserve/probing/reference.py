"""One URL that a response, or a document that it needs, refers to."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias
from urllib.parse import urljoin

Part: TypeAlias = Literal["location", "link", "asset", "form", "request", "scope"]


class Reference(NamedTuple):
    """One URL that a response refers to.

    Attributes:
        kind: What a browser does with it; it asks for nothing at a scope.
        what: What has it, in words.
        url: As the page spells it.
        target: The same as a whole URL.
        method: What a browser asks it with; WEBSOCKET for a WebSocket.
        seen_at: The document that has it, if that is not the page.
    """

    kind: Part
    what: str
    url: str
    target: str
    method: str = "GET"
    seen_at: str = ""


def join(base: str, url: str) -> str:
    """Return a whole HTTP URL without its fragment; "" for any other URL."""
    try:
        whole = urljoin(base, url.strip()).partition("#")[0]
    except ValueError:
        return ""
    return whole if whole.startswith(("http://", "https://")) else ""

"""How a request travels between two processes of ours: its whole scope in one header.

What arrives is what came in, to the byte: the path as it was escaped, the headers in their order, the true client. Only
the framing of the body is that of the connection between the two.
"""

from __future__ import annotations

import json
from typing import Any

from multiserve._types import Scope

HEADER = "multiserve-scope"
_PIECE = 8000  # bytes of a header; servers take a little more

_TEXTS = ("http_version", "path", "scheme")
_LISTS = ("client", "server")
_BYTES = ("query_string", "raw_path")


def pack(scope: Scope, root_path: str) -> list[tuple[str, str]]:
    """Return the scope of a request or a WebSocket (ASGI 3.0) as headers in ASCII: one, or more where it is long.

    Args:
        scope: The scope, as it is for the application of a mount.
        root_path: What `root_path` was before it grew by the prefix of the mount.
    """
    packed: dict[str, Any] = {name: scope[name] for name in (*_TEXTS, *_LISTS) if name in scope}
    packed |= {name: scope[name].decode("latin-1") for name in _BYTES if scope.get(name) is not None}
    packed["root_path"] = root_path
    packed["headers"] = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    text = json.dumps(packed, separators=(",", ":"))
    if len(text) <= _PIECE:
        return [(HEADER, text)]
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    return [(f"{HEADER}-{number}" if number else HEADER, piece) for number, piece in enumerate(pieces)]


def unpack(text: str) -> Scope:
    """Return the part of a scope that `pack` has made headers of, whose values are put together again.

    Raises:
        ValueError: It has not.
    """
    packed: Scope = json.loads(text)
    for name in _BYTES:
        if name in packed:
            packed[name] = packed[name].encode("latin-1")
    for name in _LISTS:
        if packed.get(name) is not None:
            packed[name] = tuple(packed[name])
    packed["headers"] = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in packed["headers"]]
    return packed

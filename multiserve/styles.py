"""Roles of the parts of a text for a terminal; the code that prints it chooses their colours."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["good", "bad", "warning", "note", "strong", "faint", "link"]
Paint: TypeAlias = Callable[[str, Role], str]

_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;]*m")


def plain(text: str, role: Role) -> str:
    """Return the text as it is, whatever its role."""
    del role
    return text


def visible_length(text: str) -> int:
    """Return how many characters of a painted text a terminal shows."""
    return len(_ESCAPE_SEQUENCE.sub("", text))

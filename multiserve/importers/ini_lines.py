"""The lines of an INI file, with their numbers, which the reader of the standard library does not keep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class Entry:
    """One `key = value`."""

    section: str
    key: str
    value: str
    line: int

    @property
    def what(self) -> str:
        """The entry as the file has it, short enough for one line."""
        text = f"{self.key} = {' '.join(self.value.split())}"
        return text if len(text) <= 100 else f"{text[:97]}..."  # noqa: PLR2004 (what fits in a line)


def read_entries(text: str, delimiters: str = "=", *, continued: bool = True) -> Iterator[Entry]:
    """Iterate over the entries of all sections, in the order of the file.

    Args:
        text: What the file says.
        delimiters: The characters that may stand between key and value.
        continued: Whether an indented line goes on with the value of the line above.
    """
    section, entry = "", None
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        if header := re.fullmatch(r"\[(.+)\]", stripped):
            if entry:
                yield entry
            section, entry = header[1].strip(), None
        elif continued and entry and line[0].isspace():
            entry.value = f"{entry.value}\n{stripped}".strip()
        else:
            if entry:
                yield entry
            parts = re.split(f"[{delimiters}]", stripped, maxsplit=1)
            entry = Entry(section, parts[0].strip(), parts[1].strip() if len(parts) > 1 else "", number)
    if entry:
        yield entry

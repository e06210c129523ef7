"""One line of a file as messages show it: with its number, and with a caret below what is meant."""

from __future__ import annotations

_WIDEST = 100  # characters that fit into a terminal beside the number


def excerpt(line: str, number: int, column: int | None = None) -> str:
    """Show a line; what does not fit is cut off, and what cannot be printed is replaced.

    Args:
        line: The line, without its end.
        number: Its number in the file.
        column: The column to point at, from 1 on; None for none.
    """
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line.replace("\t", " "))
    start = max(0, column - _WIDEST // 2) if column and len(shown) > _WIDEST else 0
    text = f"{number} | {shown[start : start + _WIDEST]}".rstrip()
    if column is None:
        return text
    return f"{text}\n{' ' * len(str(number))} | {' ' * (column - 1 - start)}^"

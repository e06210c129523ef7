"""What is too long to be read: cut in its middle, or its first line alone."""

from __future__ import annotations

import re

_LONGEST_WORD = 200
_LONGEST_TEXT = 2000
_WORD = re.compile(r"[^\s/]{%d,}" % (_LONGEST_WORD + 1))  # noqa: UP031 (braces are those of the pattern)


def shorten(text: str, length: int = _LONGEST_WORD) -> str:
    """Return a text of at most `length` characters, an ellipsis in place of what is cut out of its middle."""
    if len(text) <= length:
        return text
    end = (length - 1) // 2
    return f"{text[: length - 1 - end]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - end :]}"


def shorten_words(text: str) -> str:
    """Return a message in which no word has more than 200 characters, and which has no more than 2000 itself.

    The names in a path are words, so that a path that can exist is never cut.
    """
    return shorten(_WORD.sub(lambda word: shorten(word[0]), text), _LONGEST_TEXT)


def first_line(text: str) -> str:
    """Return the first line of a text that has anything in it; empty if none has."""
    return next((line for line in text.splitlines() if line.strip()), "")

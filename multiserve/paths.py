"""Paths as URLs, WSGI and ASGI spell them."""

from __future__ import annotations

SAFE_IN_PATH = "/:@!$&'()*+,;=~"
"""What a path may have unescaped beside letters, digits, and what `quote` never escapes (RFC 3986, section 3.3)."""


def to_wsgi(text: str, errors: str = "strict") -> str:
    """Spell a text as WSGI does (PEP 3333): one character for each byte of its UTF-8 form.

    Args:
        text: The text, such as the path of an ASGI scope.
        errors: What becomes of characters that have no UTF-8 form, as for `str.encode`.
    """
    return text if text.isascii() else text.encode("utf-8", errors).decode("latin-1")


def from_wsgi(text: str, errors: str = "strict") -> str:
    """Return the text that a string of WSGI stands for (PEP 3333).

    Args:
        text: A string with one character for each byte.
        errors: What becomes of bytes that are not UTF-8, as for `bytes.decode`.
    """
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", errors)

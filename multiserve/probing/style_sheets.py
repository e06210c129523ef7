"""What a style sheet refers to: the files in url(), and the style sheets that it imports."""

from __future__ import annotations

import re
from collections.abc import Iterator

from multiserve.probing.reference import Reference

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_URL = re.compile(r"""(?P<imported>@import\s+)?url\(\s*(["']?)(?P<url>[^"'()\s]+)\2\s*\)""", re.IGNORECASE)
_IMPORT = re.compile(r"""@import\s+(["'])(?P<url>[^"']+)\1""", re.IGNORECASE)
_NO_FILE = ("data:", "#", "about:", "blob:")


def read_style_sheet(text: str) -> Iterator[Reference]:
    """Find the URLs of a style sheet, without their targets."""
    text = _COMMENT.sub("", text)
    for match in _URL.finditer(text):
        if not match["url"].lower().startswith(_NO_FILE):
            what = "the style sheet" if match["imported"] else "the file of a style sheet"
            yield Reference("asset", what, match["url"], "")
    for match in _IMPORT.finditer(text):
        yield Reference("asset", "the style sheet", match["url"], "")

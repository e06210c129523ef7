"""Media types by the names of files, the same on every system and version of Python."""

from __future__ import annotations

import os
from mimetypes import MimeTypes

# What Python does not know in each version, or calls by another name than RFC 9239; system files have no say.
_TYPES = MimeTypes().types_map[True] | {
    ".7z": "application/x-7z-compressed",
    ".avif": "image/avif",
    ".bz2": "application/x-bzip2",
    ".cjs": "text/javascript",
    ".flac": "audio/flac",
    ".geojson": "application/geo+json",
    ".gz": "application/gzip",
    ".ico": "image/vnd.microsoft.icon",
    ".ics": "text/calendar",
    ".js": "text/javascript",
    ".jsonld": "application/ld+json",
    ".jxl": "image/jxl",
    ".m4a": "audio/mp4",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".otf": "font/otf",
    ".rss": "application/rss+xml",
    ".tgz": "application/gzip",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xhtml": "application/xhtml+xml",
    ".xz": "application/x-xz",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zst": "application/zstd",
}
_PAGES = ("text/html", "application/xhtml+xml")


def content_type(name: str) -> str:
    """Return the media type of a file by its name; a compressed file is an archive like any other."""
    return _TYPES.get(os.path.splitext(name)[1].lower(), "application/octet-stream")  # noqa: PTH122


def is_asset(name: str) -> bool:
    """Return whether a name is clearly that of a file which is no page."""
    return _TYPES.get(os.path.splitext(name)[1].lower(), _PAGES[0]) not in _PAGES  # noqa: PTH122

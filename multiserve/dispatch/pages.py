"""HTML pages for a developer. They load nothing else, and their Content-Security-Policy forbids it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from urllib.parse import quote

_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 60rem; margin: 3rem auto; padding: 0 1.5rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; }
p, li { overflow-wrap: anywhere; }
pre, code { font: .875rem/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid #8888; border-radius: .5rem; background: #8881; }
.hint { padding-left: 1rem; border-left: .25rem solid #d80; white-space: pre-line; }
footer { margin-top: 2rem; opacity: .7; }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of every page: what the page itself brings, and nothing besides."""


def page(title: str, *parts: str, footer: str = "") -> str:
    """Return a page with a title, parts that are HTML already, and a footer."""
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>{escape(title)}</h1>",
            *parts,
            *([f"<footer>{escape(footer)}</footer>"] if footer else []),
            "</body>\n</html>\n",
        ]
    )


def paragraph(text: str) -> str:
    """Return a text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def hint(text: str) -> str:
    """Return a text as a paragraph that stands out, for what the reader should do."""
    return f'<p class="hint">{escape(text)}</p>'


def listing(text: str) -> str:
    """Return a text as preformatted, such as a traceback."""
    return f"<pre>{escape(text)}</pre>"


def links(names: Iterable[str]) -> str:
    """Return a list of mounts by name; a mount with one URL on every host is a link."""
    return "\n".join(["<ul>", *(f"<li>{_link(name)}</li>" for name in names), "</ul>"])


def entries(rows: Iterable[tuple[str, str, str]]) -> str:
    """Return a list of names, each with its URL and a note; a name without a URL is no link."""
    return "\n".join(["<ul>", *(_entry(*row) for row in rows), "</ul>"])


def _entry(name: str, url: str, note: str) -> str:
    text = f'<a href="{escape(url)}">{escape(name)}</a>' if url else escape(name)
    return f"<li>{text}{hint(note) if note else ''}</li>"


def _link(name: str) -> str:
    text = f"<code>{escape(name)}</code>"
    if not name.startswith("/") or "{" in name:
        return text
    return f'<a href="{quote(name.rstrip("/"))}/">{text}</a>'

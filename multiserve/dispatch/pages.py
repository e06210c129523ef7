"""HTML pages that load nothing but themselves; their Content-Security-Policy forbids everything else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape

_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 60rem; margin: 3rem auto; padding: 0 1.5rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; }
p, li { overflow-wrap: anywhere; }
pre, code { font: .875rem/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid #8888; border-radius: .5rem; background: #8881; }
.hint { padding-left: 1rem; border-left: .25rem solid #d80; white-space: pre-line; }
td, th { padding: .125rem 1.5rem .125rem 0; text-align: left; overflow-wrap: anywhere; }
footer { margin-top: 2rem; opacity: .7; }
"""
WAITS_HEADER = "X-Multiserve-Waits"
"""What a page says when it asks whether its mount is back, so that the answers that it is not need no line in a log."""

WAITING_STATUSES = (502, 503, 504)
"""What the mount of such a page answers until it is back."""

# Loads the page anew when the answer to its URL is no longer what it was. The first text may be newer than the page.
_SCRIPT = f"""
let before;
async function look() {{
  try {{
    const headers = {{"{WAITS_HEADER}": "1", "Accept": "text/html"}};
    const answer = await fetch(location.href, {{cache: "no-store", redirect: "manual", headers}});
    const text = {list(WAITING_STATUSES)}.includes(answer.status) ? await answer.text() : null;
    if (text === null || (before !== undefined && before !== text)) return location.reload();
    before = text;
  }} catch {{ /* the server is about to start */ }}
  setTimeout(look, 1000);
}}
look();
"""


def source_of(text: str) -> str:
    """Return the source by which a Content-Security-Policy allows a style or a script inside of a page (CSP 3)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_OTHERS = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

POLICY = f"default-src 'none'; style-src {source_of(_STYLE)}; {_OTHERS}"
"""The Content-Security-Policy of a page: what the page itself brings, and nothing besides."""

_WAITING = f"script-src {source_of(_SCRIPT)}; connect-src 'self'"
WAITING_POLICY = f"default-src 'none'; style-src {source_of(_STYLE)}; {_WAITING}; {_OTHERS}"
"""The Content-Security-Policy of a page that waits for its mount."""


def page(title: str, *parts: str, footer: str = "", waits: bool = False) -> str:
    """Return a page with a title, parts that are HTML already, and a footer.

    Args:
        title: The title, as text.
        parts: What is below it, as HTML.
        footer: The last paragraph, as text.
        waits: Whether the page loads again as soon as the answer to its URL is another one.
    """
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<h1>{escape(title)}</h1>",
            *parts,
            *([f"<footer>{escape(footer)}</footer>"] if footer else []),
            *([f"<script>{_SCRIPT}</script>"] if waits else []),
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


def table(mounts: Iterable[tuple[str, str, str, str]]) -> str:
    """Return a table of mounts, given the URL of each, or "" where there is not one, its name, target and state."""
    rows = (
        f"<tr><td>{_link(url, name)}</td><td><code>{escape(target)}</code></td><td>{escape(state)}</td></tr>"
        for url, name, target, state in mounts
    )
    return "\n".join(["<table>", "<tr><th>Mount</th><th>Target</th><th>State</th></tr>", *rows, "</table>"])


def entries(rows: Iterable[tuple[str, str, str]]) -> str:
    """Return a list of names, each with its URL and a note; a name without a URL is no link."""
    return "\n".join(["<ul>", *(_entry(*row) for row in rows), "</ul>"])


def _entry(name: str, url: str, note: str) -> str:
    text = f'<a href="{escape(url)}">{escape(name)}</a>' if url else escape(name)
    return f"<li>{text}{hint(note) if note else ''}</li>"


def _link(url: str, name: str) -> str:
    text = f"<code>{escape(name)}</code>"
    return f'<a href="{escape(url)}">{text}</a>' if url else text

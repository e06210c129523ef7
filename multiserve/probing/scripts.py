"""What a script asks for: the paths that it hands to fetch, WebSocket and the like, as far as they are literals.

A literal that something else is put in front of is not looked at: that may be the prefix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from multiserve.probing.reference import Part, Reference

_LITERAL = r"""(["'`])(?P<url>/(?![/*])[^"'`\s\\<>]*)\1(?P<more>\s*\+(?!\+))?"""
_HOST = r"(?:window\.|document\.|self\.)?location\.host"


class _Call(NamedTuple):
    word: str  # without it, a text need not be searched
    pattern: re.Pattern[str]
    what: str
    kind: Part
    method: str = "GET"


def _call(word: str, before: str, what: str, kind: Part = "request", method: str = "GET") -> _Call:
    return _Call(word, re.compile(before + r"\s*" + _LITERAL), what, kind, method)


_CALLS = (
    _call("fetch(", r"(?<![\w$.])(?:(?:window|self|globalThis)\.)?fetch\(", "the URL of fetch"),
    _call("EventSource(", r"(?<![\w$.])new\s+(?:window\.)?EventSource\(", "the URL of EventSource"),
    _call("WebSocket(", r"(?<![\w$.])new\s+(?:window\.)?WebSocket\(", "the URL of WebSocket", method="WEBSOCKET"),
    _call(
        "location.host",
        r"(?<![\w$])wss?://[\"']\s*\+\s*" + _HOST + r"\s*\+",
        "the URL of WebSocket",
        method="WEBSOCKET",
    ),
    _call("axios", r"(?<![\w$.])axios(?:\.(?:get|post|put|patch|delete|head))?\(", "the URL of axios"),
    _call("$.", r"(?<![\w$.])\$\.(?:get|getJSON|post)\(", "the URL of jQuery"),
    _call(".open(", r"\.open\(\s*[\"'](?:GET|POST|PUT|PATCH|DELETE)[\"']\s*,", "the URL of XMLHttpRequest"),
    _call(
        "SwaggerUIBundle",
        r"SwaggerUIBundle\(\s*\{\s*(?:[\w$]+\s*:\s*[\"'][^\"']*[\"']\s*,\s*)?[\"']?url[\"']?\s*:",
        "the API",
    ),
    _call("serviceWorker", r"\bserviceWorker\s*\.register\(", "the service worker", "asset"),
    _call(
        "serviceWorker",
        r"\bserviceWorker\s*\.register\([^()]{0,200}?\bscope[\"']?\s*:",
        "the scope of the service worker",
        "scope",
    ),
    _call("import(", r"(?<![\w$.])import\(", "the script", "asset"),
    _call("", r"(?<![\w$.])(?:import|from)(?=\s*[\"'])", "the script", "asset"),
    _call("location", r"(?<![\w$.-])(?:(?:window|document|self)\.)?location(?:\.href)?\s*=(?!=)", "the link", "link"),
    _call(
        "location.", r"(?<![\w$.-])(?:(?:window|document|self)\.)?location\.(?:assign|replace)\(", "the link", "link"
    ),
)
_TEMPLATE = re.compile(r"`(wss?|https?)?[^`\s]{0,40}\$\{" + _HOST + r"\}(?P<url>/[^`\s\\<>]*)`")
_INSERTED = re.compile(r"\$\{[^{}]*\}")

# Where a script puts a prefix in front of all that it asks for: what then counts for nothing.
_PREFIXES = {
    "the URL of axios": re.compile(r"\bbaseURL\b"),
    "the URL of fetch": re.compile(r"(?<![\w$])fetch\s*=(?!=)|\bfunction\s+fetch\b"),
    "the URL of jQuery": re.compile(r"\$\.ajax(?:Prefilter|Setup)\("),
    "the URL of XMLHttpRequest": re.compile(r"XMLHttpRequest\.prototype\.open\s*="),
    "the URL of htmx": re.compile(r"[\"']htmx:configRequest[\"']\s*,\s*(?:function|\(|async|\w+\s*=>)"),
}


def read_script(text: str) -> Iterator[Reference]:
    """Find the absolute paths that a script asks for, without their targets."""
    for call in _CALLS:
        for match in call.pattern.finditer(text) if call.word in text else ():
            url = match["url"] + ("${}" if match["more"] else "")
            yield Reference(call.kind, call.what, url, "", call.method)
    for match in _TEMPLATE.finditer(text):
        is_websocket = (match[1] or "ws").startswith("ws")
        what = "the URL of WebSocket" if is_websocket else "the URL of a script"
        yield Reference("request", what, match["url"], "", "WEBSOCKET" if is_websocket else "GET")


def example_of(url: str) -> str:
    """Return a URL that a template literal may become."""
    return _INSERTED.sub("1", url)


def find_prefixing(text: str) -> Iterator[str]:
    """Find what of the requests of a page gets a prefix by a script, as `Reference.what` calls it."""
    for what, pattern in _PREFIXES.items():
        if pattern.search(text):
            yield what

"""What a page refers to: its links, assets, forms and requests, those of its scripts and styles, and its cookies."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple

from multiserve.probing.reference import Reference, join
from multiserve.probing.scripts import example_of, read_script
from multiserve.probing.style_sheets import read_style_sheet


class SetCookie(NamedTuple):
    """A cookie that a response sets under a path of its own choice."""

    name: str
    path: str


_ASSETS = {
    ("audio", "src"): "the sound",
    ("embed", "src"): "the embedded file",
    ("img", "src"): "the image",
    ("img", "srcset"): "the image",
    ("input", "src"): "the image",
    ("script", "src"): "the script",
    ("source", "src"): "the file",
    ("source", "srcset"): "the image",
    ("video", "poster"): "the image",
    ("video", "src"): "the film",
}
MANIFEST = "the manifest"
_LINKED_ASSETS = {"stylesheet": "the style sheet", "modulepreload": "the script", "manifest": MANIFEST}
_LINKED_ASSETS |= dict.fromkeys(("apple-touch-icon", "icon", "preload"), "the file")
_REFRESH = re.compile(r"\s*[0-9.]*\s*[;,]?\s*url\s*=\s*(.*)", re.IGNORECASE | re.DOTALL)
_SCRIPTS = ("", "module", "text/javascript", "application/javascript")
_HTMX = {f"hx-{name}": name.upper() for name in ("get", "post", "put", "patch", "delete")}
_HTMX |= {"sse-connect": "GET", "ws-connect": "WEBSOCKET"}
NO_URL = re.compile(r"[{}<>\\]")  # placeholders that a script in the browser fills in


def read_page(html: str, url: str) -> list[Reference]:
    """Read what a page refers to over HTTP, each URL once for each kind."""
    parser = _Parser()
    with contextlib.suppress(AssertionError):  # raised by html.parser for some malformed declarations
        parser.feed(html)
        parser.close()
    base = join(url, parser.base) or url
    found: dict[tuple[str, str], Reference] = {}
    for each in parser.found:
        url = example_of(each.url) if each.kind == "request" else each.url
        if each.url and not NO_URL.search(url) and (target := join(base, url)):
            found.setdefault((each.kind, target), each._replace(target=target))
    return list(found.values())


def read_location(location: str, url: str) -> Reference | None:
    """Read the Location of a redirect; None if it is not an HTTP URL."""
    target = join(url, location)
    return Reference("location", "Location", location, target) if location and target else None


def read_refresh(value: str) -> str:
    """Return the URL of a Refresh, in a header or a page; "" if it has none."""
    match = _REFRESH.match(value)
    return match[1].strip("\"' \t\r\n") if match else ""


def read_cookie(header: str) -> SetCookie | None:
    """Read a Set-Cookie header (RFC 6265, section 5.2); None without a path of its own, or if it deletes the cookie."""
    pair, *attributes = header.split(";")
    known = {
        name.strip().lower(): value.strip() for name, _, value in (attribute.partition("=") for attribute in attributes)
    }
    name, equals, value = pair.partition("=")
    path = known.get("path", "")
    is_deleted = known.get("max-age", "").startswith(("0", "-")) or not value.strip(' "')
    if not (equals and path.startswith("/")) or is_deleted:
        return None
    return SetCookie(name.strip(), path)


class _Parser(HTMLParser):
    """Collects the URLs of a page and what they are for."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.found: list[Reference] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag == "base":
            self.base = self.base or known.get("href", "")
        self.found += _references(tag, known)
        self.found += read_style_sheet(known.get("style", ""))
        is_script = tag == "script" and known.get("type", "").lower() in _SCRIPTS
        self._inside = "script" if is_script else "style" if tag == "style" else ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.found += read_script(data)
        elif self._inside == "style":
            self.found += read_style_sheet(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside


def _references(tag: str, known: dict[str, str]) -> Iterator[Reference]:
    yield from _assets(tag, known)
    if tag in ("a", "area"):
        yield Reference("link", "the link", known.get("href", ""), "")
    elif tag in ("iframe", "frame"):
        yield Reference("link", "the frame", known.get("src", ""), "")
    elif tag == "form":
        yield from _form(known.get("action", ""), known.get("method", "get"))
    elif tag in ("button", "input"):
        yield from _form(known.get("formaction", ""), known.get("formmethod", "post"))
    elif tag == "meta" and known.get("http-equiv", "").lower() == "refresh":
        yield Reference("location", "the refresh", read_refresh(known.get("content", "")), "")
    yield from _requests(tag, known)


def _requests(tag: str, known: dict[str, str]) -> Iterator[Reference]:
    """Find what htmx asks for, and the description of an API that a page shows."""
    for name, method in _HTMX.items():
        if url := known.get(name) or known.get(f"data-{name}"):
            yield Reference("request", "the URL of htmx", url, "", method)
    if tag == "redoc" and "spec-url" in known:
        yield Reference("request", "the API", known["spec-url"], "")


def _form(action: str, method: str) -> Iterator[Reference]:
    if method.lower() != "dialog":  # which sends nothing
        yield Reference("form", "the form", action, "", "POST" if method.lower() == "post" else "GET")


def _assets(tag: str, known: dict[str, str]) -> Iterator[Reference]:
    for (element, name), what in _ASSETS.items():
        if tag == element and name in known:
            urls = _candidates(known[name]) if name == "srcset" else [known[name]]
            yield from (Reference("asset", what, url, "") for url in urls)
    if tag == "link":
        kinds = known.get("rel", "").lower().split()
        what = next((_LINKED_ASSETS[kind] for kind in kinds if kind in _LINKED_ASSETS), "")
        yield from [Reference("asset", what, known.get("href", ""), "")] if what else []


def _candidates(srcset: str) -> list[str]:
    return [part.split()[0] for part in re.split(r",\s+", srcset.strip(" ,")) if part.split()]

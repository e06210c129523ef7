"""All that a response refers to: in its headers, its page, and the scripts and style sheets that the page needs."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from types import MappingProxyType

from multiserve.loading.mounts import LoadedMount
from multiserve.probing.exchange import Received
from multiserve.probing.json_documents import read_manifest, read_openapi
from multiserve.probing.pages import NO_URL, read_location, read_page, read_refresh
from multiserve.probing.reference import Reference, join
from multiserve.probing.scripts import example_of, find_prefixing, read_script
from multiserve.probing.site import Composed
from multiserve.probing.style_sheets import read_style_sheet

_MOST_DOCUMENTS = 12  # for each mount
_MOST_TEXT = 2_000_000  # characters of all documents of a mount, which take about a second
_READERS: MappingProxyType[str, Callable[[str], Iterable[Reference]]] = MappingProxyType(
    {
        "the script": read_script,
        "the service worker": read_script,
        "the style sheet": read_style_sheet,
        "the manifest": read_manifest,
        "the API": read_openapi,
    }
)
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_RELATION = re.compile(r"""\brel\s*=\s*["']?([\w -]+)""", re.IGNORECASE)
_LOADED = ("icon", "manifest", "modulepreload", "preload", "stylesheet")


class References:
    """Reads responses and, once for each mount, the documents that their pages need."""

    def __init__(self, composed: Composed) -> None:
        """Read nothing yet."""
        self._composed = composed
        self._documents: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def of(self, loaded: LoadedMount, url: str, received: Received) -> list[Reference]:
        """Return what a response of a mount refers to, each URL once for each kind.

        Args:
            loaded: The mount.
            url: The requested URL.
            received: The response.
        """
        found = list(_of_headers(received, url))
        if is_page(received):
            html = received.body.decode(_charset(received), "replace")
            page = read_page(html, url)
            texts, more = self._of_documents(loaded, url, page)
            prefixed = {what for text in (html, *texts) for what in find_prefixing(text)}
            found += [each for each in (*page, *more) if each.what not in prefixed]
        first: dict[tuple[str, str], Reference] = {}
        for each in found:
            first.setdefault((each.what if each.kind == "scope" else each.kind, each.target), each)
        return list(first.values())

    def _of_documents(
        self, loaded: LoadedMount, page: str, references: Iterable[Reference]
    ) -> tuple[list[str], list[Reference]]:
        """Read the documents of a mount that a page needs, and what they need, and return texts and references."""
        pending = deque(references)
        texts: list[str] = []
        found: list[Reference] = []
        seen: set[str] = set()
        while pending:
            reference = pending.popleft()
            read = _READERS.get(reference.what)
            if read is None or reference.target in seen or self._composed.mount_at(reference.target) is not loaded:
                continue
            seen.add(reference.target)
            text = self._text_of(loaded, reference.target)
            texts.append(text)
            base = page if read is read_script else reference.target
            for each in read(text):
                url = example_of(each.url) if each.kind == "request" else each.url
                if not NO_URL.search(url) and (target := join(base, url)):
                    found.append(each._replace(target=target, seen_at=reference.target))
                    pending.append(found[-1])
        return texts, found

    def _text_of(self, loaded: LoadedMount, url: str) -> str:
        """Return a document, which is requested once; "" beyond the most that are read of a mount."""
        known = self._documents[loaded.mount.name]
        if url not in known:
            if len(known) >= _MOST_DOCUMENTS or sum(map(len, known.values())) >= _MOST_TEXT:
                return ""
            received = self._composed.ask("GET", url, "*/*")
            is_text = received.status == HTTPStatus.OK and not received.is_encoded and not is_page(received)
            known[url] = received.body.decode("utf-8", "replace") if is_text else ""
        return known[url]


def redirect_of(received: Received, url: str) -> Reference | None:
    """Return the target of a redirect; None for any other response."""
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= (received.status or 0) < HTTPStatus.BAD_REQUEST
    return read_location(received.header("location"), url) if is_redirect else None


def is_page(received: Received) -> bool:
    """Return whether a response is an uncompressed HTML page of the application, not the page of a debugger."""
    is_html = received.media_type in ("text/html", "application/xhtml+xml")
    return is_html and not received.is_encoded and not received.is_failure


def _of_headers(received: Received, url: str) -> Iterator[Reference]:
    if location := redirect_of(received, url):
        yield location
    if (refresh := read_refresh(received.header("refresh"))) and (target := join(url, refresh)):
        yield Reference("location", "Refresh", refresh, target)
    for name, value in received.headers:
        for match in _LINK.finditer(value) if name == "link" else ():
            relations = _RELATION.search(match[2])
            is_loaded = any(each in _LOADED for each in (relations[1] if relations else "").lower().split())
            if target := join(url, match[1]):
                yield Reference("asset" if is_loaded else "link", "Link", match[1], target)


def _charset(received: Received) -> str:
    name = received.header("content-type").lower().partition("charset=")[2].strip("\"' ")
    try:
        "".encode(name or "utf-8")
    except (LookupError, ValueError):
        return "utf-8"
    return name or "utf-8"

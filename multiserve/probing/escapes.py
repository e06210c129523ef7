"""The URLs and cookies of a response that leave its mount, and whether that is a mistake on this origin.

A false alarm is worse than a missed mistake: a URL that another mount answers counts as intended, unless the
application has the same path itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus
from itertools import takewhile
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from multiserve.config.mounts import AppMount, RedirectMount
from multiserve.findings import Finding, Severity
from multiserve.frameworks import distinct_name
from multiserve.loading.mounts import LoadedMount
from multiserve.probing.exchange import Received, routed_url
from multiserve.probing.pages import MANIFEST, Reference, SetCookie, read_cookie, read_location, read_page
from multiserve.probing.site import Composed, Existence, is_below
from multiserve.probing.topics import PROBED

_TOPICS = {
    "location": PROBED["MS201"],
    "form": PROBED["MS202"],
    "link": PROBED["MS203"],
    "asset": PROBED["MS204"],
}


class Visit(NamedTuple):
    """A response of a mount."""

    loaded: LoadedMount
    url: str
    received: Received

    @property
    def prefix(self) -> str:
        """The prefix of the mount."""
        return self.loaded.mount.key.prefix


def find_escapes(composed: Composed, visit: Visit, told: set[tuple[str, str]]) -> Iterator[Finding]:
    """Find the URLs of a response that leave its mount by mistake, or may; its assets are one finding.

    Args:
        composed: The composed application.
        visit: The response.
        told: The mounts and the assets that earlier responses have shown; those of this one are added.
    """
    assets: dict[Severity, list[Finding]] = {}
    if not visit.prefix or isinstance(visit.loaded.mount, RedirectMount):
        return
    for reference in _references(visit):
        asset = (visit.loaded.mount.name, reference.target)
        if asset in told or not _leaves(visit, reference) or not (escape := _judged(composed, visit, reference)):
            continue
        if reference.kind == "asset":
            told.add(asset)
            assets.setdefault(escape.severity, []).append(escape)
        else:
            yield escape
    for first, *others in assets.values():
        count = f"{len(others)} more assets do the same" if len(others) > 1 else "another asset does the same"
        yield replace(first, message=f"{first.message} ({count})") if others else first


def _references(visit: Visit) -> Iterator[Reference]:
    received = visit.received
    if location := redirect_of(received, visit.url):
        yield location
    if is_page(received):
        yield from read_page(received.body.decode(_charset(received), "replace"), visit.url)


def redirect_of(received: Received, url: str) -> Reference | None:
    """Return the target of a redirect; None for any other response."""
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= (received.status or 0) < HTTPStatus.BAD_REQUEST
    return read_location(received.header("location"), url) if is_redirect else None


def is_page(received: Received) -> bool:
    """Return whether a response is an uncompressed HTML page of the application, not the page of a debugger."""
    kind = received.header("content-type").partition(";")[0].strip().lower()
    is_encoded = received.header("content-encoding").lower() not in ("", "identity")
    return kind in ("text/html", "application/xhtml+xml") and not is_encoded and not received.is_failure


def _charset(received: Received) -> str:
    name = received.header("content-type").lower().partition("charset=")[2].strip("\"' ")
    try:
        "".encode(name or "utf-8")
    except (LookupError, ValueError):
        return "utf-8"
    return name or "utf-8"


def _leaves(visit: Visit, reference: Reference) -> bool:
    target = reference.target
    return is_same_origin(visit.url, target) and not is_below(routed_url(target).path, visit.prefix)


def is_same_origin(url: str, other: str) -> bool:
    """Return whether two whole URLs have the same scheme, host and port."""
    here, there = routed_url(url), routed_url(other)
    return (here.scheme, here.host.lower()) == (there.scheme, there.host.lower())


def _judged(composed: Composed, visit: Visit, reference: Reference) -> Finding | None:
    """Return the finding about a URL that leaves its mount; None if that is no mistake."""
    parts = urlsplit(reference.target)
    inside = f"{parts.scheme}://{parts.netloc}{quote(visit.prefix, safe='/')}{parts.path or '/'}"
    neighbour = composed.mount_at(reference.target)
    there = composed.exists(reference, reference.target)
    is_own = composed.mount_at(inside) is visit.loaded
    own = composed.exists(reference, inside) if is_own else "no"
    at_root = neighbour is not None and not neighbour.mount.key.prefix
    severity = _severity(reference, parts.path, there, own, at_root=at_root)
    if severity is None:
        return None
    key = visit.loaded.mount.key
    leaves = f'{reference.what} "{reference.url}" leaves {key}'
    better = urlsplit(inside).path
    if severity == "warning":
        message = f"{leaves}, and nothing answers there" + (f"; {better} exists" if own == "yes" else "")
    else:
        message = f"{leaves} for {neighbour.mount.key if neighbour else 'no mount'}; {better} may be intended"
    is_manifest = reference.what == MANIFEST
    return _TOPICS[reference.kind].finding(
        mounts=(str(key),),
        key=visit.loaded.mount.place,
        url=visit.url,
        severity="note" if is_manifest else severity,
        consequence="Browsers do not offer to install the page." if is_manifest else "",
        message=message,
        cure=_cure(visit, reference),
    )


def _severity(reference: Reference, path: str, there: Existence, own: Existence, *, at_root: bool) -> Severity | None:
    if there == "no":  # a dead link is the fault of the mount only if the link works with the prefix
        return "warning" if own == "yes" or reference.kind != "link" else None
    if not at_root or own == "no" or (path in ("", "/") and reference.kind != "asset"):
        return None
    if own == "yes":
        return "note"
    return "note" if reference.kind in ("location", "form") else None


def _cure(visit: Visit, reference: Reference) -> str:
    if not isinstance(visit.loaded.mount, AppMount):
        return f'Build the site with the base "{visit.prefix}/", or with relative URLs.'
    if reference.kind == "location":
        return "Redirect to a URL that the framework builds with the prefix, or to a relative URL."
    return "Let the framework build the URL with the prefix, or write it relative to the page."


def find_cookies(visit: Visit) -> list[SetCookie]:
    """Find the cookies that a response sets under a path of its own choice."""
    values = (value for name, value in visit.received.headers if name == "set-cookie")
    return [cookie for value in values if (cookie := read_cookie(value))]


def find_cookie_escapes(composed: Composed, visit: Visit, visits: Sequence[Visit]) -> Iterator[Finding]:
    """Find the cookies of a response that are sent to other mounts, too; each is reported once for its mount.

    Args:
        composed: The composed application.
        visit: The response.
        visits: All responses in order, because another mount may set a cookie with the same name.
    """
    earlier = {
        cookie
        for each in takewhile(lambda each: each is not visit, visits)
        if each.loaded is visit.loaded
        for cookie in find_cookies(each)
    }
    for cookie in find_cookies(visit):
        if cookie in earlier or is_below(cookie.path, visit.prefix):
            continue
        rival = next((each for each in visits if _sets_too(each, visit, cookie)), None)
        if rival is None:
            continue  # a name that nobody else has does no harm
        what = f'the cookie "{cookie.name}" of {visit.loaded.mount.key} has the path "{cookie.path}"'
        yield PROBED["MS205"].finding(
            mounts=[each.loaded.mount.name for each in (visit, rival)],
            key=visit.loaded.mount.place,
            url=visit.url,
            message=f"{what}, and {rival.loaded.mount.key} sets a cookie with the same name: the two get mixed up",
            cure=_cookie_cure(composed, visit, cookie),
        )


def _sets_too(other: Visit, visit: Visit, cookie: SetCookie) -> bool:
    """Return whether another application sets a cookie with that name on the same host, at or below its path."""
    is_other = other.loaded is not visit.loaded and (
        other.loaded.origin is None or other.loaded.origin is not visit.loaded.origin
    )
    # Cookies ignore the port. Mounts without a host may have been requested at different hosts, but share them all.
    is_same_host = (
        other.loaded.mount.key.host == visit.loaded.mount.key.host
        or urlsplit(other.url).hostname == urlsplit(visit.url).hostname
    )
    return (
        is_other
        and is_same_host
        and any(
            each.name == cookie.name and is_below(each.path, cookie.path.rstrip("/")) for each in find_cookies(other)
        )
    )


def _cookie_cure(composed: Composed, visit: Visit, cookie: SetCookie) -> str:
    """Advise another name, because below another path browsers would also send the rival's cookie."""
    facts = composed.facts_of(visit.loaded)
    known = next((each for each in (facts and facts.cookies) or () if each.name == cookie.name), None)
    name = distinct_name(cookie.name, visit.prefix)
    if known and known.setting:
        return f'Set {known.setting} to "{name}": a path alone is not enough.'
    return f'Give it a unique name, such as "{name}": a path alone is not enough.'

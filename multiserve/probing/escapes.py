"""The URLs and cookies of a response that leave its mount, and whether that is a mistake on this origin.

A false alarm is worse than a missed mistake: a URL that another mount answers counts as intended, unless the
application has the same path itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from multiserve.config.mounts import AppMount, RedirectMount
from multiserve.findings import Finding, Severity
from multiserve.frameworks import distinct_name
from multiserve.loading.mounts import LoadedMount
from multiserve.probing.exchange import Received, routed_url
from multiserve.probing.pages import MANIFEST, SetCookie, read_cookie
from multiserve.probing.reference import Part, Reference
from multiserve.probing.site import Composed, Existence, is_below
from multiserve.probing.topics import PROBED

_TOPICS = {
    "location": PROBED["MS201"],
    "form": PROBED["MS202"],
    "link": PROBED["MS203"],
    "asset": PROBED["MS204"],
    "request": PROBED["MS210"],
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


def find_escapes(
    composed: Composed, visit: Visit, references: Iterable[Reference], told: set[tuple[str, str]]
) -> Iterator[Finding]:
    """Find the URLs of a response that leave its mount by mistake, or may; assets and requests are one finding each.

    Args:
        composed: The composed application.
        visit: The response.
        references: What it refers to.
        told: The mounts and the assets that earlier responses have shown; those of this one are added.
    """
    several: dict[tuple[Part, Severity], list[Finding]] = {}
    if not visit.prefix or isinstance(visit.loaded.mount, RedirectMount):
        return
    for reference in references:
        asset = (visit.loaded.mount.name, reference.target)
        if reference.kind == "scope" or asset in told or not _leaves(visit, reference):
            continue
        if not (escape := _judged(composed, visit, reference)):
            continue
        if reference.kind in ("asset", "request"):
            told.add(asset)
            several.setdefault((reference.kind, escape.severity), []).append(escape)
        else:
            yield escape
    for (kind, _), (first, *others) in several.items():
        count = f"{len(others)} more {kind}s do the same" if len(others) > 1 else f"another {kind} does the same"
        yield replace(first, message=f"{first.message} ({count})") if others else first


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
        url=reference.seen_at or visit.url,
        severity="note" if is_manifest else severity,
        consequence="Browsers do not offer to install the page." if is_manifest else "",
        message=message,
        cure=_cure(visit, reference),
    )


def _severity(reference: Reference, path: str, there: Existence, own: Existence, *, at_root: bool) -> Severity | None:
    if there == "no":  # a dead link is the fault of the mount only if the link works with the prefix
        is_certain = reference.kind not in ("link", "request") and not reference.seen_at
        return "warning" if own == "yes" or is_certain else None
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
    if reference.what == "the path of OpenAPI":
        return "Write the prefix into `servers` of the description, or have the framework do it."
    if reference.what == "the file of a style sheet":
        return "Write it relative to the style sheet."
    if reference.kind == "request" and reference.what != "the URL of htmx":
        return "Have the page tell the script its prefix, or write the URL relative to the page."
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

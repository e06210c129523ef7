"""The URLs of a response that stay below its mount, and are answered by nothing; and scopes that do not stay there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import quote, urlsplit

from multiserve.config.mounts import AppMount
from multiserve.findings import Finding, Severity
from multiserve.probing.escapes import Visit, is_same_origin
from multiserve.probing.exchange import routed_url
from multiserve.probing.reference import Reference
from multiserve.probing.site import Composed, is_below
from multiserve.probing.topics import PROBED

_MOST_ASSETS = 30  # for each mount
_NEEDED = ("the script", "the style sheet")
_SELDOM_NEEDED = ("the file", "the file of a style sheet", "the icon", "Link")  # icons, fonts, and hints


class OwnURLs:
    """Looks for URLs that have the prefix twice, and for assets that are missing; each is told once."""

    def __init__(self, composed: Composed) -> None:
        """Look at nothing yet."""
        self._composed = composed
        self._seen: dict[str, set[str]] = {}

    def find(self, visit: Visit, references: Iterable[Reference]) -> Iterator[Finding]:
        """Find those of a response; its missing assets are one finding for each severity.

        Args:
            visit: The response.
            references: What it refers to.
        """
        seen = self._seen.setdefault(visit.loaded.mount.name, set())
        missing: dict[Severity, list[Finding]] = {}
        for reference in references:
            if reference.kind == "scope":
                yield from _scope(visit, reference)
            if reference.kind == "scope" or reference.target in seen or not self._is_own(visit, reference):
                continue
            if self._is_doubled(visit, reference):
                seen.add(reference.target)
                yield _doubled(visit, reference)
            elif reference.kind == "asset" and reference.what not in _SELDOM_NEEDED and len(seen) < _MOST_ASSETS:
                seen.add(reference.target)
                if self._composed.is_missing(reference.target):
                    finding = _missing(visit, reference)
                    missing.setdefault(finding.severity, []).append(finding)
        for first, *others in missing.values():
            count = f"so are {len(others)} more" if len(others) > 1 else "so is another one"
            yield replace(first, message=f"{first.message} ({count})") if others else first

    def _is_own(self, visit: Visit, reference: Reference) -> bool:
        is_here = isinstance(visit.loaded.mount, AppMount) and is_same_origin(visit.url, reference.target)
        return is_here and self._composed.mount_at(reference.target) is visit.loaded

    def _is_doubled(self, visit: Visit, reference: Reference) -> bool:
        if not visit.prefix or not is_below(routed_url(reference.target).path, visit.prefix * 2):
            return False
        once = _once(visit, reference)
        is_there = self._composed.exists(reference, reference.target)
        return is_there == "no" and self._composed.exists(reference, once) == "yes"


def _scope(visit: Visit, reference: Reference) -> Iterator[Finding]:
    """Find a scope that is more than the mount."""
    path = routed_url(reference.target).path
    if visit.prefix and is_same_origin(visit.url, reference.target) and not is_below(path, visit.prefix):
        yield PROBED["MS214"].finding(
            mounts=(visit.loaded.mount.name,),
            key=visit.loaded.mount.place,
            url=reference.seen_at or visit.url,
            message=f'{reference.what} is "{reference.url}", which is not below {visit.prefix}',
            cure=f'Write "{visit.prefix}/", or leave it out.',
        )


def _once(visit: Visit, reference: Reference) -> str:
    """Return a URL with one prefix in place of two."""
    parts = urlsplit(reference.target)
    return parts._replace(path=parts.path.removeprefix(quote(visit.prefix, safe="/"))).geturl()


def _doubled(visit: Visit, reference: Reference) -> Finding:
    path = urlsplit(_once(visit, reference)).path
    return PROBED["MS211"].finding(
        mounts=(visit.loaded.mount.name,),
        key=visit.loaded.mount.place,
        url=reference.seen_at or visit.url,
        message=f'{reference.what} "{reference.url}" has the prefix {visit.prefix} twice; {path} exists',
        cure="Leave the prefix to the framework: it is in the URLs that it builds.",
    )


def _missing(visit: Visit, reference: Reference) -> Finding:
    return PROBED["MS212"].finding(
        mounts=(visit.loaded.mount.name,),
        key=visit.loaded.mount.place,
        url=reference.seen_at or visit.url,
        severity="warning" if reference.what in _NEEDED else "note",
        message=f'{reference.what} "{reference.url}" is missing: the application answers 404',
        cure="Correct the URL, or put the file where the application looks for it.",
    )

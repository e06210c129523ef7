"""Sends harmless requests to each application of a composition, without a server, and returns what is wrong."""

from __future__ import annotations

import contextlib
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import MappingProxyType
from wsgiref.validate import WSGIWarning

from multiserve.composition import Composition
from multiserve.config.mounts import ProxiedPlaceholderMount, TenantMount
from multiserve.findings import Finding
from multiserve.frameworks import Inspector
from multiserve.loading.mounts import LoadedMount
from multiserve.probing.circles import find_circle
from multiserve.probing.escapes import Visit, find_cookie_escapes, find_escapes, is_same_origin
from multiserve.probing.exchange import Received, describe_error
from multiserve.probing.headers import find_header_mistakes
from multiserve.probing.own_urls import OwnURLs
from multiserve.probing.processes import Process, ThisProcess
from multiserve.probing.references import References, redirect_of
from multiserve.probing.results import ProbeResult, find_failures
from multiserve.probing.site import Composed

__all__ = ["ProbeResult", "probe", "validating"]

_MOST_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class _Asked:
    """A result whose findings are still to be added.

    Attributes:
        result: Without findings.
        visit: The response; None if nothing was sent.
        violations: The objections of the validator.
        findings: What is wrong whatever other responses are like.
    """

    result: ProbeResult
    visit: Visit | None = None
    violations: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def probe(
    composition: Composition,
    origin: str = "http://localhost:8000",
    inspector: Inspector | None = None,
    own: Composition | None = None,
    elsewhere: Mapping[str, Process] = MappingProxyType({}),
) -> list[ProbeResult]:
    """Request the root of each mount and the paths of its `probe` through the dispatcher, and validate the responses.

    Only GET and HEAD are sent. Up to three redirects within the mount are followed, including those to https. What an
    application raises becomes part of its result, and each request has a time limit.

    Args:
        composition: The loaded mounts; the lifespans of the ASGI applications run during the probe.
        origin: Where the server would listen; an application that refuses that host is asked at one that it accepts.
        inspector: One that may have read the applications already.
        own: Those of the mounts that are in this process; by default all of them are.
        elsewhere: What answers for the others, by the names of their groups.

    Returns:
        The results in the order of the file; that of a mount that cannot be probed says why.
    """
    with validating(), ThisProcess(own or composition) as here:
        composed = Composed(composition, here, inspector, elsewhere)
        requests = [each for loaded in composition.mounts for each in _probe_mount(composed, loaded, origin)]
        visits = [request.visit for request in requests if request.visit]
        complete = _Completing(composed, visits)
        return [complete(request) for request in requests]


@contextlib.contextmanager
def validating() -> Iterator[None]:
    """Let a warning of wsgiref be a violation as well, inside the with block."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", WSGIWarning)
        yield


class _Completing:
    """Adds what is wrong with a response, for which all responses have to be known."""

    def __init__(self, composed: Composed, visits: list[Visit]) -> None:
        self._composed = composed
        self._visits = visits
        self._references = References(composed)
        self._own = OwnURLs(composed)
        self._told: set[tuple[str, str]] = set()

    def __call__(self, request: _Asked) -> ProbeResult:
        findings = [*find_failures(request.result, request.violations), *request.findings]
        if visit := request.visit:
            references = self._references.of(*visit)
            findings += find_escapes(self._composed, visit, references, self._told)
            findings += self._own.find(visit, references)
            findings += find_cookie_escapes(self._composed, visit, self._visits)
            findings += find_header_mistakes(visit, self._visits, self._told)
        return replace(request.result, findings=tuple(findings))


def _probe_mount(composed: Composed, loaded: LoadedMount, origin: str) -> Iterator[_Asked]:
    named = dict.fromkeys(composed.url_of(loaded, origin, path) for path in loaded.mount.probe)
    root = composed.url_of(loaded, origin, "/")
    if result := _reason_not_to_ask(composed, loaded, root):
        yield _Asked(result)
        return
    pending: deque[tuple[str, tuple[Visit, ...], bool]] = deque(
        (url, (), url in named) for url in dict.fromkeys((root, *named))
    )
    seen: set[str] = set()
    while pending:
        url, before, asked_for = pending.popleft()
        asked_for = asked_for or url in named
        if url in seen:
            continue
        seen.add(url)
        request = _visit(composed, loaded, url, asked_for=asked_for)
        target = redirect_of(request.visit.received, url) if request.visit else None
        if request.visit and target and _is_within(composed, loaded, url, target.target):
            chain = (*before, request.visit)
            yield replace(request, findings=tuple(find_circle(chain, target.target)))
            if len(before) < _MOST_REDIRECTS:
                pending.appendleft((target.target, chain, asked_for))
        else:
            yield request


def _reason_not_to_ask(composed: Composed, loaded: LoadedMount, url: str) -> ProbeResult | None:
    if loaded.error:
        return _begin(loaded, url, skipped="it could not be loaded")
    if isinstance(loaded.mount, ProxiedPlaceholderMount):
        return _begin(loaded, url, skipped="its key stands for many servers")
    if isinstance(loaded.mount, TenantMount):
        return _begin(loaded, url, skipped="only its factory knows which tenants there are")
    blocker = composed.blocked_by(loaded)
    if blocker == loaded.mount.name:
        return replace(_begin(loaded, url), error="its lifespan blocks the event loop, and did not start in time")
    return _begin(loaded, url, skipped=f"the event loop is blocked by {blocker}") if blocker else None


def _visit(composed: Composed, loaded: LoadedMount, url: str, *, asked_for: bool) -> _Asked:
    """Request a URL of a mount, unless another mount answers it."""
    winner = composed.mount_at(url)
    if winner is not loaded:
        reason = f"{winner.mount.key if winner else 'no mount'} answers this URL"
        return _Asked(_begin(loaded, url, skipped=reason))
    received, violations = composed.visit(url)
    if refusal := composed.refusal_of(loaded, url, received):
        return _Asked(_begin(loaded, url, skipped=refusal))
    result = replace(_result(composed, loaded, url, received), asked_for=asked_for)
    return _Asked(result, Visit(loaded, url, received), violations)


def _is_within(composed: Composed, loaded: LoadedMount, url: str, target: str) -> bool:
    is_same = is_same_origin(url, target) or is_same_origin(url.replace("http://", "https://", 1), target)
    return is_same and composed.mount_at(target) is loaded


def _begin(loaded: LoadedMount, url: str, *, skipped: str = "") -> ProbeResult:
    return ProbeResult(mount=loaded.mount.name, toml_key=loaded.mount.place, url=url, skipped=skipped)


def _result(composed: Composed, loaded: LoadedMount, url: str, received: Received) -> ProbeResult:
    error = describe_error(received.error) if received.error else ""
    if not error and received.status == HTTPStatus.SERVICE_UNAVAILABLE and (failure := composed.failure_at(url)):
        error = f"its start-up failed: {failure.splitlines()[-1]}"  # before it there may be a traceback
    return replace(
        _begin(loaded, url),
        status=received.status,
        seconds=received.seconds,
        content_type=received.header("content-type"),
        error=error,
    )

"""Calls each application of an composition in this process, with harmless requests, and tells what came of them."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from wsgiref.validate import WSGIWarning

from multiserve.composition import Composition
from multiserve.config.mounts import TenantMount
from multiserve.loading.mounts import LoadedMount
from multiserve.probing.escapes import Visit, find_cookie_escapes, find_escapes, is_same_origin, redirect_of
from multiserve.probing.exchange import Received, describe_error
from multiserve.probing.results import Escape, ProbeResult, Remark
from multiserve.probing.site import Composed
from multiserve.probing.validators import is_about_content_type, objection_of

__all__ = ["Escape", "ProbeResult", "Remark", "probe"]

_MOST_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A result that its escapes are still to be added to, and the response for them if there was a request."""

    result: ProbeResult
    visit: Visit | None = None


def probe(composition: Composition, origin: str = "http://localhost:8000") -> list[ProbeResult]:
    """Ask each mount for its root and for the paths of its `probe`, through the dispatcher, and validate the answers.

    Nothing but GET and HEAD is sent. Redirects within the mount are followed, three at most, to https as well. Whatever
    an application raises is in its result, and each request is bounded in time.

    Args:
        composition: The loaded mounts; the lifespans of the ASGI applications run meanwhile.
        origin: Where the server would listen; who does not take that host is asked at one that it takes.

    Returns:
        The results in the order of the file; a mount that cannot be asked has one that says why.
    """
    with warnings.catch_warnings(), Composed(composition) as composed:
        warnings.simplefilter("error", WSGIWarning)  # what wsgiref only warns of is an objection, too
        outcomes = [each for loaded in composition.mounts for each in _probe_mount(composed, loaded, origin)]
        visits = [outcome.visit for outcome in outcomes if outcome.visit]
        results = [_complete(composed, outcome, visits) for outcome in outcomes]
    ignored = {
        loaded.mount.toml_key: (*composition.config.ignore, *loaded.mount.ignore) for loaded in composition.mounts
    }
    return [replace(result, ignored=ignored[result.toml_key]) for result in results]


def _complete(composed: Composed, outcome: _Outcome, visits: list[Visit]) -> ProbeResult:
    if outcome.visit is None:
        return outcome.result
    escapes = (*find_escapes(composed, outcome.visit), *find_cookie_escapes(outcome.visit, visits))
    return replace(outcome.result, escapes=escapes)


def _probe_mount(composed: Composed, loaded: LoadedMount, origin: str) -> Iterator[_Outcome]:
    named = dict.fromkeys(composed.url_of(loaded, origin, path) for path in loaded.mount.probe)
    root = composed.url_of(loaded, origin, "/")
    if result := _reason_not_to_ask(composed, loaded, root):
        yield _Outcome(result)
        return
    pending = deque((url, 0, url in named) for url in dict.fromkeys((root, *named)))
    seen: set[str] = set()
    while pending:
        url, redirects, asked_for = pending.popleft()
        asked_for = asked_for or url in named
        if url in seen:
            continue
        seen.add(url)
        outcome = _visit(composed, loaded, url, asked_for=asked_for)
        yield outcome
        target = redirect_of(outcome.visit.received, url) if outcome.visit else None
        if target and redirects < _MOST_REDIRECTS and _is_within(composed, loaded, url, target.target):
            pending.appendleft((target.target, redirects + 1, asked_for))


def _reason_not_to_ask(composed: Composed, loaded: LoadedMount, url: str) -> ProbeResult | None:
    if loaded.error:
        return _begin(loaded, url, skipped="it could not be loaded")
    if isinstance(loaded.mount, TenantMount):
        return _begin(loaded, url, skipped="which tenants there are only its factory knows")
    blocker = composed.blocked_by()
    if blocker == loaded.mount.name:
        return replace(_begin(loaded, url), error="its lifespan blocks the event loop, and did not start in time")
    return _begin(loaded, url, skipped=f"the event loop is blocked by {blocker}") if blocker else None


def _visit(composed: Composed, loaded: LoadedMount, url: str, *, asked_for: bool) -> _Outcome:
    """Ask for a URL of a mount, if that is the one that answers there."""
    winner = composed.mount_at(url)
    if winner is not loaded:
        reason = f"{winner.mount.key if winner else 'no mount'} answers there"
        return _Outcome(_begin(loaded, url, skipped=reason))
    received, violations = _ask(composed, url)
    if refusal := composed.refusal_of(loaded, url, received):
        return _Outcome(_begin(loaded, url, skipped=refusal))
    result = _result(composed, loaded, url, received, violations)
    return _Outcome(replace(result, asked_for=asked_for), Visit(loaded, url, received))


def _is_within(composed: Composed, loaded: LoadedMount, url: str, target: str) -> bool:
    is_same = is_same_origin(url, target) or is_same_origin(url.replace("http://", "https://", 1), target)
    return is_same and composed.mount_at(target) is loaded


def _ask(composed: Composed, url: str) -> tuple[Received, tuple[str, ...]]:
    """Ask once; and once more without the validator of WSGI where that has raised, for there is no response then."""
    received = composed.ask("GET", url)
    violations = composed.validation.take()
    if received.error and (objection := objection_of(received.error)):
        with composed.validation.off():
            received = composed.ask("GET", url)
        if received.body or not is_about_content_type(objection):
            violations = (*violations, objection)
    return received, violations


def _begin(loaded: LoadedMount, url: str, *, skipped: str = "") -> ProbeResult:
    return ProbeResult(mount=loaded.mount.name, toml_key=loaded.mount.toml_key, url=url, skipped=skipped)


def _result(
    composed: Composed, loaded: LoadedMount, url: str, received: Received, violations: tuple[str, ...]
) -> ProbeResult:
    error = describe_error(received.error) if received.error else ""
    if not error and received.status == HTTPStatus.SERVICE_UNAVAILABLE and (failure := composed.failure_at(url)):
        error = f"its start-up failed: {failure.splitlines()[-1]}"  # before it there may be a traceback
    return replace(
        _begin(loaded, url),
        status=received.status,
        seconds=received.seconds,
        content_type=received.header("content-type"),
        error=error,
        violations=violations,
    )

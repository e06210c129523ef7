"""The result of one request that a probe sends, and the findings that its failure or refusal gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from multiserve.findings import Finding
from multiserve.probing.topics import PROBED

_CURE = (
    "multiserve run shows the traceback at this URL, and multiserve check --alone whether another mount is the cause."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """One request to a mount and what came of it.

    Attributes:
        mount: The key of the mount.
        toml_key: What findings about it have as their key.
        url: The whole URL.
        method: `GET`; nothing else is sent to find out how an application answers.
        asked_for: Whether `probe` of the mount lists the path, or a path that redirects to it.
        status: None if there was no response.
        seconds: The time until the response was complete.
        content_type: The Content-Type of the response; "" if there is none.
        error: What the application raised, with its last frame, or why the response is incomplete.
        skipped: Why nothing was sent; "" if something was.
        findings: What is wrong with the response, including what the file ignores.
    """

    mount: str
    toml_key: str
    url: str
    method: str = "GET"
    asked_for: bool = False
    status: int | None = None
    seconds: float = 0.0
    content_type: str = ""
    error: str = ""
    skipped: str = ""
    findings: tuple[Finding, ...] = ()


def find_failures(result: ProbeResult, violations: Sequence[str] = ()) -> Iterator[Finding]:
    """Find what is wrong with a response as a whole.

    Args:
        result: The request and its outcome.
        violations: The objections of the WSGI or ASGI validator.
    """
    mounts, key, url = (result.mount,), result.toml_key, result.url
    status = result.status or 0
    if result.error or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        message = " ".join(result.error.split()) or f"it answers {status}"
        yield PROBED["MS207"].finding(mounts=mounts, key=key, url=url, message=message, cure=_CURE)
    elif status >= HTTPStatus.BAD_REQUEST and result.asked_for:
        message = f"`probe` lists it, but it answers {status}"
        cure = "Correct the path in `probe`, or the route that answers it."
        yield PROBED["MS208"].finding(mounts=mounts, key=key, url=url, message=message, cure=cure)
    for violation in violations:
        yield PROBED["MS206"].finding(mounts=mounts, key=key, url=url, message=violation, cure="")

"""The headers of a response that hold for more than its mount, or that do not fit the response."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from multiserve.config.mounts import AppMount
from multiserve.findings import Finding
from multiserve.probing.escapes import Visit
from multiserve.probing.topics import PROBED

# Those between two servers (RFC 9110, section 7.6.1), which PEP 3333 forbids applications to send.
_HOP_BY_HOP = ("keep-alive", "proxy-authenticate", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


def find_header_mistakes(visit: Visit, visits: Sequence[Visit], told: set[tuple[str, str]]) -> Iterator[Finding]:
    """Find what is wrong with the headers of a response of an application; each is reported once for its mount.

    Args:
        visit: The response.
        visits: All responses, because what each mount sends is intended.
        told: The mounts and the codes that earlier responses have shown; those of this one are added.
    """
    mount = visit.loaded.mount
    if not isinstance(mount, AppMount) or visit.received.error:
        return
    for code, message, cure in (*_of_the_host(visit, visits), *_refused_by_browsers(visit), *_unfit(visit)):
        if (mount.name, code) not in told:
            told.add((mount.name, code))
            yield PROBED[code].finding(mounts=(mount.name,), key=mount.place, url=visit.url, message=message, cure=cure)


def _of_the_host(visit: Visit, visits: Sequence[Visit]) -> Iterator[tuple[str, str, str]]:
    others = [each for each in visits if each.loaded is not visit.loaded and _is_concerned(each, visit)]
    if _has_subdomains(visit) and not all(_has_subdomains(each) for each in others):
        message = "its Strict-Transport-Security has includeSubDomains, and other mounts do not send it"
        yield "MS215", message, "Send it from the proxy in front, or leave includeSubDomains out."


def _is_concerned(other: Visit, visit: Visit) -> bool:
    """Return whether another mount may be on the same host, or on one below it."""
    host, there = visit.loaded.mount.key.host, other.loaded.mount.key.host
    return not host or not there or f".{there}".endswith(f".{host}")


def _has_subdomains(visit: Visit) -> bool:
    return "includesubdomains" in visit.received.header("strict-transport-security").lower()


def _refused_by_browsers(visit: Visit) -> Iterator[tuple[str, str, str]]:
    header = visit.received.header
    if header("access-control-allow-origin") == "*" and header("access-control-allow-credentials") == "true":
        message = "it allows credentials, and every origin (Access-Control-Allow-Origin: *)"
        yield "MS216", message, "Name the origins, or do not allow credentials; mounts of one origin need neither."


def _unfit(visit: Visit) -> Iterator[tuple[str, str, str]]:
    received = visit.received
    if found := [name for name in _HOP_BY_HOP if received.header(name)]:
        yield "MS217", f"it sends {', '.join(found)}, which is up to the server", "Do not set it."
    length = received.header("content-length")
    has_body = received.status not in _WITHOUT_BODY and not received.is_large
    if has_body and length.isdecimal() and int(length) != len(received.body):
        message = f"its Content-Length is {length}, and the body has {len(received.body)} bytes"
        yield "MS217", message, "Leave it to the framework."

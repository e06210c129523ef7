"""Checks of the servers that proxied mounts hand requests on to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from multiserve.checks.check import check
from multiserve.checks.subject import CheckedMount, Subject
from multiserve.config.mounts import ProxiedMount
from multiserve.findings import Finding, Severity
from multiserve.kinds.proxied import proxy_to

_PATIENCE = 5.0  # seconds for all of them together, which are asked side by side


@check(
    "MS180",
    "note",
    "nothing answers at the target of a proxied mount",
    consequence="Its requests get 502.",
    scope="origin",
)
def silent_servers(subject: Subject) -> Iterator[Finding]:
    """A proxied mount hands requests on to another server, which is asked with HEAD whether it answers at all.

    Any answer will do. In development that server may be started later, so this is a note. With --production it is an
    error if the mount is required, because the server would not start. A target with placeholders is not asked.
    """
    members = [member for member in subject.members if _is_asked(member)]
    for member, failure in zip(members, _ask_all(subject, members), strict=True):
        if not failure:
            continue
        is_needed = subject.is_production and (member.mount.required or subject.config.server.strict)
        severity: Severity = "error" if is_needed else "note"
        consequence = "The server does not start." if is_needed else ""
        cure = "Start that server, or correct the target."
        yield silent_servers.found(member, message=failure, cure=cure, severity=severity, consequence=consequence)


def _is_asked(member: CheckedMount) -> bool:
    mount = member.mount
    return isinstance(mount, ProxiedMount) and not mount.upstream.names and member.loaded.error is None


def _ask_all(subject: Subject, members: Sequence[CheckedMount]) -> list[str]:
    """Return for each mount why its server does not answer; empty where it does."""
    if not members:
        return []
    proxies = [proxy_to(member.mount, subject.config) for member in members if isinstance(member.mount, ProxiedMount)]

    async def ask() -> list[str]:
        return await asyncio.gather(*(proxy.find_failure(_PATIENCE) for proxy in proxies))

    with ThreadPoolExecutor(1) as pool:  # the caller may have an event loop of its own
        return pool.submit(asyncio.run, ask()).result()


CHECKS = (silent_servers,)

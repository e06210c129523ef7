"""Checks of what clients must not reach: debug pages, the development server, and the management listener."""

from __future__ import annotations

from collections.abc import Iterator

from multiserve.checks.check import check
from multiserve.checks.own_sources import debug_written_in
from multiserve.checks.subject import CheckedMount, Subject
from multiserve.config.manage_address import UNIX, split_host_and_port
from multiserve.findings import Finding
from multiserve.hosts import is_loopback

_SILENT = ("Dash", "Flask")  # their debug mode passes exceptions to the server, and that shows no traceback

_CONTAINERS = ("kubernetes", "compose")

_WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104 (compared)


@check(
    "MS150",
    "error",
    "an application is in debug mode",
    consequence="Clients can see tracebacks and settings.",
    scope="origin",
)
def debug_mode(subject: Subject) -> Iterator[Finding]:
    """Debug pages show source code, settings and variables to anybody who causes an error.

    In production Flask shows no debug page, but it reloads its templates and gives clients needless details about bad
    requests. Debug mode is meant for development, so without --production there is only a note, where a module of the
    application switches it on whatever the environment is. Modules called after development or tests, classes and
    conditions are not looked at.
    """
    for member in subject.applications:
        if not member.facts or not member.facts.debug:
            continue
        if not subject.is_production:
            yield from _debug_everywhere(subject, member)
            continue
        is_silent = member.facts.framework in _SILENT
        yield debug_mode.found(
            member,
            message=f"{member.facts.framework} is in debug mode",
            cure="Switch it off in production.",
            severity="warning" if is_silent else "error",
            consequence="It is slower, and gives clients needless details." if is_silent else "",
        )


def _debug_everywhere(subject: Subject, member: CheckedMount) -> Iterator[Finding]:
    """Find the line that switches debug mode on, which may run in production as well."""
    if member.facts and (place := debug_written_in(member)):
        file, line = place
        yield debug_mode.found(
            member,
            message=f"{member.facts.framework} is in debug mode, as {subject.shorten(file)}:{line} has it",
            cure="Read it from an environment variable that only development sets.",
            severity="note",
            consequence="It may be so in production, too.",
        )


@check(
    "MS151", "note", "others may reach the development server", consequence="They may see tracebacks.", scope="origin"
)
def development_reachable(subject: Subject) -> Iterator[Finding]:
    """The development server is meant for one developer: it restarts at each change, and shows tracebacks.

    It listens on the host under [server]. If that is not a loopback address, others may reach the server. (The debugger
    with its console is off then, unless the command line switches it on.) Nothing is reported if the host is a wildcard
    such as 0.0.0.0, as in a container, and production listens on it, too.
    """
    config = subject.config
    if subject.is_production or not config.development.reload or is_loopback(config.server.host):
        return
    if config.server.host in _WILDCARDS and not config.gunicorn.get("bind"):
        return
    yield development_reachable.found(
        message=f"host is {config.server.host}, so others may reach multiserve run",
        cure="Run multiserve run --host 127.0.0.1 in development.",
        key=subject.key("server.host"),
    )


@check(
    "MS156",
    "note",
    "others may reach the management listener",
    consequence="They may read its metrics.",
    scope="origin",
)
def management_reachable(subject: Subject) -> Iterator[Finding]:
    """The management listener answers without a password: it shows which mounts there are, and how they are used.

    If `manage` under [server] is neither a loopback address nor a unix socket, other machines may reach it, unless a
    firewall keeps them out. Only --production looks for it, and --for kubernetes and --for compose do not, because a
    container needs an address that its neighbours reach.
    """
    address = subject.config.server.manage
    if not subject.is_production or not address or address.startswith(UNIX) or subject.config.engine in _CONTAINERS:
        return
    host, port = split_host_and_port(address)
    if not is_loopback(host):
        yield management_reachable.found(
            message=f"manage is {address}, so other machines may reach it",
            cure=f'Write manage = "127.0.0.1:{port}", or have a firewall keep others out.',
            key=subject.key("server.manage"),
        )


CHECKS = (debug_mode, development_reachable, management_reachable)

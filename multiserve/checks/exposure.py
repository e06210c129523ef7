"""Checks of what strangers could reach: debug pages, the reloader, the console of the debugger."""

from __future__ import annotations

from collections.abc import Iterator

from multiserve.checks.check import check
from multiserve.checks.subject import Subject
from multiserve.findings import Finding
from multiserve.hosts import is_loopback

_SILENT = ("Dash", "Flask")  # their debug mode lets exceptions through to the server, which shows no traceback

_WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104 (compared)


@check(
    "MS150", "error", "an application is in debug mode", consequence="Its clients get to see tracebacks and settings."
)
def debug_mode(subject: Subject) -> Iterator[Finding]:
    """Debug pages show source, settings and variables to whoever provokes an error.

    That is for development, so it is looked for with --production alone. Flask shows no page in production, but keeps
    reading its templates anew, and tells clients more about bad requests than they need to know.
    """
    for member in subject.applications:
        if not subject.is_production or not member.facts or not member.facts.debug:
            continue
        is_silent = member.facts.framework in _SILENT
        yield debug_mode.found(
            member,
            message=f"{member.facts.framework} is in debug mode",
            cure="Switch it off where it is served with --production.",
            severity="warning" if is_silent else "error",
            consequence="It is slower, and tells its clients more than they need to know." if is_silent else "",
        )


@check("MS151", "note", "the development server may be reached by others", consequence="They may see tracebacks.")
def development_reachable(subject: Subject) -> Iterator[Finding]:
    """The development server is for one developer: it restarts at each change, and shows the tracebacks of mounts.

    It listens at the host under [server]. Where that is not this machine alone, others may reach it. (The debugger
    with its console is off there, unless it is asked for on the command line as well.) Nothing is said where that host
    is every one of the machine, as in a container, and production listens there, too.
    """
    config = subject.config
    if subject.is_production or not config.development.reload or is_loopback(config.server.host):
        return
    if config.server.host in _WILDCARDS and not config.gunicorn.get("bind"):
        return
    yield development_reachable.found(
        message=f"host is {config.server.host}, so that others may reach multiserve run",
        cure="Run multiserve run --host 127.0.0.1 in development.",
        key=subject.key("server.host"),
    )


CHECKS = (debug_mode, development_reachable)

"""Checks of what loading the applications has done to the process that they share."""

from __future__ import annotations

from collections.abc import Iterator

from multiserve.checks.check import check
from multiserve.checks.subject import Subject
from multiserve.findings import Finding

_SLOW = 3.0  # seconds
_LARGE = 200 * 2**20  # bytes
_SHOWN = 3  # loggers that a finding names


@check("MS160", "note", "an import starts threads", consequence="With preload_app they do not survive the fork.")
def threads(subject: Subject) -> Iterator[Finding]:
    """A thread that is started at import runs in every process that imports the module.

    That is each worker, and once each check. With preload_app it runs in the master alone.
    """
    preloads = bool(subject.gunicorn.get("preload_app"))
    for member in subject.members:
        if names := member.effects.threads:
            yield threads.found(
                member,
                message=f"loading it starts {_count(names, 'thread')}: {', '.join(names)}",
                cure="Start threads with the first request, or in the lifespan.",
                severity="warning" if preloads else "note",
            )


@check("MS161", "warning", "an import changes the working directory", consequence="Relative paths of others break.")
def folders(subject: Subject) -> Iterator[Finding]:
    """There is one working directory for the whole process, and so for every application in it."""
    for member in subject.members:
        if member.effects.folder:
            message = f"loading it changes the working directory to {member.effects.folder}"
            yield folders.found(member, message=message, cure="Build paths from __file__ instead of os.chdir.")


@check("MS162", "note", "an import configures the root logger", consequence="The records of all others change, too.")
def root_loggers(subject: Subject) -> Iterator[Finding]:
    """The handlers and the level of the root logger count for every application in the process, and for the server."""
    touched = [member for member in subject.members if member.effects.root_logger]
    for member in touched:
        others = [str(each.mount.key) for each in touched if each is not member]
        yield root_loggers.found(
            member,
            message="loading it changes the handlers or the level of the root logger"
            + (f", as {', '.join(others)} does" if others else ""),
            cure="Configure a logger of the application's own name, with propagate = False.",
            severity="warning" if others else "note",
        )


@check("MS163", "warning", "an import replaces signal handlers", consequence="The server may not stop or reload.")
def signals(subject: Subject) -> Iterator[Finding]:
    """Signals tell the server to stop and to reload; it sets its handlers again, but others in the process do not."""
    for member in subject.members:
        if names := member.effects.signals:
            message = f"loading it replaces the handlers of {', '.join(names)}"
            yield signals.found(member, message=message, cure="Leave signals to the server; use atexit or lifespan.")


@check("MS164", "note", "an import is slow", consequence="Every start, reload and worker takes that long.")
def slow_imports(subject: Subject) -> Iterator[Finding]:
    """The time in which a mount is loaded, with all that it imports and nobody before it did."""
    for member in subject.members:
        if member.module and member.effects.seconds >= _SLOW:
            message = f"loading it takes {member.effects.seconds:.1f} s"
            cure = f'See where: python -X importtime -c "import {member.module}"'
            yield slow_imports.found(member, message=message, cure=cure)


@check("MS165", "note", "an application is large", consequence="Each worker needs that much memory.")
def large_imports(subject: Subject) -> Iterator[Finding]:
    """The memory that the process has more of after a mount is loaded, with all that nobody before it imported."""
    for member in subject.members:
        if member.effects.memory >= _LARGE:
            message = f"loading it takes {member.effects.memory / 2**20:.0f} MB"
            yield large_imports.found(
                member, message=message, cure="Share it among the workers with preload_app = true."
            )


@check("MS166", "warning", "an import disables loggers of others", consequence="Their records are lost.")
def disabled_loggers(subject: Subject) -> Iterator[Finding]:
    """The functions dictConfig and fileConfig disable every logger that exists already, unless they are told otherwise.

    In one process these are the loggers of the other applications, too. Where only those of libraries are concerned,
    that may be meant.
    """
    for member in subject.members:
        names = member.effects.disabled_loggers
        others = {each.module.partition(".")[0] for each in subject.members if each is not member} - {""}
        of_others = [name for name in names if name.partition(".")[0] in others]
        shown = (of_others or names)[:_SHOWN]
        if names:
            more = " and others" if len(names) > len(shown) else ""
            yield disabled_loggers.found(
                member,
                message=f"loading it disables loggers that exist already: {', '.join(shown)}{more}",
                cure='Write "disable_existing_loggers": False into its logging configuration.',
                severity="warning" if of_others else "note",
                consequence="" if of_others else "Records of libraries may be lost.",
            )


@check("MS167", "note", "an import changes the time zone", consequence="The local times of others may move.")
def time_zones(subject: Subject) -> Iterator[Finding]:
    """Django sets the variable TZ, which counts for the whole process, to its TIME_ZONE.

    (Its default is America/Chicago.) Other applications then see their local times in that zone.
    """
    for member in subject.members:
        has_others = any(each.module and each is not member for each in subject.members)
        if has_others and (zone := member.effects.time_zone):
            message = f"loading it sets the time zone of the process to {zone}"
            cure = f'Write TZ = "{zone}" under [env], or in the environment where that has a TZ.'
            yield time_zones.found(member, message=message, cure=cure)


@check("MS168", "warning", "an import changes the timeout of sockets", consequence="Connections of others break off.")
def socket_timeouts(subject: Subject) -> Iterator[Finding]:
    """socket.setdefaulttimeout counts for every socket that is made from then on, by whatever application."""
    for member in subject.members:
        if member.effects.socket_timeout is not None:
            message = f"loading it sets the default timeout of all sockets to {member.effects.socket_timeout:g} s"
            yield socket_timeouts.found(member, message=message, cure="Give a timeout to each connection instead.")


def _count(names: tuple[str, ...], noun: str) -> str:
    return f"a {noun}" if len(names) == 1 else f"{len(names)} {noun}s"


CHECKS = (
    threads,
    folders,
    root_loggers,
    signals,
    slow_imports,
    large_imports,
    disabled_loggers,
    time_zones,
    socket_timeouts,
)

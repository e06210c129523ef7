"""Checks of how loading an application has changed the process that all applications share."""

from __future__ import annotations

from collections.abc import Iterator

from multiserve.checks.check import check
from multiserve.checks.subject import CheckedMount, Subject
from multiserve.findings import Finding

_SLOW = 3.0  # seconds
_LARGE = 200 * 2**20  # bytes
_SHOWN = 3  # loggers that a finding names


@check("MS160", "note", "an import starts threads", consequence="With preload_app they do not survive the fork.")
def threads(subject: Subject) -> Iterator[Finding]:
    """A thread that is started by an import runs in every process that imports the module.

    That is each worker, and each run of check. With preload_app it runs in gunicorn's master only. Threads that are
    over by the end of the check are not reported, nor is the one with which Litestar writes its log, unless there is
    preload_app.
    """
    preloads = bool(subject.gunicorn.get("preload_app"))
    for member in subject.members:
        names = member.effects.threads
        is_log = _is_litestar(member) and all(name.endswith("(_monitor)") for name in names)
        if names and (preloads or not is_log):
            cure = "Start threads at the first request, or in the lifespan."
            yield threads.found(
                member,
                message=f"loading it starts {_count(names, 'thread')}: {', '.join(names)}",
                cure="Make it with Litestar(logging_config=None), or set preload_app = false." if is_log else cure,
                severity="warning" if preloads else "note",
            )


def _is_litestar(member: CheckedMount) -> bool:
    return member.facts is not None and member.facts.framework == "Litestar"


@check(
    "MS161",
    "warning",
    "an import changes the working directory",
    consequence="Relative paths in other applications break.",
)
def folders(subject: Subject) -> Iterator[Finding]:
    """All applications in a process share one working directory."""
    for member in subject.members:
        if member.effects.folder and not subject.is_alone(member):
            message = f"loading it changes the working directory to {member.effects.folder}"
            cure = _or_alone(subject, member, "Build paths from __file__ instead of os.chdir.")
            yield folders.found(member, message=message, cure=cure)


@check(
    "MS162",
    "note",
    "an import configures the root logger",
    consequence="The logging of all other applications changes, too.",
)
def root_loggers(subject: Subject) -> Iterator[Finding]:
    """The handlers and the level of the root logger apply to every application in the process, and to the server.

    An application that is alone in the process may configure it. Handlers of debug toolbars only collect records.
    """
    touched = [member for member in subject.members if member.effects.root_logger and not subject.is_alone(member)]
    for member in touched:
        others = [each.mount.name for each in touched if each is not member]
        cure = "Configure a logger with the application's own name, and set its propagate to False."
        if _is_litestar(member):
            cure = "Make it with Litestar(logging_config=LoggingConfig(configure_root_logger=False))."
        yield root_loggers.found(
            member,
            message="loading it changes the handlers or the level of the root logger"
            + (f", as {', '.join(others)} does" if others else ""),
            cure=_or_alone(subject, member, cure),
            severity="warning" if others else "note",
        )


@check("MS163", "warning", "an import replaces signal handlers", consequence="The server may not stop or reload.")
def signals(subject: Subject) -> Iterator[Finding]:
    """The server stops and reloads on signals. It restores its own handlers; other code in the process does not."""
    for member in subject.members:
        if names := member.effects.signals:
            message = f"loading it replaces the handlers of {', '.join(names)}"
            yield signals.found(
                member, message=message, cure="Leave signals to the server; use atexit or the lifespan."
            )


@check(
    "MS164", "note", "an import is slow", consequence="Every start, every reload and every new worker takes that long."
)
def slow_imports(subject: Subject) -> Iterator[Finding]:
    """How long the mount takes to load, including modules that no earlier mount has imported."""
    for member in subject.members:
        if member.module and member.effects.seconds >= _SLOW:
            message = f"loading it takes {member.effects.seconds:.1f} s"
            cure = f'See what takes the time: python -X importtime -c "import {member.module}"'
            yield slow_imports.found(member, message=message, cure=cure)


@check("MS165", "note", "an application is large", consequence="Each worker needs that much memory.")
def large_imports(subject: Subject) -> Iterator[Finding]:
    """How much the process grows while the mount loads, including modules that no earlier mount has imported."""
    for member in subject.members:
        if member.effects.memory >= _LARGE:
            message = f"loading it takes {member.effects.memory / 2**20:.0f} MB"
            yield large_imports.found(member, message=message, cure="Let the workers share it with preload_app = true.")


@check(
    "MS166", "warning", "an import disables existing loggers", consequence="The records of other applications are lost."
)
def disabled_loggers(subject: Subject) -> Iterator[Finding]:
    """By default, dictConfig and fileConfig of Python's logging disable every logger that exists already.

    These include the loggers of the other applications in the process. If only loggers of libraries are disabled, that
    may be intended, and the finding is a note.
    """
    for member in subject.members:
        names = member.effects.disabled_loggers
        if names and not subject.is_alone(member):
            others = {each.module.partition(".")[0] for each in subject.members if each is not member} - {""}
            of_others = [name for name in names if name.partition(".")[0] in others]
            shown = (of_others or names)[:_SHOWN]
            more = " and others" if len(names) > len(shown) else ""
            yield disabled_loggers.found(
                member,
                message=f"loading it disables loggers that exist already: {', '.join(shown)}{more}",
                cure=_or_alone(
                    subject, member, 'Write "disable_existing_loggers": False into its logging configuration.'
                ),
                severity="warning" if of_others else "note",
                consequence="" if of_others else "Records of libraries may be lost.",
            )


@check("MS167", "note", "an import changes the time zone", consequence="Local times in other applications may change.")
def time_zones(subject: Subject) -> Iterator[Finding]:
    """Django sets the environment variable TZ of the whole process to its TIME_ZONE.

    (The default is America/Chicago.) The local times of all other applications are then in that time zone.
    """
    for member in subject.members:
        zone = member.effects.time_zone
        if zone and any(each.module and each is not member for each in subject.members):
            message = f"loading it sets the time zone of the process to {zone}"
            cure = f'Write TZ = "{zone}" under {subject.table("env")}, or in the environment if that sets TZ.'
            cure = _or_alone(subject, member, cure)
            yield time_zones.found(member, message=message, cure=cure)


@check(
    "MS168",
    "warning",
    "an import changes the timeout of sockets",
    consequence="Connections of other applications may time out.",
)
def socket_timeouts(subject: Subject) -> Iterator[Finding]:
    """socket.setdefaulttimeout applies to every socket that any application in the process creates afterwards."""
    for member in subject.members:
        if member.effects.socket_timeout is not None and not subject.is_alone(member):
            message = f"loading it sets the default timeout of all sockets to {member.effects.socket_timeout:g} s"
            cure = _or_alone(subject, member, "Set a timeout for each connection instead.")
            yield socket_timeouts.found(member, message=message, cure=cure)


def _or_alone(subject: Subject, member: CheckedMount, cure: str) -> str:
    """Return a cure, and a process of its own as another one: what the application does concerns nobody else there."""
    return f"{cure} Or run it in a process of its own: {subject.own_process(member)}."


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

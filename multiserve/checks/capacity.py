"""Checks of how production would serve a composition.

Threads, workers, their memory and what they keep in it, and the address.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from multiserve.checks.check import check
from multiserve.checks.subject import CheckedMount, Load, Subject
from multiserve.config.mounts import AppMount
from multiserve.findings import Finding
from multiserve.frameworks.worker_state import MCP, SHINY, STREAMLIT, kept_in_worker
from multiserve.hosts import authority


@check("MS170", "note", "an application may not be thread-safe", consequence="It may break under load.")
def thread_safety(subject: Subject) -> Iterator[Finding]:
    """A database connection, or a similar object, at the top level of a module is shared by all threads.

    With several workers of one thread each, no two requests share a process at the same time.
    """
    for member in subject.applications:
        hints = member.facts.thread_hints if member.facts else ()
        threads, setting = _threads(subject, member)
        if hints and threads > 1:
            message = f"its views may share {', '.join(hints)} between {threads} threads"
            cure = f"Create one for each request or thread, or set threads = 1 {setting}."
            yield thread_safety.found(member, message=message, cure=cure)


def _threads(subject: Subject, member: CheckedMount) -> tuple[int, str]:
    """Return the number of threads of a WSGI application, and where it is set; 1 for an ASGI application."""
    if member.loaded.interface != "wsgi":
        return 1, ""
    has_other_worker = subject.interface == "wsgi" and "worker_class" in subject.config.gunicorn
    if isinstance(member.mount, AppMount) and not has_other_worker:
        return member.mount.threads, "on the mount"
    return int(subject.gunicorn.get("threads") or 1), f"under {subject.table('gunicorn')}"


@check(
    "MS171",
    "note",
    "the workers may need more memory than there is",
    consequence="The system may kill workers.",
    scope="origin",
)
def memory(subject: Subject) -> Iterator[Finding]:
    """Each worker loads every application.

    Production therefore needs the memory of this process, which has loaded all of them once, for each worker, unless
    preload_app lets the workers share it. Only --production looks for this, because the result is meaningful only
    on the machine that serves the applications.
    """
    available = _available()
    here = load_of(subject)
    loads = [load for load in (here, *subject.groups) if not load.is_shared]
    needed = sum(load.workers * load.resident for load in loads)
    if not subject.is_production or not all(load.resident for load in loads) or not available or needed <= available:
        return
    tables = [*(["[gunicorn]"] if here in loads else []), *(f"[groups.{load.group}]" for load in loads if load.group)]
    yield memory.found(
        message=f"{' and '.join(map(_size, loads))} may not fit into the {available / 2**20:.0f} MB there are",
        cure=f"Set fewer workers, or preload_app = true, under {' and '.join(tables)}.",
        key=subject.key("gunicorn"),
    )


def _size(load: Load) -> str:
    workers = "1 worker" if load.workers == 1 else f"{load.workers} workers"
    owner = f" of the group {load.group}" if load.group else ""
    return f"{workers}{owner} of {load.resident / 2**20:.0f} MB"


def load_of(subject: Subject) -> Load:
    """Return what this process costs in production, once it has loaded its mounts."""
    return Load(
        group=subject.config.group,
        resident=_resident(),
        workers=int(subject.gunicorn.get("workers") or 1),
        is_shared=bool(subject.gunicorn.get("preload_app")),
    )


@check(
    "MS172", "warning", "clients need the same worker each time", consequence="Some of their requests fail, at random."
)
def sticky(subject: Subject) -> Iterator[Finding]:
    """Each request goes to whichever worker is free, and no worker knows what another one keeps in its memory.

    Servers of MCP keep sessions, unless they are stateless, Gradio the events of its queue, NiceGUI its pages,
    Panel its sessions, and Socket.IO its connections: a second request of a client may come to a worker that has never
    heard of it. Streamlit and Shiny do most over one WebSocket, which stays where it is, so that it is a note. A proxy
    in front cannot help, because all workers listen on one address. Only --production looks for this.
    """
    workers = int(subject.gunicorn.get("workers") or 1)
    if subject.config.engine and "workers" not in subject.config.gunicorn:
        return  # an export sets 1
    if not subject.is_production or workers < 2:  # noqa: PLR2004 (one worker has all clients)
        return
    seen: set[int] = set()
    for member in subject.members:
        kept = kept_in_worker(member.loaded.origin)
        if not kept or id(member.loaded.origin) in seen:
            continue
        seen.add(id(member.loaded.origin))
        is_note = kept in (SHINY, STREAMLIT)
        other = ", or make its application with stateless_http=True" if kept == MCP else ""
        yield sticky.found(
            member,
            message=f"its {kept} are each in one of {workers} workers",
            cure=f"Set workers = 1 under {subject.table('' if subject.config.group else 'gunicorn')}{other}.",
            severity="note" if is_note else "warning",
            consequence="Requests beside the WebSocket may fail, at random." if is_note else "",
        )


@check(
    "MS173",
    "note",
    "production has two addresses",
    consequence="A proxy or a health check that asks the other one finds nothing.",
    scope="origin",
)
def two_addresses(subject: Subject) -> Iterator[Finding]:
    """In production bind under [gunicorn] replaces host and port under [server]; multiserve run listens on the latter.

    That may be intended, so it is a note, for which only --production looks. Nothing is reported if both are the same
    address, or if bind is a unix socket.
    """
    config = subject.config
    names = [name for name in ("host", "port") if subject.key(f"server.{name}") in config.written]
    bind = config.gunicorn.get("bind")
    if not subject.is_production or not names or not bind:
        return
    addresses = [bind] if isinstance(bind, str) else bind
    address = authority(config.server.host, config.server.port)
    same = address if "host" in names else f":{config.server.port}"
    if any(each.endswith(same) or each.startswith(("unix:", "fd:")) for each in addresses):
        return
    yield two_addresses.found(
        message=f"production listens on {', '.join(addresses)} (bind), not on {address} (host and port)",
        cure=f"Remove {' and '.join(names)} under [server], or bind under [gunicorn].",
        key=subject.key("gunicorn.bind"),
    )


def _resident() -> int:
    return _read_kilobytes("/proc/self/status", "VmRSS:")


def _available() -> int:
    """Return the bytes that are free for the workers, in the machine or its container; 0 if unknown."""
    free = _read_kilobytes("/proc/meminfo", "MemAvailable:")
    allowed = _read("/sys/fs/cgroup/memory.max").strip()
    sizes = [free + _resident()] if free else []
    return min([*sizes, *([int(allowed)] if allowed.isdecimal() else [])], default=0)


def _read_kilobytes(path: str, name: str) -> int:
    """Return a figure of proc(5) in bytes; 0 if the system has none."""
    return next((int(line.split()[1]) * 1024 for line in _read(path).splitlines() if line.startswith(name)), 0)


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii", "replace")
    except OSError:
        return ""


CHECKS = (thread_safety, memory, sticky, two_addresses)

"""Checks of what an application and its server both do, or neither: proxies, lifespans, interfaces, files of a host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from multiserve._types import Interface
from multiserve.checks.check import check
from multiserve.checks.subject import CheckedMount, Subject, host_of
from multiserve.config.mounts import AppMount
from multiserve.config.tables import quote_text
from multiserve.findings import Edit, Finding
from multiserve.frameworks.lifespans import inner_lifespans
from multiserve.frameworks.wrappers import wrapper_in
from multiserve.loading.interfaces import is_async, signature_of, takes

_COUNTS = ("x_for", "x_proto", "x_host", "x_port")
# Browsers and crawlers ask for them at the root of a host, and nowhere else.
_OF_THE_HOST = ("/ads.txt", "/favicon.ico", "/robots.txt", "/security.txt")
_WELL_KNOWN = "/.well-known/"


@check(
    "MS152",
    "warning",
    "an application counts proxies by itself",
    consequence="Clients may choose the address, the host or the scheme that it sees.",
)
def proxy_fixes(subject: Subject) -> Iterator[Finding]:
    """ProxyFix of werkzeug reads the X-Forwarded headers, as trusted_proxies under [server] does for all mounts.

    One that takes the prefix from X-Forwarded-Prefix replaces that of the mount. One that counts other proxies than
    trusted_proxies believes what a client has written, or what an inner proxy has. With trusted_proxies = 0 it is a
    note: the proxy in front may be a known one, but the other mounts do not know what it says.
    """
    trusted = subject.trusted_proxies
    for member in subject.members:
        fix = wrapper_in(member.loaded.origin, "werkzeug.middleware.proxy_fix", "ProxyFix")
        counts = {name: getattr(fix, name, 0) for name in (*_COUNTS, "x_prefix")}
        most = max((count for count in counts.values() if isinstance(count, int)), default=0)
        cure = f"Set trusted_proxies = {most} under [server], and remove ProxyFix."
        if trusted and (others := {counts[name] for name in _COUNTS} - {0, trusted}):
            message = f"its ProxyFix counts {max(others)} proxies, and trusted_proxies is {trusted}"
            yield proxy_fixes.found(member, message=message, cure="Remove ProxyFix.")
        elif not trusted and counts["x_prefix"] and member.prefix:
            message = f"its ProxyFix takes X-Forwarded-Prefix in place of {member.prefix}, not in front of it"
            consequence = "Behind a proxy that sends the header its URLs lose the prefix of the mount."
            yield proxy_fixes.found(member, message=message, cure=cure, consequence=consequence)
        elif not trusted and most:
            message = "its ProxyFix believes X-Forwarded headers, and trusted_proxies is 0"
            consequence = "The other mounts do not; without a proxy in front, clients can write these headers."
            yield proxy_fixes.found(member, message=message, cure=cure, severity="note", consequence=consequence)


@check(
    "MS153",
    "warning",
    "nobody runs the lifespan of an application inside another one",
    consequence="What it makes at its start is missing, such as connections, and its requests may fail.",
)
def lost_lifespans(subject: Subject) -> Iterator[Finding]:
    """Starlette and FastAPI run their own lifespan, and none of the applications that they mount.

    A server of MCP that is mounted so answers 500, because its sessions have not been started. Where the outer
    application has a lifespan of its own, which may run the other one, the finding is a note.
    """
    for member in subject.applications:
        for inner in inner_lifespans(member.facts.application) if member.facts else ():
            url = f"{member.prefix}{inner.path}".rstrip("/") or "/"
            yield lost_lifespans.found(
                member,
                message=f"the application that it mounts at {url} has a lifespan, which "
                + ("its own one may not run" if inner.may_be_run else "nobody runs"),
                cure=f'Mount that application in the file, at "{url}", or run its lifespan in that of the outer one.',
                severity="note" if inner.may_be_run else "warning",
            )


@check(
    "MS154",
    "error",
    "`interface` is not that of the application",
    consequence="Each of its requests gets 500.",
)
def wrong_interfaces(subject: Subject) -> Iterator[Finding]:
    """With `interface` the file says whether an application is WSGI or ASGI, which then is not looked at.

    An application that can be called in one way only, and is declared to be of the other interface, cannot answer.
    """
    for member in subject.members:
        declared = member.mount.interface if isinstance(member.mount, AppMount) else None
        found = _certain_interface(member.loaded.origin) if declared else None
        if declared and found and found != declared:
            message = f'it is declared as interface = "{declared}", and it is {found.upper()}'
            key = f"{member.mount.toml_key}.interface"
            edit = Edit(key=key)
            yield wrong_interfaces.found(member, message=message, cure="Remove interface.", key=key, edit=edit)


def _certain_interface(application: Any) -> Interface | None:
    if not callable(application) or isinstance(application, type):
        return None
    signature = signature_of(application, follow_wrapped=False)
    two, three = takes(signature, 2) and not is_async(application), takes(signature, 3)
    if two == three:
        return None
    return "wsgi" if two else "asgi"


@check(
    "MS155",
    "note",
    "a file of the whole host is below a prefix",
    consequence="Nobody asks for it there.",
    scope="origin",
)
def files_of_the_host(subject: Subject) -> Iterator[Finding]:
    """Browsers and crawlers look for /robots.txt, /favicon.ico and what is below /.well-known at the root of a host.

    An application that has a route for one of them is mounted at a prefix, and no mount answers at the root. If the
    mount at the root may have the path, nothing is reported.
    """
    for member in subject.readable:
        routes = (member.facts.routes if member.facts else ()) or ()
        paths = sorted({each.path for each in routes if _is_of_the_host(each.path)}) if member.prefix else []
        lost = [path for path in paths if subject.find(path, host_of(member.mount.key)) is None]
        if lost:
            yield _lost_file(subject, member, lost)


def _is_of_the_host(path: str) -> bool:
    return path in _OF_THE_HOST or (path.startswith(_WELL_KNOWN) and "{" not in path and "<" not in path)


def _lost_file(subject: Subject, member: CheckedMount, paths: list[str]) -> Finding:
    host = str(member.mount.key).partition("/")[0]
    key, value = quote_text(f"{host}{paths[0]}"), f"{{ redirect = {quote_text(f'{member.prefix}{paths[0]}')} }}"
    edit = Edit(key=subject.key(f"mounts.{key}"), new=value) if len(paths) == 1 else None
    return files_of_the_host.found(
        member,
        message=f"it has {', '.join(paths)}, and no mount answers at the root of the host",
        cure=f"Add {key} = {value} under [mounts].",
        edit=edit,
    )


CHECKS = (proxy_fixes, lost_lifespans, wrong_interfaces, files_of_the_host)

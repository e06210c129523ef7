"""A check of the static files that an application links to, and that nothing serves in production."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from multiserve.checks.check import check
from multiserve.checks.subject import CheckedMount, Subject, host_of
from multiserve.findings import Finding
from multiserve.frameworks import StaticFiles

_NAME = "staticfiles"  # what Django's documentation calls the folder


@check(
    "MS142",
    "warning",
    "nothing serves the static files of Django",
    consequence="Its pages come without styles.",
    scope="origin",
)
def static_files(subject: Subject) -> Iterator[Finding]:
    """Django serves the static files of its apps in development only, the admin's among them.

    In production they are collected into one folder, which a static mount serves, or WhiteNoise, or the proxy in front.
    Only --production looks for this. Where they have been collected it is a note, for a proxy may serve the folder.
    """
    for member in subject.readable if subject.is_production else ():
        files = member.facts.static_files if member.facts else None
        if files is None or _may_serve_them(subject, member):
            continue
        url = files.url if files.url.startswith("/") else f"{member.prefix}/{files.url}"
        if subject.find(url, host_of(member.mount.key)) is member.mount:
            yield _unserved(subject, member, files, url)


def _may_serve_them(subject: Subject, member: CheckedMount) -> bool:
    """Return whether something around the application may serve files, such as WhiteNoise."""
    around = [*subject.config.middleware, *subject.config.server.middleware, *member.mount.middleware]
    texts = [*(target.text for target in around), *(member.facts.wrappers if member.facts else ())]
    return any(word in text.lower() for text in texts for word in ("whitenoise", "static", "cling"))


def _unserved(subject: Subject, member: CheckedMount, files: StaticFiles, url: str) -> Finding:
    is_collected = bool(files.folder) and _has_something(files.folder)
    folder = files.folder or os.path.join(files.project or subject.config.folder, _NAME)  # noqa: PTH118 (text)
    steps = [] if is_collected else ["run manage.py collectstatic"]
    if not files.folder:
        base = f'BASE_DIR / "{_NAME}"' if files.project else f'"{folder}"'
        steps.insert(0, f"set STATIC_ROOT = {base}")
    host = str(member.mount.key).partition("/")[0]
    line = f'"{host}{url.rstrip("/")}" = {{ static = "{subject.shorten(folder)}" }}'
    cure = f"{', '.join(steps)}{', and ' if steps else ''}add {line} under [mounts]"
    if is_collected:
        return static_files.found(
            member,
            message=f"no mount answers {url}, where it has its static files",
            cure=f"{cure[0].upper()}{cure[1:]}.",
            severity="note",
            consequence="Its pages may come without styles, unless a proxy in front serves them.",
        )
    why = "STATIC_ROOT is empty" if files.folder else "it has no STATIC_ROOT"
    message = f"{why}, and no mount answers {url}, where it has its static files"
    return static_files.found(member, message=message, cure=f"{cure[0].upper()}{cure[1:]}.")


def _has_something(folder: str) -> bool:
    try:
        return any(Path(folder).iterdir())
    except OSError:
        return False


CHECKS = (static_files,)

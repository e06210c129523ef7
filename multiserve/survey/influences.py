"""What the mounts of one process change in each other, as findings: for `check --alone`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from multiserve.checks.subject import CheckedMount, Subject
from multiserve.findings import Finding
from multiserve.probing import ProbeResult
from multiserve.probing.topics import PROBED
from multiserve.survey.alone import Processes
from multiserve.survey.causes import Influence, find_influences
from multiserve.survey.found import Observe

_MOST_URLS = 10  # for each mount


def compare_alone(
    subject: Subject, probes: Sequence[ProbeResult], environ: Mapping[str, str], *, production: bool, progress: Observe
) -> tuple[list[ProbeResult], list[Finding]]:
    """Load each mount alone as well, and return the results of the probe anew, and what else is found.

    Args:
        subject: All mounts.
        probes: What has been asked.
        environ: The environment variables before the configuration has set any.
        production: Whether to look at the mounts as production would serve them.
        progress: Show that a mount is being loaded.
    """
    urls: dict[str, list[str]] = {}
    for result in probes:
        if not result.skipped:
            urls.setdefault(result.mount, []).append(result.url)
    influences: list[Influence] = []
    config = subject.config
    for group in ("", *config.groups):
        members = [each for each in subject.members if each.mount.group == group and each.mount.loads_code]
        processes = Processes(
            config=config,
            group=group,
            environ=environ,
            urls={name: each[:_MOST_URLS] for name, each in urls.items()},
            interface="asgi" if any(each.loaded.interface == "asgi" for each in members) else None,
            production=production,
            progress=progress,
        )
        influences += find_influences(processes, [each.mount for each in members])
    return _told(subject, probes, influences)


def _told(
    subject: Subject, probes: Sequence[ProbeResult], influences: Sequence[Influence]
) -> tuple[list[ProbeResult], list[Finding]]:
    """Return the results without the failures whose cause is known now, and the findings."""
    explained = {(each.mount.name, each.url) for each in influences if each.difference.what == "error"}
    results = [
        replace(result, findings=tuple(each for each in result.findings if each.code != "MS207"))
        if (result.mount, result.url) in explained
        else result
        for result in probes
    ]
    return results, list(_findings(subject, influences))


def _findings(subject: Subject, influences: Sequence[Influence]) -> Iterator[Finding]:
    members = {each.mount.name: each for each in subject.members}
    changed_by = Counter(each.cause.name for each in influences if each.cause)
    for influence in influences:
        what, cause = influence.difference.what, influence.cause
        mount = members[influence.mount.name]
        is_note = cause is None or what in ("more", "recovery")
        is_failure = what == "error" and influence.url
        yield PROBED["MS207" if is_failure else "MS209"].finding(
            mounts=[each.name for each in (influence.mount, cause) if each],
            key=influence.mount.place,
            url=influence.url,
            message=_message(influence),
            severity="note" if is_note else "error" if what == "error" else "warning",
            consequence="" if influence.url else "Requests to this mount are answered with 503.",
            cure=_cure(subject, mount, members[cause.name] if cause and changed_by[cause.name] > 1 else mount),
        )


def _message(influence: Influence) -> str:
    difference = influence.difference
    cause = f"because of {influence.cause.name}" if influence.cause else "beside the other mounts"
    may = "" if influence.cause else ", which several of them may cause together"
    return f"{difference.here} {cause}; alone {difference.alone}{may}"


def _cure(subject: Subject, mount: CheckedMount, moved: CheckedMount) -> str:
    where = "it" if moved is mount else moved.mount.name
    return f"Run {where} in a process of its own: {subject.own_process(moved)}."

"""What `ignore` lists for nothing: codes that no check has, and codes without a finding once all is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from multiserve.checks import engines
from multiserve.checks.check import check
from multiserve.checks.subject import CheckedMount, Subject
from multiserve.config.model import Config
from multiserve.findings import Edit, Finding, Topic


@check("MS100", "warning", "`ignore` lists an unknown code", consequence="It has no effect.", scope="origin")
def unknown_codes(subject: Subject) -> Iterator[Finding]:
    """`ignore` lists the codes of checks. A code that no check has is most likely a typing mistake."""
    from multiserve.checks import TOPICS

    known = TOPICS.keys() | subject.plugin_codes
    ignored: list[tuple[str, str, tuple[CheckedMount, ...]]]
    ignored = [(code, subject.key("ignore"), ()) for code in subject.config.ignore]
    ignored += [
        (code, f"{each.mount.toml_key}.ignore", (each,)) for each in subject.members for code in each.mount.ignore
    ]
    for code, key, members in ignored:
        if code not in known:
            message, cure = f'no check has the code "{code}"', f'Remove "{code}" from ignore.'
            yield unknown_codes.found(*members, message=message, cure=cure, key=key, edit=Edit(key=key, old=code))


NEEDLESS = Topic(
    code="MS117",
    severity="note",
    title="`ignore` lists a code that nothing needs",
    consequence="It would keep a new finding of that code silent.",
    explanation="What a code was ignored for has been corrected, or was never there. Codes that depend on the machine, "
    "on --probe, --alone, --production or --for are told only where this run has looked for them.",
)
_PROBED = "MS2"  # how the codes of probes begin
_ALONE = "MS209"
_IN_PRODUCTION = ("MS142", "MS150", "MS156", "MS171", "MS172", "MS173")
_FOR_ENGINES = tuple(each.code for each in engines.CHECKS)  # which of them are looked for depends on the engine
_IN_DEVELOPMENT = ("MS151",)
_OF_THE_MACHINE = ("MS164", "MS165", "MS171", "MS180")


def find_needless(
    findings: Sequence[Finding],
    config: Config,
    known: Sequence[str],
    *,
    production: bool,
    probed: bool,
    alone: bool = False,
) -> Iterator[Finding]:
    """Find the codes of `ignore` of which there is no finding.

    Args:
        findings: Everything that was found in the whole file.
        config: The configuration.
        known: The codes that are looked for.
        production: Whether it was looked at as production would serve it.
        probed: Whether requests were sent.
        alone: Whether they were sent to each mount alone as well.
    """
    skipped = {
        *_OF_THE_MACHINE,
        *_FOR_ENGINES,
        *(() if alone else (_ALONE,)),
        *(_IN_DEVELOPMENT if production else _IN_PRODUCTION),
    }
    looked_for = {code for code in known if code not in skipped and (probed or not code.startswith(_PROBED))}
    prefix = f"{config.root}." if config.root else ""
    for code in dict.fromkeys(config.ignore):
        if code in looked_for and all(each.code != code for each in findings):
            yield _needless(code, (), f"{prefix}ignore")
    for mount in config.mounts:
        for code in dict.fromkeys(mount.ignore):
            if code in looked_for and not any(each.code == code and mount.name in each.mounts for each in findings):
                yield _needless(code, (mount.name,), f"{mount.toml_key}.ignore")


def _needless(code: str, mounts: tuple[str, ...], key: str) -> Finding:
    message = f"{code} is ignored, and there is no such finding"
    cure = f'Remove "{code}" from ignore.'
    return NEEDLESS.finding(mounts=mounts, key=key, message=message, cure=cure, edit=Edit(key=key, old=code))


CHECKS = (unknown_codes,)

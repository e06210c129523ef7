"""Checks of what applications share on one origin: the cookies of their sessions, and the keys that sign them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from multiserve.checks.check import check
from multiserve.checks.setting_edits import edit_of_setting
from multiserve.checks.subject import CheckedMount, Subject
from multiserve.findings import Finding
from multiserve.frameworks import Cookie, distinct_name

# Frameworks that sign their sessions in the same way, so that each can read those of the other.
_FAMILIES = (("Dash", "Flask", "Quart"), ("FastAPI", "Starlette"))


@check(
    "MS121", "warning", "two applications set the same cookie", consequence="They log each other out.", scope="origin"
)
def cookies(subject: Subject) -> Iterator[Finding]:
    """Browsers keep one cookie for each name, host and path.

    Two applications on one origin whose session cookies have the same name and path overwrite each other's cookie, and
    neither can read what the other has signed. Two applications that sign with the same key share their session on
    purpose and are not reported, unless the key is a well-known one. Hosts whose cookies are set for the same domain
    count as one origin. Another path may not be enough, because below it browsers send both cookies.
    """
    groups: list[tuple[Cookie, dict[object, tuple[CheckedMount, Cookie]]]] = []
    for one, other in combinations(subject.readable, 2):
        if one.identity == other.identity or _share_on_purpose(one, other):
            continue
        for first, second in _same_cookies(subject, one, other):
            pair = {one.identity: (one, first), other.identity: (other, second)}
            same = (found for cookie, found in groups if _is_same(cookie, first) and found.keys() & pair.keys())
            group = next(same, None)
            if group is None:
                groups.append((first, pair))
            else:
                group.update({identity: each for identity, each in pair.items() if identity not in group})
    for cookie, group in groups:
        yield _clash(subject, cookie, list(group.values()))


def _same_cookies(subject: Subject, one: CheckedMount, other: CheckedMount) -> Iterator[tuple[Cookie, Cookie]]:
    """Find the cookies that overwrite each other, on one host or in a domain that both are set for."""
    shares_a_host = subject.share_a_host(one, other)
    mine = one.facts.cookies if one.facts else None
    theirs = other.facts.cookies if other.facts else None
    for first in mine or ():
        for second in theirs or ():
            if _is_same(first, second) and (shares_a_host or first.domain):
                yield first, second


def _is_same(one: Cookie, other: Cookie) -> bool:
    return _place(one) == _place(other)


def _place(cookie: Cookie) -> tuple[str, str, str]:
    return cookie.name, cookie.path, cookie.domain.lstrip(".")


def _clash(subject: Subject, cookie: Cookie, group: list[tuple[CheckedMount, Cookie]]) -> Finding:
    """Make the finding, which advises the application with the longer prefix to change."""
    ordered = sorted(group, key=lambda each: len(each[0].prefix))[::-1]  # of two equally long ones, the later
    members = tuple(member for member, _ in ordered)
    key = str(members[0].mount.key)
    setting, name = ordered[0][1].setting, distinct_name(cookie.name, key)
    change = f'{setting} = "{name}" in the application at {key}'
    is_certain = all(member.facts and member.facts.secret for member in members)
    who = _who(members)
    return cookies.found(
        *members,
        message=f'{who} {"" if is_certain else "may "}set the cookie "{cookie.name}" for the path {cookie.path}',
        cure=f"Set {change}." if who == "both" else f"Give each a name of its own, such as {change}.",
        severity="warning" if is_certain else "note",
        consequence="" if is_certain else "They may log each other out.",
        edit=edit_of_setting(subject, members[0], setting, cookie.name, name) if who == "both" else None,
    )


def _who(members: Sequence[CheckedMount]) -> str:
    return "both" if len(members) == 2 else "all of them"  # noqa: PLR2004 (both are two)


def _share_on_purpose(one: CheckedMount, other: CheckedMount) -> bool:
    """Return whether each application can read what the other has signed, with a key that is not publicly known."""
    secret = one.facts.secret if one.facts else None
    group = _readers(one)
    return group is not None and group == _readers(other) and secret is not None and secret.how == "set"


def _readers(member: CheckedMount) -> tuple[str, ...] | None:
    """Return a value that is equal for applications that can read each other's sessions; None without a key."""
    if not member.facts or not member.facts.secret or not member.facts.secret.fingerprint:
        return None
    framework = member.facts.framework
    family = next((each for each in _FAMILIES if framework in each), (framework,))
    return member.facts.secret.fingerprint, *family


@check(
    "MS122",
    "note",
    "applications sign with the same key",
    consequence="Each may accept a session of the other.",
    scope="origin",
)
def shared_secrets(subject: Subject) -> Iterator[Finding]:
    """An application accepts whatever another one of the same framework has signed with the same key.

    A customer's session may be accepted as one of the staff. If the applications share their session on purpose,
    ignore this code. Keys are compared by their fingerprints and never shown.
    """
    groups: defaultdict[tuple[str, ...], list[CheckedMount]] = defaultdict(list)
    for member in subject.applications:
        readers = _readers(member)
        if readers and member.facts and member.facts.secret and member.facts.secret.how == "set":
            groups[readers].append(member)
    for members in groups.values():
        if len(members) > 1:
            setting = members[0].facts.secret.setting if members[0].facts and members[0].facts.secret else ""
            message = f"{setting} of {_who(members)} is the same"
            yield shared_secrets.found(*members, message=message, cure="Give each application a key of its own.")


@check("MS123", "note", "a key is publicly known", consequence="Anybody can forge sessions.", scope="origin")
def default_secrets(subject: Subject) -> Iterator[Finding]:
    """The key that signs sessions comes from a template or a tutorial, such as "dev", "secret" or "django-insecure-".

    With --production this is a warning.
    """
    for member in subject.applications:
        secret = member.facts.secret if member.facts else None
        if secret and secret.how == "default":
            yield default_secrets.found(
                member,
                message=f"its {secret.setting} comes from a template or a tutorial",
                cure='Generate a random one: python -c "import secrets; print(secrets.token_hex())"',
                severity="warning" if subject.is_production else "note",
            )


CHECKS = (cookies, shared_secrets, default_secrets)

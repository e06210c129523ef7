"""The explanation of each code, for `check --explain` and docs/checks.md; nothing here prints."""

from __future__ import annotations

import functools
import importlib.metadata
import textwrap
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from multiserve.findings import NOT_LOADED, Topic

_PAGE = "docs/checks.md"
_WIDTH = 100  # characters of a line in a terminal
_WIDTH_OF_DOCUMENTS = 120


def explained(topic: Topic) -> str:
    """Return what `check --explain` prints about a code."""
    body = _filled(f"{topic.explanation} {topic.consequence}", _WIDTH)
    ignoring = f'Ignored by ignore = ["{topic.code}"] at the top of the file, or on a mount.'
    return f"{topic.code} ({topic.severity}): {topic.title}\n\n{body}\n\n{ignoring}"


def listed(topics: Iterable[Topic], severity: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return what `check --list` prints: a line for each code.

    Args:
        topics: What is known about the codes.
        severity: How severe the findings of some codes are, as the file says.
    """
    return "\n".join(f"{each.code}  {severity.get(each.code, each.severity):<7}  {each.title}" for each in topics)


def documentation_of(code: str) -> str:
    """Return where docs/checks.md has a code; empty for those of plugins, and for a mount that cannot be loaded."""
    if not code.startswith("MS") or code == NOT_LOADED:
        return ""
    return f"{_documentation()}{_PAGE}#{code.lower()}"


@functools.cache
def _documentation() -> str:
    """Return the URL of the documentation with a slash at its end; empty while the project has none."""
    urls = importlib.metadata.metadata("multiserve").get_all("Project-URL") or []
    found = dict(each.split(", ", 1) for each in urls).get("Documentation", "")
    return f"{found.rstrip('/')}/" if found else ""


def handbook(topics: Iterable[Topic]) -> str:
    """Return docs/checks.md: every topic of the checks and of the probe."""
    return "\n".join([_PREFACE, *map(_section, topics)])


def _section(topic: Topic) -> str:
    severity = topic.severity.capitalize()
    body = _filled(topic.explanation, _WIDTH_OF_DOCUMENTS)
    anchor = f'<a id="{topic.code.lower()}"></a>'  # a short one, which stays when the title changes
    return f"{anchor}\n\n## {topic.code}: {topic.title}\n\n*{severity}.* {topic.consequence}\n\n{body}\n"


def _filled(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


_PREFACE = """\
# What `multiserve check` finds

<!-- Written by: python -c "from multiserve.checks import TOPICS; from multiserve.reports.handbook import handbook
print(handbook(TOPICS.values()), end='')" > docs/checks.md -->

`multiserve check` loads every mount and then checks the composition as a whole. Each finding has a code, whose meaning
never changes, the mounts concerned, what happens if nothing is changed, and the change that cures it. With `--probe` it
also sends requests to each application; the codes of what that finds begin at MS201.

- An **error** breaks something, and `check` exits with 1.
- A **warning** breaks something under some requests; with `--strict` it counts as an error.
- A **note** may break something, or is uncertain.

The severity below is the usual one. If a finding is less certain it is a note, and its text says "may".

`multiserve check --explain MS102` prints the same in a terminal. `ignore = ["MS102"]` at the top of the file, or on a
mount, silences a code; a finding that concerns several mounts is silent if one of them ignores it.
`select = ["MS2"]`, or `--select MS2`, reports nothing but the codes that begin with that, and
`severity = { MS205 = "error" }` changes how severe a code is: `off`, `note`, `warning` or `error`. `multiserve check
--list` prints all codes, each with the severity that it has under the file. `--format json`, `github`, `sarif` and
`junit` print the findings for other programs, as annotations of GitHub Actions, for code scanning, and as a report of
tests; the first of these has the place in this document for each finding, and so has the text with `-v`.
"""

"""What is known about each code: the answer of `check --explain`, and docs/checks.md; it prints nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from multiserve.findings import Topic

_WIDTH = 100  # characters of a line in a terminal
_WIDTH_OF_DOCUMENTS = 120


def explained(topic: Topic) -> str:
    """Tell more about one check, or about what probing finds."""
    body = _filled(f"{topic.explanation} {topic.consequence}", _WIDTH)
    ignoring = f'Ignored by ignore = ["{topic.code}"] at the top of the file, or on a mount.'
    return f"{topic.code} ({topic.severity}): {topic.title}\n\n{body}\n\n{ignoring}"


def handbook(topics: Iterable[Topic]) -> str:
    """Give docs/checks.md: every check with all that is known about it, and everything that probing finds."""
    return "\n".join([_PREFACE, *map(_section, topics)])


def _section(topic: Topic) -> str:
    severity = topic.severity.capitalize()
    body = _filled(topic.explanation, _WIDTH_OF_DOCUMENTS)
    return f"## {topic.code}: {topic.title}\n\n*{severity}.* {topic.consequence}\n\n{body}\n"


def _filled(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


_PREFACE = """\
# What `multiserve check` finds

<!-- Written by: python -c "from multiserve.checks import TOPICS; from multiserve.reports.handbook import handbook
print(handbook(TOPICS.values()), end='')" > docs/checks.md -->

`multiserve check` loads every mount and then looks at the composition as a whole. Each finding has a code, which never
changes its meaning, the mounts that it concerns, what happens if it stays, and the change that cures it. With `--probe`
it asks each application for its root, too; what comes of that has the codes from MS201 on.

- An **error** breaks something, and makes `check` exit with 1.
- A **warning** will break something under some requests; `--strict` makes it fail, too.
- A **note** is about something that may break, or that is not certain.

The severity below is the usual one; where a finding is less certain it is a note, and its text says "may".

`multiserve check --explain MS102` tells the same in a terminal. `ignore = ["MS102"]` at the top of the file, or on a
mount, keeps a check silent; of the mounts that a finding concerns, it is enough that one ignores it. With
`--format json` or `--format github` the findings are for machines, and for the annotations of GitHub Actions.
"""

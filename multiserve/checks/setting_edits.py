"""The edits of settings in the Python files of applications, where no other application has its settings there too."""

from __future__ import annotations

from multiserve.checks.subject import CheckedMount, Subject
from multiserve.config.tables import quote_text
from multiserve.findings import Edit
from multiserve.frameworks.settings_files import settings_file


def edit_of_setting(subject: Subject, member: CheckedMount, name: str, old: str, new: str | None) -> Edit | None:
    """Return the edit that gives a setting of an application a new value; None where the file is not known.

    Args:
        subject: All mounts.
        member: One of the mounts of the application.
        name: The name of the setting.
        old: The value that it has.
        new: The new value; None to remove it.
    """
    file = _file(member)
    others = (each for each in subject.readable if each.identity != member.identity)
    if not file or any(_file(each) == file for each in others):
        return None
    adds = member.facts is not None and member.facts.framework == "Django"
    return Edit(key=name, old=old, new=None if new is None else quote_text(new), file=file, adds=adds)


def _file(member: CheckedMount) -> str:
    return settings_file(member.facts) if member.facts and not member.mount.group else ""

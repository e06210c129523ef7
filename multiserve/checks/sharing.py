"""Checks of what applications share in one process: the settings of Django, modules, loggers."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from multiserve.checks.check import check
from multiserve.checks.modules import find_mistakes, folder_of
from multiserve.checks.subject import CheckedMount, Subject
from multiserve.findings import Finding
from multiserve.frameworks.django import settings_named_in
from multiserve.frameworks.worker_state import NICEGUI, kept_in_worker


@check(
    "MS110",
    "error",
    "a second Django project in the process",
    consequence="It answers with the settings, the URLs and the database of the other one.",
)
def second_django(subject: Subject) -> Iterator[Finding]:
    """A process has one set of Django settings.

    The project that loads first sets them, and every other project answers with its URLs. A second project needs a
    process of its own, which a group is. The settings that a project needs are read from its module, where that
    sets DJANGO_SETTINGS_MODULE. If it does not, or if both settings modules belong to one package, the two may be the
    same project, and the finding is a note.
    """
    projects = [member for member in subject.readable if member.facts and member.facts.framework == "Django"]
    if not projects:
        return
    actual = (projects[0].facts and projects[0].facts.settings_module) or ""
    wanted = {member.mount.key: settings_named_in(member.module) for member in projects}
    owner = min(projects, key=lambda each: _distance(wanted[each.mount.key], actual))
    for member in projects:
        name, first = wanted[member.mount.key], wanted[owner.mount.key]
        cure = f"Run it in a process of its own: {subject.own_process(member)}."
        if name and first and name != first:
            is_certain = _top(name) != _top(first)
            message = f"it needs the settings {name}, but the process has {actual or first}"
            yield second_django.found(
                *((member, owner) if member is not owner else (member,)),
                message=message if is_certain else f"{message}, which may be intended",
                cure=cure,
                severity="error" if is_certain else "note",
                consequence="" if is_certain else "It answers with these settings.",
            )
        elif not (name and first) and _is_other(member, owner):
            yield second_django.found(
                member,
                owner,
                message=f"it may be another project than the one at {owner.mount.key}",
                cure=cure,
                severity="note",
                consequence="If it is, it answers with the settings, the URLs and the database of that one.",
            )


def _distance(wanted: str | None, actual: str) -> int:
    """Return 0 if a project has set the settings of the process, 1 if it may have, 2 if it has not."""
    if wanted == actual:
        return 0
    return 1 if wanted and _top(wanted) == _top(actual) else 2


def _is_other(one: CheckedMount, other: CheckedMount) -> bool:
    first, second = (member.facts and member.facts.application for member in (one, other))
    return first is not second and _top(one.module) != _top(other.module)


def _top(module: str) -> str:
    return module.partition(".")[0]


@check("MS111", "warning", "two modules have one name", consequence="Only the first one is ever imported.")
def module_names(subject: Subject) -> Iterator[Finding]:
    """A process has one module of each name: the one in the first folder of the search path that has it.

    If two folders of pythonpath both have a file app.py, Python imports the first for both applications. The same
    goes for a config.py that each of two applications imports. An import that is known to get the wrong one is MS112.
    The pythonpath of a group comes before that of the file: what it hides there is hidden on purpose.
    """
    folders = list(dict.fromkeys(folder.resolve() for folder in subject.config.pythonpath))
    rename = "Rename one of them, and update its imports"
    told = {each.name for each in find_mistakes(subject)} if len(folders) > 1 else set()
    own = subject.own_folders
    for name, found in sorted(_modules_of(folders).items()):
        places = [place for place in found if folder_of(place) in own] or found
        if len(places) == 1 or name in told:
            continue
        message = f'the module "{name}" is in {" and ".join(map(subject.shorten, places))}'
        members = tuple(member for member in subject.members if _top(member.module) == name)
        if members:
            cure = f"{rename}."
            if len(members) > 1:
                more = f'pythonpath = ["{subject.shorten(folder_of(places[-1]))}"]'
                cure = f"{rename}, or run one in a process of its own: {subject.own_process(members[-1], more)}."
            yield module_names.found(*members, message=message, cure=cure)
        elif str(getattr(sys.modules.get(name), "__file__", "")) in map(str, places):
            consequence = "Only the first one is ever imported, even by code that needs the other."
            yield module_names.found(
                message=message,
                cure=f"{rename}.",
                key=subject.pythonpath_key(folder_of(places[0])),
                severity="note",
                consequence=consequence,
            )


def _modules_of(folders: list[Path]) -> dict[str, list[Path]]:
    """Find the files of all modules in the folders, by module name; a package hides a module in the same folder."""
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for folder in folders if len(folders) > 1 else ():
        packages = {file.parent.name: file for file in folder.glob("*/__init__.py")}
        for name, file in {**{file.stem: file for file in folder.glob("*.py")}, **packages}.items():
            found[name].append(file)
    return found


@check(
    "MS114",
    "error",
    "a library has one application in the process",
    consequence="The pages of both are at both prefixes, and where they have one path, one of them is lost.",
)
def one_application(subject: Subject) -> Iterator[Finding]:
    """Some libraries keep what an application consists of in one place for the whole process.

    All pages of NiceGUI belong to one application, whichever application of FastAPI it is added to, and bottle.route
    adds to the default application of Bottle, whichever module it is called in.
    """
    shared: defaultdict[str, dict[str, CheckedMount]] = defaultdict(dict)
    for member in subject.members:
        if member.module and (library := _shared_application(member)):
            shared[library].setdefault(member.module, member)
    for library, by_module in shared.items():
        first, *others = by_module.values()
        for member in others:
            cure = f"Run it in a process of its own: {subject.own_process(member)}."
            if library == "Bottle":
                cure = (
                    f"Make an application in each module with bottle.Bottle(), or write {subject.own_process(member)}."
                )
            message = f"{library} has one application in a process, and {first.mount.name} has it already"
            yield one_application.found(member, first, message=message, cure=cure)


def _shared_application(member: CheckedMount) -> str:
    """Return the library whose only application, or whose default one, a mount has; "" if it has none."""
    stack = getattr(sys.modules.get("bottle"), "app", None)
    if isinstance(stack, list) and any(each is member.loaded.origin for each in stack):
        return "Bottle"
    return "NiceGUI" if kept_in_worker(member.loaded.origin) == NICEGUI else ""


@check("MS120", "note", "applications share a logger", consequence="Their records cannot be told apart.")
def loggers(subject: Subject) -> Iterator[Finding]:
    """Flask names an application's logger after its import name; other frameworks use a fixed name.

    Applications whose loggers have the same name share its level, its handlers and its records. Applications that are
    made in one module are not reported, because they are most likely several instances of one.
    """
    named = defaultdict(list)
    for member in subject.applications:
        if member.facts and member.facts.logger:
            named[member.facts.logger].append(member)
    for name, members in named.items():
        if len({member.module for member in members}) > 1:
            cure = "Give each application a name of its own, such as Flask(__name__), or a process of its own: "
            cure += f"{subject.own_process(members[-1])}."
            yield loggers.found(*members, message=f'all of them log to "{name}"', cure=cure)


CHECKS = (second_django, module_names, one_application, loggers)

"""Checks of what of Python itself an application changes for all others: patches, settings, variables, folders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from multiserve.checks.check import check
from multiserve.checks.own_sources import variables_set_in
from multiserve.checks.subject import CheckedMount, Subject
from multiserve.findings import Finding, Severity
from multiserve.loading.process_state import Patch
from multiserve.loading.side_effects import Variable

_SHOWN = 3  # mounts, functions or modules that a finding names
_HTTPS = ("ssl._create_default_https_context", "ssl.create_default_context")
_SECRET = ("CREDENTIAL", "DSN", "KEY", "PASS", "SECRET", "TOKEN", "URI", "URL")  # in the names of variables
_ELSEWHERE = ("DJANGO_SETTINGS_MODULE", "PATH", "PYTHONPATH", "TZ")  # checks of their own, or nobody reads them twice


@check(
    "MS190",
    "warning",
    "an import replaces functions of Python",
    consequence="Every other application in the process calls the replacement.",
)
def patches(subject: Subject) -> Iterator[Finding]:
    """A function or a class of the standard library that one application replaces is replaced for all of them.

    They are compared before and after the mount is loaded. What only wraps the function, and may call it, is a note;
    libraries that measure calls, such as those of Sentry and OpenTelemetry, are not reported.
    """
    for member in subject.members:
        found = member.effects.patches
        others = subject.beside(member) if found else []
        if not others:
            continue
        names = [each.name for each in found]
        is_unsafe = any(name in _HTTPS for name in names)
        yield patches.found(
            member,
            *others,
            message=f"loading it replaces {_listed(names)}{_origin(found)}",
            cure=f"Pass what is needed where it is called, or write {subject.own_process(member)}.",
            severity="note" if all(each.is_wrapper for each in found) else "warning",
            consequence=f"HTTPS without a verified certificate may be taken by {_who(others)}, too."
            if is_unsafe
            else f"{_who(others)} {'call' if len(others) > 1 else 'calls'} the replacement, too.",
        )


def _origin(found: Sequence[Patch]) -> str:
    modules = sorted({each.by for each in found if each.by})
    return f" with what is in {modules[0]}" if len(modules) == 1 else ""


class _Meaning(NamedTuple):
    """What the change of a setting is called, what it does to others, and what to do instead."""

    message: str
    consequence: str
    cure: str
    severity: Severity = "warning"


_MEANINGS = {
    "warnings": _Meaning(
        "makes exceptions of warnings: {after}",
        "A warning in any other application may become an error of 500.",
        "Filter the warnings of the application's own modules alone, with module= in filterwarnings",
    ),
    "logging.disable": _Meaning(
        "disables all records of the level {after} and below",
        "The records of all other applications are lost, too.",
        "Set the level of the application's own logger",
    ),
    "log records": _Meaning(
        "replaces the factory of log records with {after}",
        "The records of all other applications are made by it, too.",
        "Use a filter on the application's own handler",
        "note",
    ),
    "decimal default": _Meaning(
        "changes decimal.DefaultContext to {after}",
        "Other applications calculate with it, too, in every thread.",
        "Use decimal.localcontext() where the application calculates",
    ),
    "decimal": _Meaning(
        "changes the decimal context to {after}",
        "Other applications may calculate with it, too.",
        "Use decimal.localcontext() where the application calculates",
        "note",
    ),
    "locale": _Meaning(
        "changes the locale of the process to {after}",
        "Other applications write numbers and dates, and sort, in another way.",
        "Format with a library that takes the locale as an argument, such as Babel",
    ),
    "umask": _Meaning(
        "changes the umask of the process from {before} to {after}",
        "Files that other applications write have other permissions.",
        "Set the permissions of the file instead",
    ),
    "limits": _Meaning(
        "changes the limits of the process to {after}",
        "They hold for all other applications, and for the server.",
        "Set them for the service or the container",
    ),
    "recursion": _Meaning(
        "changes the recursion limit from {before} to {after}",
        "It holds for all other applications; one that recurses too deeply may end the process.",
        "Raise it in a thread of its own around the call that needs it",
        "note",
    ),
    "garbage": _Meaning(
        "changes the garbage collector to {after}",
        "It may take more memory, or time, in all other applications.",
        "Leave it to the server, for instance with post_worker_init under {gunicorn}",
        "note",
    ),
    "stdin": _Meaning("replaces sys.stdin", "Other applications may miss it.", "Leave the stream as it is", "note"),
    "stdout": _Meaning(
        "replaces sys.stdout with {after}", "What others print goes there.", "Print to a stream of its own", "note"
    ),
    "stderr": _Meaning(
        "replaces sys.stderr with {after}", "What others log may go there.", "Log with a handler of its own", "note"
    ),
    "sys.excepthook": _Meaning(
        "replaces sys.excepthook with {after}",
        "It may get the exceptions of all other applications, too.",
        "Catch the exceptions of the application in its middleware",
        "note",
    ),
    "threading.excepthook": _Meaning(
        "replaces threading.excepthook with {after}",
        "It gets what the threads of all other applications raise, too.",
        "Catch what the application's own threads raise",
        "note",
    ),
    "sys.unraisablehook": _Meaning(
        "replaces sys.unraisablehook with {after}",
        "It gets what is raised in all other applications, too.",
        "Leave it to the tests",
        "note",
    ),
    "loop policy": _Meaning(
        "sets the event loop policy {after}",
        "Event loops that other applications start are of that kind, too.",
        "Leave the event loop to the server",
        "note",
    ),
    "switch interval": _Meaning(
        "changes the switch interval of threads from {before} s to {after} s",
        "The threads of all other applications may wait longer.",
        "Leave it as it is",
        "note",
    ),
    "start method": _Meaning(
        "sets the start method of multiprocessing to {after}",
        "Processes of other applications may start in another way.",
        "Use multiprocessing.get_context",
        "note",
    ),
}


@check(
    "MS191",
    "warning",
    "an import changes a setting of the process",
    consequence="It holds for every other application in the process.",
)
def settings(subject: Subject) -> Iterator[Finding]:
    """Python has settings that are one for the whole process, whichever application changes them.

    They are the warnings that are errors, logging.disable and the factory of log records, the decimal context, the
    locale, the umask and the limits, the recursion limit, the garbage collector, the streams and hooks of sys, the
    event loop policy, and how multiprocessing starts. They are compared before and after the mount is loaded.
    """
    for member in subject.members:
        if subject.is_alone(member):
            continue
        for change in member.effects.changes:
            if change.name == "warnings" and set(change.after.split(", ")) <= {*change.before.split(", "), "none"}:
                continue  # there are fewer errors than before
            meaning = _MEANINGS[change.name]
            instead = meaning.cure.format(gunicorn=subject.table("gunicorn"))
            text = meaning.message.format(before=change.before, after=change.after)
            yield settings.found(
                member,
                message=f"loading it {text}",
                cure=f"{instead}, or write {subject.own_process(member)}.",
                severity=meaning.severity,
                consequence=meaning.consequence,
            )


@check(
    "MS192",
    "warning",
    "two applications want another value of one environment variable",
    consequence="Only one of them has the value that it was written for.",
)
def variables(subject: Subject) -> Iterator[Finding]:
    """The environment belongs to the process, so that a variable has one value for all applications in it.

    Reported are variables that the modules of two mounts set to different values, as far as these are written out, and,
    as a note, one that had a value before and has another one since. Values of what may be a secret are not shown.
    """
    wanted = _wanted(subject)
    for name, values in wanted.items():
        members = list({id(each): each for each in values.values()}.values())
        if len(members) > 1:
            told = ", and ".join(
                f"{each.mount.name} sets it to {_shown(name, value)}" for value, each in values.items()
            )
            cure = f"Let both read one variable under {subject.table('env')}"
            cure += f", or write {subject.own_process(members[-1])}."
            yield variables.found(*members[::-1], message=f"{name} is one for all: {told}", cure=cure)
    for member in subject.members:
        for each in member.effects.variables if not subject.is_alone(member) else ():
            if not _is_overwritten(each) or len(wanted.get(each.name, ())) > 1:
                continue
            now = f"from {_shown(each.name, each.before)} to {_shown(each.name, each.after)}"
            yield variables.found(
                member,
                message=f"loading it changes {each.name} {now}",
                cure=f"Use os.environ.setdefault, or write {subject.own_process(member)}.",
                severity="note",
                consequence="Other applications may have been written for the value before.",
            )


def _wanted(subject: Subject) -> dict[str, dict[str, CheckedMount]]:
    """Return the mounts by the values that they set a variable to; a default counts where [env] has none."""
    wanted: defaultdict[str, dict[str, CheckedMount]] = defaultdict(dict)
    for member in subject.members:
        for name, value, is_default in variables_set_in(member) if not subject.is_alone(member) else ():
            if name not in _ELSEWHERE and not (is_default and name in subject.config.env):
                wanted[name].setdefault(value, member)
    return dict(sorted(wanted.items()))


def _is_overwritten(variable: Variable) -> bool:
    return variable.before is not None and variable.after is not None and variable.name not in _ELSEWHERE


def _shown(name: str, value: str | None) -> str:
    return "a value" if any(word in name.upper() for word in _SECRET) else f'"{value}"'


@check(
    "MS193",
    "note",
    "an import adds to the module search path",
    consequence="Other applications may import its modules in place of their own.",
)
def search_paths(subject: Subject) -> Iterator[Finding]:
    """The folders in which Python looks for modules are those of the process.

    A folder that one application puts into sys.path is reported if it has a module whose name a folder behind it has as
    well, the folder of the file and pythonpath among them: whoever imports that name next gets the one of the folder.
    """
    folders = [folder.resolve() for folder in subject.config.pythonpath]
    for member in subject.members:
        for entry in member.effects.search_path if not subject.is_alone(member) else ():
            hidden = sorted(_names_in(Path(entry)) & set().union(*map(_names_in, folders)))
            if hidden and Path(entry).resolve() not in folders:
                place = subject.shorten(entry)
                yield search_paths.found(
                    member,
                    message=f"loading it puts {place} into sys.path, which has {_listed(hidden)} as well",
                    cure=f"Import its modules as parts of a package, or write {subject.own_process(member)}.",
                )


def _names_in(folder: Path) -> set[str]:
    """Return the names of the modules in a folder."""
    try:
        files = list(folder.iterdir())
    except OSError:
        return set()
    packages = {each.name for each in files if (each / "__init__.py").is_file()}
    return packages | {each.stem for each in files if each.suffix == ".py" and each.name != "__init__.py"}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _who(members: Sequence[CheckedMount]) -> str:
    return _listed([each.mount.name for each in members])


CHECKS = (patches, settings, variables, search_paths)

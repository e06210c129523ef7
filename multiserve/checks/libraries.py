"""Checks of libraries that two applications set up for the whole process, and of their .env files."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from multiserve.checks.check import check
from multiserve.checks.own_sources import own_modules, read_source
from multiserve.checks.subject import CheckedMount, Subject
from multiserve.findings import Finding

_CELERY = "the default application of Celery"
_PROMETHEUS = "the default registry of Prometheus"
_CALLS = {
    "celery.Celery": _CELERY,
    "logfire.configure": "Logfire",
    "opentelemetry.metrics.set_meter_provider": "the meters of OpenTelemetry",
    "opentelemetry.trace.set_tracer_provider": "the traces of OpenTelemetry",
    **{f"prometheus_client.{name}": _PROMETHEUS for name in ("generate_latest", "make_asgi_app", "make_wsgi_app")},
    "rollbar.init": "Rollbar",
    "sentry_sdk.init": "Sentry",
    "structlog.configure": "structlog",
}
_SETTINGS = {"openai.api_key": "OpenAI", "resend.api_key": "Resend", "stripe.api_key": "Stripe"}
_OWN = ("registry", "set_as_current")  # arguments with which a call is about something of its own
_WORDS = tuple(sorted({name.partition(".")[0] for name in (*_CALLS, *_SETTINGS)}))
_LINE = re.compile(r"""^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$""", re.MULTILINE)


class _Sharing(NamedTuple):
    """What it means that two applications use one object of a library, which may be intended: always a note."""

    verb: str
    consequence: str
    cure: str


_SHARINGS = {
    _CELERY: _Sharing(
        "makes",
        "What shared_task decorates may go to the queue of the other one.",
        "Pass set_as_current=False and decorate with its own task()",
    ),
    _PROMETHEUS: _Sharing(
        "shows",
        "Each of them shows the metrics of both.",
        "Give each a CollectorRegistry of its own",
    ),
}
_SETTING_UP = _Sharing("sets up", "", "Set it up in one module that both import")


class _Use(NamedTuple):
    """A place that sets a library up.

    Attributes:
        member: The mount whose module it is in.
        place: The file and the line.
        is_certain: Whether the import of the module runs it.
    """

    member: CheckedMount
    place: str
    is_certain: bool


@check(
    "MS115",
    "warning",
    "two applications set up one library",
    consequence="One of them gets what the other one has set: its errors, traces or payments go there.",
)
def set_up_twice(subject: Subject) -> Iterator[Finding]:
    """Some libraries are set up once for the whole process, and the last call of sentry_sdk.init, for instance, wins.

    The calls are looked for in the modules that each mount brings. Where one of them is inside a function, which may
    never be called, the finding is a note. A module that both applications import sets it up for both, as it should.
    It is a note, too, that both show the default registry of Prometheus, or make an application of Celery where
    shared_task is used, which takes the one that was made last.
    """
    uses: defaultdict[str, dict[str, _Use]] = defaultdict(dict)
    for member in subject.members:
        for library, place, is_certain in _set_up_by(subject, member) if not subject.is_alone(member) else ():
            use = _Use(member, place, is_certain)
            earlier = uses[library].setdefault(member.mount.name, use)
            if is_certain and not earlier.is_certain:
                uses[library][member.mount.name] = use
    if _CELERY in uses and not any(_uses_shared_tasks(member) for member in subject.members):
        del uses[_CELERY]
    for library, by_mount in sorted(uses.items()):
        first, *others = by_mount.values()
        sharing = _SHARINGS.get(library, _SETTING_UP)
        for use in others:
            is_certain = use.is_certain and first.is_certain
            does = "does" if is_certain else "may do"
            yield set_up_twice.found(
                use.member,
                first.member,
                message=f"{use.place} {sharing.verb} {library}, and {first.place} {does} as well",
                cure=f"{sharing.cure}, or write {subject.own_process(use.member)}.",
                severity="warning" if is_certain and sharing is _SETTING_UP else "note",
                consequence=sharing.consequence,
            )


def _set_up_by(subject: Subject, member: CheckedMount) -> Iterator[tuple[str, str, bool]]:
    for module in own_modules(member):
        tree = read_source(module.file, *_WORDS)
        for name, node, is_certain in _names_used(tree) if tree else ():
            library = _CALLS.get(name) or _SETTINGS.get(name)
            if library and not _is_of_its_own(name, node):
                yield library, f"{subject.shorten(module.file)}:{node.lineno}", is_certain


def _uses_shared_tasks(member: CheckedMount) -> bool:
    return any(read_source(module.file, "shared_task") for module in own_modules(member))


def _is_of_its_own(name: str, node: ast.Call | ast.Assign) -> bool:
    """Return whether a call names what it is about, and leaves alone what the process has by default."""
    if not isinstance(node, ast.Call):
        return False
    has_first = bool(node.args) and name.startswith("prometheus_client.")
    return has_first or any(each.arg in _OWN for each in node.keywords)


def _names_used(tree: ast.Module) -> Iterator[tuple[str, ast.Call | ast.Assign, bool]]:
    """Return the whole names of what is called or set, where, and whether an import of the module runs it."""
    imported: dict[str, str | None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {each.asname or each.name.partition(".")[0]: each.asname and each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported |= {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    pending: list[tuple[ast.AST, bool]] = [(tree, True)]
    while pending:
        node, is_run = pending.pop()
        if isinstance(node, (ast.Assign, ast.Call)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.func]
            for target in targets:
                first, dot, rest = ast.unparse(target).partition(".")
                if first in imported:
                    yield f"{imported[first] or first}{dot}{rest}", node, is_run
        is_function = isinstance(node, (ast.AsyncFunctionDef, ast.FunctionDef, ast.If, ast.Lambda))
        pending.extend((each, is_run and not is_function) for each in ast.iter_child_nodes(node))


@check(
    "MS116",
    "warning",
    "two .env files set one variable",
    consequence="One of the applications has the value of the other one.",
)
def env_files(subject: Subject) -> Iterator[Finding]:
    """load_dotenv sets variables of the process from the .env file next to the module that calls it, or above.

    Where the modules of two mounts call it and find two files, a variable that both have gets the value of one of them:
    of the first, or of the last one with override=True. Values are not shown. If a call is inside a function, which may
    never be called, it is a note. Calls that name a file are not looked at.
    """
    found: list[tuple[CheckedMount, Path, dict[str, str], bool]] = []
    for member in subject.members:
        for path, is_certain in _env_files_of(member) if not subject.is_alone(member) else ():
            if all(path != each[1] for each in found):
                found.append((member, path, _read(path), is_certain))
    for number, (member, path, values, is_certain) in enumerate(found):
        for first, other, others, is_other_certain in found[:number]:
            both = values.keys() & others.keys() - subject.config.env.keys()
            names = sorted(name for name in both if values[name] != others[name])
            if not names or first is member:
                continue
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            yield env_files.found(
                member,
                first,
                message=f"{subject.shorten(path)} and {subject.shorten(other)} both set {names[0]}{more}",
                cure=f"Give the variables names of their own, or write {subject.own_process(member)}.",
                severity="warning" if is_certain and is_other_certain else "note",
            )


def _env_files_of(member: CheckedMount) -> Iterator[tuple[Path, bool]]:
    for module in own_modules(member):
        tree = read_source(module.file, "load_dotenv")
        for name, node, is_certain in _names_used(tree) if tree else ():
            has_name = (
                isinstance(node, ast.Assign) or node.args or any(each.arg == "dotenv_path" for each in node.keywords)
            )
            file = None if has_name or name != "dotenv.load_dotenv" else _find_env_file(module.file)
            if file:
                yield file, is_certain


def _find_env_file(module: Path) -> Path | None:
    """Return the file that load_dotenv finds without an argument."""
    return next((each / ".env" for each in module.parents if (each / ".env").is_file()), None)


def _read(path: Path) -> dict[str, str]:
    try:
        return dict(_LINE.findall(path.read_text("utf-8", "replace")))
    except OSError:
        return {}


CHECKS = (set_up_twice, env_files)

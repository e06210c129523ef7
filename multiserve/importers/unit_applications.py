"""The applications of NGINX Unit: their targets, and what of their process goes where."""

from __future__ import annotations

from typing import Any

from multiserve.importers.unit_document import UnitDocument

_REASONS = {
    "home": "multiserve serves with the environment that it is installed in: install it there.",
    "user": "The process has one user: write user under [gunicorn].",
    "group": "The process has one group: write group under [gunicorn].",
    "working_directory": "Paths in the file are relative to its folder; the process stays where it is started.",
    "limits": "See timeout and max_requests under [gunicorn].",
    "isolation": "Let systemd, or a container, do it.",
    "stdout": "See errorlog under [gunicorn].",
    "stderr": "See errorlog under [gunicorn].",
    "thread_stack_size": "There is no such setting.",
}
_ELSEWHERE = frozenset({"type", "module", "callable", "factory", "prefix", "targets", "threads", "protocol"})


def add_application(unit: UnitDocument, name: str, key: str, line: int) -> None:
    """Mount an application, or one target of it."""
    name, _, target_name = name.partition("/")
    found = unit.applications.get(name)
    place = ("applications", name)
    if found is None:
        unit.draft.note(f"applications/{name}", "The file has no such application.", line)
        return
    if not str(found.get("type", "")).startswith("python"):
        reason = f"It is no Python, but {found.get('type')}: let the proxy in front pass it on."
        unit.draft.note(f"applications/{name}, at {key}", reason, unit.line(place))
        return
    targets = found.get("targets")
    part = targets.get(target_name) if target_name and isinstance(targets, dict) else found
    part = part if isinstance(part, dict) else {}
    prefix = str(part.get("prefix", found.get("prefix", ""))).rstrip("/")
    what = f"applications/{name}" + (f"/{target_name}" if target_name else "")
    if prefix and key == "/":
        key = prefix
    elif prefix != key.rstrip("/") and key.startswith("/") and key != "/":
        reason = (
            f"It had {key} in its path; now it is a mount, and has that in SCRIPT_NAME or root_path, "
            "so its own routes begin behind it."
        )
        unit.draft.note(f"{what}, at {key}", reason, unit.line(place))
    call = "()" if part.get("factory") else ""
    target = f"{part.get('module', '')}:{part.get('callable', 'application')}{call}"
    before = len(unit.draft.mounts)
    unit.draft.add(key, what, unit.line(place), app=target)
    if "threads" in found:
        line = unit.line((*place, "threads"))
        unit.draft.set_threads(found["threads"], f"threads of {name}", line, unit.draft.mounts[before:])
    if name not in unit.used:
        unit.used.add(name)
        _read_process(unit, name, found)


def _read_process(unit: UnitDocument, name: str, application: dict[str, Any]) -> None:
    for option, value in application.items():
        line = unit.line(("applications", name, option))
        if option == "path":
            for folder in value if isinstance(value, list) else [value]:
                _read_path(unit, name, str(folder), line)
        elif option == "environment" and isinstance(value, dict):
            _read_environment(unit, name, value)
        elif option == "processes":
            _read_processes(unit, name, value, line)
        elif option not in _ELSEWHERE:
            unit.draft.note(f"{option} of {name}", _REASONS.get(option, "There is no such setting."), line)


def _read_path(unit: UnitDocument, name: str, folder: str, line: int) -> None:
    place = folder.rstrip("/") or "/"
    if (unit.folder / place).resolve() == unit.folder.resolve() or place in unit.draft.pythonpath:
        return
    if (unit.folder / place).is_dir():
        unit.draft.pythonpath.append(place)
    else:
        reason = "There is no such folder here: save the file in that folder, or write it into pythonpath there."
        unit.draft.note(f"path {folder} of {name}", reason, line)


def _read_environment(unit: UnitDocument, name: str, variables: dict[str, Any]) -> None:
    for variable, value in variables.items():
        if unit.draft.env.setdefault(variable, str(value)) != str(value):
            reason = f"All mounts have one environment, and {variable} has another value there."
            unit.draft.note(f"{variable} of {name}", reason, unit.line(("applications", name, "environment", variable)))


def _read_processes(unit: UnitDocument, name: str, value: Any, line: int) -> None:
    number = value.get("max") if isinstance(value, dict) else value
    if isinstance(number, int) and number > 0:
        unit.draft.gunicorn["workers"] = max(number, unit.draft.gunicorn.get("workers", 0))
    if isinstance(value, dict):
        reason = "The number of workers is fixed; this is the highest one."
        unit.draft.note(f"processes of {name}", reason, line)


def note_unused(unit: UnitDocument) -> None:
    """Note the applications that nothing passes requests to."""
    for name, application in unit.applications.items():
        if name not in unit.used and str(application.get("type", "")).startswith("python"):
            unit.draft.note(f"applications/{name}", "Nothing passes requests to it.", unit.line(("applications", name)))

"""A Procfile, as Heroku, Foreman and Honcho have it: each web process that serves Python is a mount."""

from __future__ import annotations

import re
from pathlib import Path

from multiserve.drafts import Draft
from multiserve.importers.commands import Command, parse_command

NAME = "a Procfile with gunicorn, uvicorn, hypercorn, daphne, granian, waitress-serve, flask or fastapi"
_LINE = re.compile(r"([A-Za-z0-9_-]+)\s*:\s*(.+)")
_REFERENCE = re.compile(r"\$\{?([A-Za-z_]\w*)\b\}?")
_LEVELS = ("critical", "error", "warning", "info", "debug")  # of gunicorn
_WITH_THREADS = ("gunicorn", "waitress-serve")  # whose threads answer one request each
_WORKERS = ("--workers", "--timeout", "--max-requests", "--max-requests-jitter", "--graceful-timeout")
_LOGS = {
    "--access-logfile": "accesslog",
    "--error-logfile": "errorlog",
    "--log-file": "errorlog",
    "--log-level": "loglevel",
}
# What multiserve does by itself, or what the mount says already.
_BY_ITSELF = frozenset(
    {
        "--app",
        "--app-dir",
        "--bind",
        "--call",
        "--chdir",
        "--debug",
        "--factory",
        "--host",
        "--interface",
        "--listen",
        "--port",
        "--proxy-headers",
        "--root-path",
        "--url-prefix",
        "--reload",
        "--preload",
        "--bind-address",
        *_WORKERS,
    }
)


def matches(name: str, text: str) -> bool:
    """Return whether this is called Procfile, or has lines such as `web: gunicorn shop:app`."""
    if name.partition(".")[0] != "Procfile" and not name.endswith((".procfile", "Procfile")):
        return False
    return any(_LINE.fullmatch(line.strip()) for line in text.splitlines())


def read(path: Path, text: str) -> Draft:
    """Read the processes: the one called web answers for the root, others below their names."""
    draft = Draft()
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        match = _LINE.fullmatch(stripped)
        if match is None:
            if stripped and not stripped.startswith("#"):
                draft.note(stripped, "Not a line of a Procfile.", number)
            continue
        name, text_of_command = match.groups()
        command = parse_command(text_of_command)
        if command is None:
            reason = "It starts no server of a Python application that is known: let something else start it."
            draft.note(stripped, reason, number)
        else:
            _read_command(draft, command, name, number, path.parent)
    draft.bind_port_too()
    return draft


def _read_command(draft: Draft, command: Command, name: str, line: int, folder: Path) -> None:
    prefix = command.option("--root-path", "--url-prefix")
    key = prefix or ("/" if name == "web" else f"/{name}")
    what = f"{name}: {command.server} {command.target}"
    before = len(draft.mounts)
    draft.add(key, what, line, app=command.target)
    if len(draft.mounts) == before:
        return
    if not prefix and key != "/":
        reason = f"It was the root of a process of its own; now it has the prefix {key}. Change it in the file."
        draft.note(what, reason, line)
    _read_folder(draft, command, what, line, folder)
    _read_address(draft, command, what, line)
    _read_environment(draft, command, line)
    for option, value in command.options:
        if (option in _WORKERS and command.server == "gunicorn") or option == "--workers":
            _read_setting(draft, option, value, what, line)
        elif option in _LOGS and command.server == "gunicorn":
            _read_log(draft, option, value, what, line)
        elif option == "--threads" and command.server in _WITH_THREADS:
            draft.set_threads(value, f"{what} {option} {value}", line, draft.mounts[-1:])
        elif option == "--worker-class" and command.server == "gunicorn":
            draft.note_worker_class(value, f"{what} {option} {value}", line)
        elif option not in _BY_ITSELF:
            shown = f"{option} {value}".strip()
            draft.note(f"{name}: {shown}", f"An option of {command.server}.", line)


def _read_setting(draft: Draft, option: str, value: str, what: str, line: int) -> None:
    setting = option.removeprefix("--").replace("-", "_")
    if not value.isdigit() or value == "0":
        draft.note(f"{what} {option} {value}", f"Write {setting} under [gunicorn] as a number.", line)
    elif draft.gunicorn.setdefault(setting, int(value)) != int(value):
        reason = f"All mounts are in the same workers: {setting} is {draft.gunicorn[setting]}, from a line above."
        draft.note(f"{what} {option} {value}", reason, line)


def _read_log(draft: Draft, option: str, value: str, what: str, line: int) -> None:
    """Read where a log goes, or its level; "-" is the standard output or error, to which errors go anyway."""
    setting = _LOGS[option]
    if (setting, value) == ("errorlog", "-"):
        return
    if not value or "$" in value or (setting == "loglevel" and value not in _LEVELS):
        draft.note(f"{what} {option} {value}", f"Write {setting} under [gunicorn].", line)
    elif draft.gunicorn.setdefault(setting, value) != value:
        reason = f"All mounts have one log: {setting} is {draft.gunicorn[setting]}, from a line above."
        draft.note(f"{what} {option} {value}", reason, line)


def _read_folder(draft: Draft, command: Command, what: str, line: int, folder: Path) -> None:
    place = command.folder.rstrip("/").removeprefix("./")
    if place in ("", "."):
        return
    if not (folder / place).is_dir():
        draft.note(f"{what}, started in {place}", "There is no such folder here: write it into pythonpath.", line)
    elif place not in draft.pythonpath:
        draft.pythonpath.append(place)


def _read_address(draft: Draft, command: Command, what: str, line: int) -> None:
    bind = command.option("--bind", "--listen")
    if bind.startswith("unix:"):
        draft.gunicorn.setdefault("bind", []).append(bind)
        return
    host, colon, port = bind.rpartition(":") if ":" in bind else (bind, "", "")
    host = host or ("0.0.0.0" if colon else "")  # noqa: S104 (what these servers mean by an empty host)
    host = command.option("--host", "--bind-address") or host
    port = command.option("--port") or port
    if "$" in host:
        reason = 'Set MULTISERVE_HOST, or write host under [server], where "${NAME}" is a variable.'
        draft.note(f"{what}, host {host}", reason, line)
    elif host:
        draft.server.setdefault("host", host)
    if port and "port" not in draft.server:
        draft.set_port(port, f"{what}, port {port}", line)
    elif port.isdigit() and int(port) != draft.server["port"]:
        reason = f"All mounts are on one port, {draft.server['port']}."
        draft.note(f"{what}, port {port}", reason, line)


def _read_environment(draft: Draft, command: Command, line: int) -> None:
    for name, value in command.environment.items():
        if "$" in value:
            draft.note_variables(name, value, _REFERENCE, f"{name}={value}", line)
        elif draft.env.setdefault(name, value) != value:
            reason = f"All mounts have one environment: {name} has another value, from a line above."
            draft.note(f"{name}={value}", reason, line)

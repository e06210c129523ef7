"""What the commands say, as text and as values for JSON; it prints nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from multiserve.assembly import Assembly
from multiserve.config import Config, Mount
from multiserve.errors import Problem
from multiserve.explain import Explanation
from multiserve.keys import MountKey
from multiserve.routing import precedence


def table(rows: Iterable[Sequence[str]], *, indent: str = "  ") -> str:
    """Align rows of text in columns, each row on one line."""
    lines = [[" ".join(cell.splitlines()) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in lines)
    return "\n".join((indent + line).rstrip() for line in padded)


def url_of(key: MountKey, origin: str) -> str:
    """Give the URL of a mount for a person to click, given the origin of the server."""
    scheme, _, address = origin.partition("://")
    if key.host:
        port = address.rpartition(":")[2] if key.port is None else key.port
        address = f"{key.host}:{port}"
    return f"{scheme}://{address}{quote(key.prefix)}/"


def summary(assembly: Assembly, origin: str) -> str:
    """Tell each mount, its target and its URL, or that it failed, when a server starts."""
    return announcement(assembly.config, [origin], failed=[loaded.mount for loaded in assembly.failures])


def heading(config: Config) -> str:
    """Say how many mounts come from which file."""
    count = len(config.mounts)
    return f"multiserve: {count} {'mount' if count == 1 else 'mounts'} from {config.path}"


def announcement(config: Config, origins: Sequence[str], failed: Sequence[Mount] = ()) -> str:
    """Tell each mount, its target and its URLs, in place of which one that `failed` has none."""
    rows = [
        (str(mount.key), mount.app, *("FAILED" if mount in failed else url_of(mount.key, each) for each in origins))
        for mount in ordered(config)
    ]
    return f"{heading(config)}\n{table(rows)}"


def ordered(config: Config) -> list[Mount]:
    """Give the mounts in the order in which a request tries them."""
    return sorted(config.mounts, key=lambda mount: precedence(mount.key))


def outcomes(assembly: Assembly) -> str:
    """Tell for each mount whether it could be loaded, and why not."""
    rows = table(
        [
            (
                "FAILED" if loaded.error else "ok",
                str(loaded.mount.key),
                loaded.mount.app,
                loaded.interface.upper() if loaded.interface else "",
            )
            for loaded in assembly.mounts
        ],
        indent="",
    )
    lines = []
    for loaded, row in zip(assembly.mounts, rows.splitlines(), strict=True):
        lines.append(row)
        for problem in loaded.error.problems if loaded.error else ():
            lines += [f"        {problem.message}", *([f"        {problem.hint}"] if problem.hint else ())]
    return "\n".join(lines)


def outcomes_as_json(assembly: Assembly) -> list[dict[str, Any]]:
    """Give the outcome of each mount as values for JSON."""
    return [
        {
            **mount_as_json(loaded.mount),
            "ok": loaded.error is None,
            "interface": loaded.interface,
            "problems": problems_as_json(loaded.error.problems if loaded.error else ()),
        }
        for loaded in assembly.mounts
    ]


def mount_as_json(mount: Mount) -> dict[str, Any]:
    """Give one mount as the file has it, as values for JSON."""
    key = mount.key
    return {
        "mount": str(key),
        "host": key.host,
        "port": key.port,
        "prefix": key.prefix,
        "kind": "app",
        "app": mount.app,
        "interface": mount.interface,
    }


def problems_as_json(problems: Iterable[Problem]) -> list[dict[str, str]]:
    """Give problems as values for JSON."""
    return [{"key": each.key, "message": each.message, "hint": each.hint} for each in problems]


def routes(config: Config) -> str:
    """List the mounts in the order in which a request tries them."""
    rows = [
        (mount.key.authority or "any", mount.key.prefix or "/", "app", _declared(mount), mount.app)
        for mount in ordered(config)
    ]
    return table([("HOST", "PREFIX", "KIND", "INTERFACE", "TARGET"), *rows], indent="")


def _declared(mount: Mount) -> str:
    """Name the interface that the file declares; the others are told when the applications are loaded."""
    return mount.interface.upper() if mount.interface else "auto"


def explanation(result: Explanation) -> str:
    """Tell which mount answers a URL, why, and what the application sees."""
    if result.mount is None:
        return table([("mount", "none"), ("because", result.reason)], indent="")
    seen = {
        "SCRIPT_NAME": result.script_name,
        "PATH_INFO": result.path_info,
        "root_path": result.root_path,
        "path": result.path,
    }
    rows = [
        ("mount", f"{result.mount.key}  ({result.mount.app})"),
        ("because", result.reason),
        *((name, f'"{value}"') for name, value in seen.items() if value is not None),
        ("runner-up", f"{result.runner_up.key}  ({result.runner_up.app})" if result.runner_up else "none: 404"),
    ]
    return table(rows, indent="")


def explanation_as_json(result: Explanation) -> dict[str, Any]:
    """Give an explanation as values for JSON."""
    return {
        "url": result.url,
        "mount": mount_as_json(result.mount) if result.mount else None,
        "reason": result.reason,
        "script_name": result.script_name,
        "path_info": result.path_info,
        "root_path": result.root_path,
        "path": result.path,
        "runner_up": mount_as_json(result.runner_up) if result.runner_up else None,
    }

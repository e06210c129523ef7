"""Front ends in JavaScript: what Vite or Create React App has built, and the proxies that they declare."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from multiserve.discovery.found import Found, Remark
from multiserve.discovery.project import Project

_CONFIGS = tuple(f"vite.config.{ending}" for ending in ("js", "ts", "mjs", "mts", "cjs", "cts"))
_LEVELS = 2  # folders below the one that is looked at
_DEVELOPMENT = (
    'While you work on it, mount its own server, in a file for development (pip install "multiserve[proxy]"):\n'
    '"{key}" = {{ proxy = "http://localhost:{port}" }}'
)
_NO_PROXY = "Its server.proxy is not needed then."


def find(project: Project) -> Iterator[Found | Remark]:
    """Find the front ends, and what package.json sends on to a back end."""
    for folder in project.folders:
        if len(folder.relative_to(project.folder).parts) > _LEVELS:
            continue
        package = _package(folder / "package.json")
        config = next((folder / name for name in _CONFIGS if (folder / name).is_file()), None)
        if config is not None:
            yield from _vite(project, folder, config)
        elif "react-scripts" in package.get("dependencies", {}):
            yield from _built(project, folder, "React", "build", str(package.get("homepage", "")))
        if isinstance(package.get("proxy"), str):
            where = _relative(project, folder / "package.json")
            reason = (
                f"It is for development alone. Served by multiserve, the front end and {package['proxy']} are on one "
                "origin: give the paths that it asks for a mount."
            )
            yield Remark(f'"proxy": "{package["proxy"]}" in {where}', reason)


def _package(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _relative(project: Project, path: Path) -> str:
    return path.relative_to(project.folder).as_posix()


def _vite(project: Project, folder: Path, config: Path) -> Iterator[Found | Remark]:
    text = re.sub(r"(?<!:)//[^\n]*|/\*.*?\*/", "", config.read_text("utf-8", "replace"), flags=re.DOTALL)
    out = re.search(r"\boutDir\s*:\s*['\"]([^'\"]+)['\"]", text)
    base = re.search(r"\bbase\s*:\s*['\"]([^'\"]+)['\"]", text)
    yield from _built(project, folder, "Vite", out[1] if out else "dist", base[1] if base else "")
    development = _DEVELOPMENT.format(key=_key_of(base[1] if base else "") or "/", port=_port_of(text))
    reason = f"{development}\n{_NO_PROXY}" if "proxy" in text else development
    yield Remark(f"Vite, {_relative(project, config)}", reason)


def _port_of(text: str) -> str:
    """Return the port of the development server, as far as it is a plain number in its table."""
    table = re.search(r"\bserver\s*:\s*\{(.*)", text, re.DOTALL)
    plain = re.match(r"(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*?\bport\s*:\s*(\d{1,5})\b", table[1]) if table else None
    return plain[1] if plain else "5173"


def _key_of(base: str) -> str:
    """Return the prefix that a front end is built for; empty for the root, or where it is a whole URL."""
    return f"/{base.strip('/')}" if base.startswith("/") and base.strip("/") else ""


def _built(project: Project, folder: Path, kind: str, out: str, base: str) -> Iterator[Found | Remark]:
    """Find what was built; below the prefix that it was built for."""
    built = (folder / out).resolve()
    if not built.is_relative_to(project.folder):
        yield Remark(f"{kind}, {_relative(project, folder)}/{out}", "What it builds is outside of this folder.")
        return
    where = _relative(project, built)
    key = _key_of(base)
    options = {"static": where, "fallback": "index.html", "immutable": ["assets/*"] if kind == "Vite" else []}
    if (built / "index.html").is_file():
        options = {name: value for name, value in options.items() if value}
        yield Found(kind, options, f"{where}/", (folder.name,), key=key, is_whole=not key)
        return
    line = f'"{key or "/"}" = {{ static = "{where}", fallback = "index.html" }}'
    yield Remark(f"{kind}, {where}/", f"Not built yet. Build it (npm run build), and write under [mounts]:\n{line}")

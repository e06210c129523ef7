"""Files of other tools that compose applications, which `multiserve import` reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from multiserve.discovery.found import Remark
from multiserve.discovery.project import Project

_REASON = 'It composes applications, too: see what "multiserve import {file}" prints.'
_INI = re.compile(r"^\s*\[(composite:.+|uwsgi)\]", re.MULTILINE)


def find(project: Project) -> Iterator[Remark]:
    """Find the modules with DispatcherMiddleware, and the files of Paste, uWSGI and the like in the folder itself."""
    for source in project.sources:
        if any(source.calls("DispatcherMiddleware")):
            file = project.file(source)
            yield Remark(file, _REASON.format(file=file), file)
    for path in sorted(project.folder.iterdir()):
        if path.name == "Procfile" or (path.suffix == ".ini" and _INI.search(_read(path))):
            yield Remark(path.name, _REASON.format(file=path.name))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:  # a folder of this name, or a file that one may not read
        return ""

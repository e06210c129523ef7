"""The packages that multiserve needs, as they are installed in our own environment."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePath

from multiserve.interpreters.requirements import Requirement, parse_requirement

OURS = "multiserve"
# (who, of what) -> which versions do for serving applications, where that is less than all of multiserve needs; None
# where it is not imported then.
_LESS: dict[tuple[str, str], str | None] = {
    ("multiserve", "click"): None,  # for the command line; uvicorn asks for it by itself
    ("multiserve", "websockets"): ">=11",  # the newer ones are for proxied mounts
    ("multiserve", "werkzeug"): "",  # one function, which all releases have, for static folders
    ("werkzeug", "markupsafe"): "",  # the same
    ("uvicorn", "h11"): None,  # for a parser that is not used
}
_COMPILED = frozenset({".so", ".pyd"})


@dataclass(frozen=True, slots=True)
class Package:
    """One of our packages.

    Attributes:
        python: The versions of Python that it is for, such as ">=3.9"; empty for all.
        needs: What it needs of others, for serving applications.
        folder: Where its modules are.
        modules: Its top-level modules.
        compiled: The names of the files of its compiled modules.
    """

    python: str
    needs: tuple[Requirement, ...]
    folder: Path
    modules: tuple[str, ...]
    compiled: tuple[str, ...]


def needed_packages(variables: Mapping[str, str]) -> dict[str, Package | None]:
    """Return multiserve and all that it needs for serving applications; None for what is not installed here.

    Args:
        variables: The values of the variables in the markers of requirements, such as `python_version`.

    Raises:
        PackageNotFoundError: multiserve itself is run without having been installed.
    """
    found: dict[str, Package | None] = {OURS: _package(OURS, distribution(OURS), variables)}
    waiting = [OURS]
    while waiting:
        package = found[waiting.pop()]
        for name in (need.name for need in (package.needs if package else ()) if need.name not in found):
            try:
                found[name] = _package(name, distribution(name), variables)
            except PackageNotFoundError:
                found[name] = None
            waiting.append(name)
    return found


def _package(name: str, installed: Distribution, variables: Mapping[str, str]) -> Package:
    files = [PurePath(each) for each in installed.files or ()]
    modules = _top_level_modules(files) or tuple(
        (installed.read_text("top_level.txt") or name.replace("-", "_")).split()
    )
    return Package(
        python=installed.metadata["Requires-Python"] or "",
        needs=tuple(_needs(name, installed, variables)),
        folder=Path(__file__).parents[2] if name == OURS else _folder_of(installed, modules[0]),
        modules=(OURS,) if name == OURS else modules,
        compiled=tuple(file.name for file in files if file.suffix in _COMPILED),
    )


def _needs(name: str, installed: Distribution, variables: Mapping[str, str]) -> Iterator[Requirement]:
    for need in map(parse_requirement, installed.requires or ()):
        versions = _LESS.get((name, need.name), need.versions)
        if versions is not None and need.counts(variables):
            yield Requirement(need.name, versions)


def _top_level_modules(files: list[PurePath]) -> tuple[str, ...]:
    """Return the names of the modules and packages among the files of a distribution."""
    code = [file for file in files if file.suffix in {".py", *_COMPILED}]
    names = {file.parts[0] if len(file.parts) > 1 else file.name.partition(".")[0] for file in code}
    return tuple(sorted(name for name in names if name.isidentifier() or name.endswith("__mypyc")))


def _folder_of(installed: Distribution, module: str) -> Path:
    """Return the folder that a module is in; that of an editable installation is not the distribution's."""
    folder = Path(str(installed.locate_file("")))
    if any(folder.glob(f"{module}.*")) or (folder / module).is_dir():
        return folder
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).parents[bool(spec.submodule_search_locations)] if spec and spec.origin else folder

"""Takes the applications of fleets in and out of a composition that is served, where their files come and go."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from multiserve.composition import Composition, load_mount
from multiserve.config.model import Config
from multiserve.config.mounts import FleetMount, MemberMount, Mount
from multiserve.dispatchers import recompose
from multiserve.keys import KeyProblem, parse_key
from multiserve.loading.django_urls import forget_settled_urls
from multiserve.loading.monkey_patches import refused_monkey_patches
from multiserve.loading.mounts import LoadedMount
from multiserve.loading.server_starts import refused_server_starts
from multiserve.tracebacks import causes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomposed:
    """A composition with other applications of its fleets.

    Attributes:
        composition: The composition as it will be.
        added: What came, loaded.
        removed: What went.
        apply: Serve it; over ASGI this has to be called in the event loop.
    """

    composition: Composition
    added: tuple[LoadedMount, ...]
    removed: tuple[Mount, ...]
    apply: Callable[[], None]


def without_restart(composition: Composition, config: Config, changed: Sequence[str]) -> Recomposed | None:
    """Load what is new in the folders of fleets.

    Args:
        composition: What is served.
        config: The configuration as it is now.
        changed: The files that have changed, come or gone.

    Returns:
        None if it takes a restart: if anything else has changed, or may be another one because of that.
    """
    before, after = _by_name(composition.config), _by_name(config)
    if _without_members(composition.config) != _without_members(config):
        return None
    if any(after[name] != before[name] for name in before.keys() & after.keys() if _is_member(before[name])):
        return None
    if not all(_is_apart(composition.config, before, after, name) for name in changed):
        return None
    if _may_be_mended(composition, changed):
        return None
    added = [mount for name, mount in after.items() if name not in before and isinstance(mount, MemberMount)]
    if any(mount.target.module in sys.modules for mount in added):  # of a file that was there before
        return None
    return _load(composition, config, added)


def _by_name(config: Config) -> dict[str, Mount]:
    return {mount.name: mount for mount in config.mounts}


def _is_member(mount: Mount) -> bool:
    return isinstance(mount, MemberMount)


def _without_members(config: Config) -> Config:
    mounts = (
        replace(mount, members=(), left_out=()) if isinstance(mount, FleetMount) else mount for mount in config.mounts
    )
    return replace(config, mounts=tuple(mount for mount in mounts if not _is_member(mount)))


def _is_apart(config: Config, before: Mapping[str, Mount], after: Mapping[str, Mount], file: str) -> bool:
    """Return whether a file belongs to no application that is served, and stays."""
    path = Path(file)
    for fleet in config.mounts:
        if not isinstance(fleet, FleetMount) or not path.is_relative_to(fleet.folder):
            continue
        if path == fleet.folder:
            return True  # as something has come into it, or gone
        name = path.relative_to(fleet.folder).parts[0].removesuffix(".py")
        try:
            key = str(parse_key(f"{fleet.key.authority}{fleet.key.prefix}/{name}"))
        except KeyProblem:
            return False
        return (key in before) != (key in after) or (key not in before and not _is_loaded(file))
    return False


def _is_loaded(file: str) -> bool:
    return any(getattr(module, "__file__", None) == file for module in list(sys.modules.values()))


def _may_be_mended(composition: Composition, changed: Sequence[str]) -> bool:
    """Return whether a mount has failed for want of what has come now: a module, or a file that it opens."""
    errors = [cause for each in composition.failures if each.error for cause in causes(each.error.__cause__)]
    return any(_may_be_missed(composition.config, Path(file), error) for file in changed for error in errors)


def _may_be_missed(config: Config, file: Path, error: BaseException) -> bool:
    if isinstance(error, ImportError):
        folders = [mount.folder for mount in config.mounts if isinstance(mount, FleetMount)]
        below = [file.relative_to(folder) for folder in folders if file.is_relative_to(folder)]
        names = {part.partition(".")[0] for path in below for part in path.parts}
        return not names.isdisjoint(re.findall(r"\w+", str(error)))  # Python 3.11 has one of two names elsewhere, too
    if isinstance(error, OSError) and isinstance(error.filename, str | bytes | os.PathLike):
        return file.is_relative_to(os.path.abspath(os.fsdecode(error.filename)))  # noqa: PTH100 (resolves no links)
    return False


@refused_server_starts()
def _load(composition: Composition, config: Config, added: Iterable[MemberMount]) -> Recomposed | None:
    loader = composition.loader
    if loader is None:
        return None
    importlib.invalidate_caches()
    loader.config = config
    loaded = []
    for mount in added:
        with refused_monkey_patches():
            loaded.append(load_mount(mount, loader))
    forget_settled_urls()
    if composition.interface == "wsgi" and any(each.interface == "asgi" for each in loaded):
        return None
    known: dict[str, LoadedMount] = {each.mount.name: each for each in (*composition.mounts, *loaded)}
    mounts = tuple(replace(known[mount.name], mount=mount) for mount in config.mounts)
    apply = recompose(composition.application, config, mounts, development=loader.development)
    return Recomposed(
        composition=replace(composition, config=config, mounts=mounts),
        added=tuple(loaded),
        removed=tuple(each.mount for each in composition.mounts if each.mount.name not in _by_name(config)),
        apply=apply,
    )

"""Loads all mounts of a configuration: those without a group in this process, the others each in that of its group."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace

from multiserve._types import Interface
from multiserve.composition import compose
from multiserve.config.model import Config
from multiserve.findings import Finding
from multiserve.frameworks import with_frameworks
from multiserve.survey.found import Observe, Survey


@contextlib.contextmanager
def survey(  # noqa: PLR0913 (all optional)
    config: Config,
    *,
    observe: Observe = nullcontext,
    progress: Observe = nullcontext,
    interface: Callable[[Config], Interface | None] = lambda _: None,
    production: bool = False,
    checks: bool = False,
    probe: bool = False,
) -> Iterator[Survey]:
    """Load all mounts; inside the with block applications of all processes can be read and asked.

    Args:
        config: The configuration.
        observe: What to do around loading each mount of this process.
        progress: What to do around loading each mount of another one.
        interface: Return the interface that the composition of this process has to have; None if that follows.
        production: Whether to look at the mounts of groups as production would serve them.
        checks: Whether to run the checks that look at one process in those of the groups.
        probe: Whether to have them ready for a probe.

    Raises:
        ConfigError: What a group's own interpreter says of the configuration.
        LoadError: The middleware of `[server]` cannot be loaded or does not fit.
    """
    if not any(mount.group for mount in config.mounts):
        composition = compose(config, observe=observe, interface=interface(config))
        yield Survey(composition=composition, own=composition)
        return
    from multiserve.survey.applications import RemoteReader
    from multiserve.survey.groups import Groups

    groups = Groups(config, dict(os.environ), production=production)
    front = groups.compose_front(observe, interface)
    own = replace(front, mounts=tuple(loaded for loaded in front.mounts if not loaded.mount.group))
    found = Survey(composition=front, own=own)
    with groups.ended(), with_frameworks((RemoteReader(),)):
        answers = groups.ask(front, found, progress, checks=checks)
        mounts = tuple(answers.get(loaded.mount.name, loaded) for loaded in front.mounts)
        found.composition = replace(front, config=config, mounts=mounts)
        if probe:
            groups.begin_probe(found)
        yield found


def in_order(findings: Iterable[Finding], places: Mapping[str, int]) -> list[Finding]:
    """Return what was found in several processes in the order of the mounts, each once."""
    last = len(places)
    return sorted(
        dict.fromkeys(findings),
        key=lambda finding: places.get(finding.mounts[0], last) if finding.mounts else last,
    )

"""All that `check` finds out about a configuration: loads the mounts, runs the checks, and probes if asked to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from multiserve.checks import SEVERITIES, TOPICS, find_all, find_needless, problems_of_codes, settle
from multiserve.composition import Composition
from multiserve.config.model import Config
from multiserve.config.mounts import Mount
from multiserve.config.processes import for_group
from multiserve.errors import ConfigError, Problem, raise_for
from multiserve.findings import NOT_LOADED, Finding
from multiserve.frameworks import with_frameworks
from multiserve.loading.side_effects import Recorder, SideEffects
from multiserve.plugins.loading import load_plugins
from multiserve.survey.found import Observe, Survey
from multiserve.survey.looking import Look, interface_for
from multiserve.survey.mounts import in_order, survey
from multiserve.survey.production import has_gunicorn, own_problems, problems_of_gunicorn

if TYPE_CHECKING:
    from multiserve.probing import ProbeResult  # imports asyncio, which an inspection without probes does not need

__all__ = ["NOT_LOADED", "Inspection", "has_gunicorn", "inspect", "problems_of_settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found out about a configuration.

    Attributes:
        composition: The loaded mounts; the failures are in it.
        findings: What the checks and the probe found, without what the file ignores; the most severe first.
        effects: What loading each mount did to the process, by the names of the mounts.
        probes: What came of probing; None if it was not asked for.
    """

    composition: Composition
    findings: list[Finding]
    effects: Mapping[str, SideEffects]
    probes: list[ProbeResult] | None = None

    @property
    def all_findings(self) -> list[Finding]:
        """The failures and the findings, the most severe first."""
        found = [*_failures(self.composition), *self.findings]
        return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def inspect(
    config: Config,
    *,
    mounts: Sequence[Mount] = (),
    production: bool = False,
    probe: bool = False,
    alone: bool = False,
    progress: Callable[[Mount], AbstractContextManager[object]] = nullcontext,
) -> Inspection:
    """Load every mount, run every check, and probe the applications if that is asked for.

    Args:
        config: The configuration.
        mounts: All mounts of the file, if the configuration has only some of them.
        production: Check it as `run --production` would serve it.
        probe: Send requests to the applications as well.
        alone: Also send them to each mount in a process of its own, and compare.
        progress: Show that a mount is being loaded.

    Raises:
        ConfigError: A server would refuse a setting, or a plugin cannot be used.
    """
    raise_for(problems_of_settings(config), source=config.source.heading)
    environ = dict(os.environ)  # before the configuration sets any
    recorder = Recorder()

    @contextmanager
    def observe(mount: Mount) -> Iterator[None]:
        with progress(mount), recorder.watch(mount.name):
            yield

    with survey(
        config,
        observe=observe,
        progress=progress,
        interface=partial(interface_for, production=production),
        production=production,
        checks=True,
        probe=probe or alone,
    ) as found:
        # After the mounts: what importing them does to the process is not a plugin's doing.
        look = Look(
            mounts=mounts,
            production=production,
            plugins=load_plugins(config),
            trusted_proxies=config.server.trusted_proxies,
            recorder=recorder,
        )
        raise_for(problems_of_codes(config, [*TOPICS, *look.plugins.checks]), source=config.source.heading)
        recorder.forget_ended_threads()
        with with_frameworks(look.plugins.frameworks):
            findings = _check(found, look)
            probes = _probe(found, look) if probe or alone else None
            if alone and probes:
                probes, more = _compare_alone(found, look, probes, environ, progress)
                findings += more
    findings += [finding for result in probes or () for finding in result.findings]
    if len(mounts or config.mounts) == len(config.mounts) and not found.composition.failures:
        known = [*TOPICS, *look.plugins.checks]
        findings += find_needless(findings, config, known, production=production, probed=probe, alone=alone)
    if found.composition.interface == "asgi":  # only now is it known that the workers have to serve ASGI
        raise_for(problems_of_gunicorn(config, "asgi"), source=config.source.heading)
    effects = {**recorder.effects, **found.effects}
    return Inspection(
        composition=found.composition,
        findings=settle(findings, config),
        effects={loaded.mount.name: effects[loaded.mount.name] for loaded in found.composition.mounts},
        probes=probes,
    )


def _check(found: Survey, look: Look) -> list[Finding]:
    """Run all checks: those of a process on each, and those of the origin on all mounts."""
    more = look.plugins.checks.values()
    subject = look.at(found.own)
    if not found.has_groups:
        return find_all(subject, more)
    of_processes = [*find_all(subject, more, "process"), *found.findings]
    whole = look.at(found.composition, {**look.recorder.effects, **found.effects})
    places = {loaded.mount.name: position for position, loaded in enumerate(found.composition.mounts)}
    return [
        *in_order(of_processes, places),
        *find_all(replace(whole, groups=tuple(found.loads)), more, "origin"),
    ]


def _probe(found: Survey, look: Look) -> list[ProbeResult]:
    from multiserve.probing import probe

    origin = f"http://localhost:{found.composition.config.server.port or 8000}"
    return probe(found.composition, origin, look.inspector, found.own, found.processes)


def _compare_alone(
    found: Survey, look: Look, probes: Sequence[ProbeResult], environ: Mapping[str, str], progress: Observe
) -> tuple[list[ProbeResult], list[Finding]]:
    """Ask each mount in a process of its own as well."""
    from multiserve.survey.influences import compare_alone

    subject = look.at(found.composition, {**look.recorder.effects, **found.effects})
    return compare_alone(subject, probes, environ, production=look.production, progress=progress)


def _failures(composition: Composition) -> Iterator[Finding]:
    for loaded in composition.failures:
        for problem in loaded.error.problems if loaded.error else ():
            yield Finding(
                code=NOT_LOADED,
                severity="error",
                mounts=(loaded.mount.name,),
                key=problem.key,
                message=problem.message,
                consequence="Requests to this mount are answered with 503.",
                cure=problem.hint,
            )


def problems_of_settings(config: Config) -> Iterator[Problem]:
    """Find the settings that `run` would refuse, in development or in production, whatever the applications are."""
    from multiserve.servers.development.debugger import use_debugger

    try:
        use_debugger(config, asked=None)
    except ConfigError as error:
        yield from error.problems
    yield from problems_of_gunicorn(config, "wsgi")
    if not config.plugins:  # whose codes are known when they have been imported
        yield from problems_of_codes(config, TOPICS)
    if config.groups:
        yield from _problems_of_groups(config)


def _problems_of_groups(config: Config) -> Iterator[Problem]:
    """Find those of the groups; what only another interpreter can tell, its own process tells."""
    from multiserve.servers.groups.problems import problems_of_groups

    yield from problems_of_groups(config)
    for group in config.groups.values():
        if group.python is None:
            yield from own_problems(problems_of_gunicorn(for_group(config, group), "wsgi"), group)

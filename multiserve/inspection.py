"""All that `check` finds out about a configuration: loads the mounts, runs the checks, and probes if asked to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from multiserve._types import Interface
from multiserve.checks import SEVERITIES, find_all, look_at, settle
from multiserve.composition import Composition, compose
from multiserve.config.model import Config
from multiserve.config.mounts import Mount
from multiserve.errors import ConfigError, Problem, raise_for
from multiserve.findings import Finding
from multiserve.frameworks import Inspector, with_frameworks
from multiserve.loading.side_effects import Recorder, SideEffects
from multiserve.plugins.loading import load_plugins

if TYPE_CHECKING:
    from multiserve.probing import ProbeResult  # imports asyncio, which an inspection without probes does not need

NOT_LOADED = "MS301"
"""The code of the finding for a mount that cannot be loaded."""


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
    progress: Callable[[Mount], AbstractContextManager[object]] = nullcontext,
) -> Inspection:
    """Load every mount, run every check, and probe the applications if that is asked for.

    Args:
        config: The configuration.
        mounts: All mounts of the file, if the configuration has only some of them.
        production: Check it as `run --production` would serve it.
        probe: Send requests to the applications as well.
        progress: Show that a mount is being loaded.

    Raises:
        ConfigError: A server would refuse a setting, or a plugin cannot be used.
    """
    raise_for(problems_of_settings(config), source=config.source.heading)
    recorder = Recorder()
    forced: Interface | None = "asgi" if production and _serves_asgi(config) else None

    @contextmanager
    def observe(mount: Mount) -> Iterator[None]:
        with progress(mount), recorder.watch(mount.name):
            yield

    composition = compose(config, observe=observe, interface=forced)
    plugins = load_plugins(config)  # after the mounts: what importing them does to the process is not a plugin's doing
    inspector = Inspector()
    with with_frameworks(plugins.frameworks):
        subject = look_at(
            composition,
            recorder.effects,
            observe=recorder.watch,
            mounts=mounts,
            gunicorn=_gunicorn_settings(config, composition.interface),
            is_production=production,
            inspector=inspector,
        )
        subject = replace(subject, plugin_codes=frozenset(plugins.checks))
        findings = find_all(subject, plugins.checks.values())
        probes = _probe(composition, inspector) if probe else None
        findings += [finding for result in probes or () for finding in result.findings]
    if composition.interface == "asgi":  # only now is it known that the workers have to serve ASGI
        raise_for(_problems_of_gunicorn(config, "asgi"), source=config.source.heading)
    findings = settle(findings, config)
    return Inspection(composition=composition, findings=findings, effects=recorder.effects, probes=probes)


def _probe(composition: Composition, inspector: Inspector) -> list[ProbeResult]:
    from multiserve.probing import probe

    return probe(composition, f"http://localhost:{composition.config.server.port or 8000}", inspector)


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
    yield from _problems_of_gunicorn(config, "wsgi")


def has_gunicorn() -> bool:
    """Return whether gunicorn can be imported; without it, its settings cannot be checked."""
    try:
        import multiserve.servers.production.application  # noqa: F401
    except ImportError:
        return False
    return True


def _problems_of_gunicorn(config: Config, interface: Interface) -> list[Problem]:
    if not has_gunicorn():
        return []
    from multiserve.servers.production.application import problems_of_settings as problems

    return problems(config, interface)


def _serves_asgi(config: Config) -> bool:
    """Return whether the worker of production takes ASGI, whatever the mounts are."""
    if not has_gunicorn():
        return False
    from multiserve.servers.production.settings import configure, interface_of

    settings, _ = configure(config, {}, "wsgi")
    return interface_of(settings) == "asgi"


def _gunicorn_settings(config: Config, interface: Interface) -> Mapping[str, Any]:
    """Return gunicorn's settings as production would have them; an empty mapping without gunicorn."""
    if not has_gunicorn():
        return {}
    from multiserve.servers.production.settings import configure

    settings, _ = configure(config, {}, interface)
    return {name: setting.get() for name, setting in settings.settings.items()}

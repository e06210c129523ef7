"""What production would make of the configuration of a process, where gunicorn can be imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from multiserve._types import Interface
from multiserve.config.groups import Group
from multiserve.config.model import Config
from multiserve.errors import Problem


def has_gunicorn() -> bool:
    """Return whether gunicorn can be imported; without it, its settings cannot be checked."""
    try:
        import multiserve.servers.production.application  # noqa: F401
    except ImportError:
        return False
    return True


def problems_of_gunicorn(config: Config, interface: Interface) -> list[Problem]:
    """Find the settings of gunicorn that would be refused, for what the mounts speak."""
    if not has_gunicorn():
        return []
    from multiserve.servers.production.application import problems_of_settings as problems

    return problems(config, interface)


def own_problems(problems: Iterable[Problem], group: Group) -> list[Problem]:
    """Keep the problems with what a group has in its own table; what it has taken over is reported for the file."""
    return [problem for problem in problems if problem.key.startswith(f"{group.toml_key}.")]


def serves_asgi(config: Config) -> bool:
    """Return whether the worker of production takes ASGI, whatever the mounts are."""
    if not has_gunicorn():
        return False
    from multiserve.servers.production.settings import configure, interface_of

    settings, _ = configure(config, {}, "wsgi")
    return interface_of(settings) == "asgi"


def gunicorn_settings(config: Config, interface: Interface) -> Mapping[str, Any]:
    """Return gunicorn's settings as production would have them; an empty mapping without gunicorn."""
    if not has_gunicorn():
        return {}
    from multiserve.servers.production.settings import configure

    settings, _ = configure(config, {}, interface)
    return {name: setting.get() for name, setting in settings.settings.items()}

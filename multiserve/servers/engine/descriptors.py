"""The limit of file descriptors: each connection takes one, and without a free one no client is served."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from multiserve.servers.engine.settings import EngineSettings

_OTHERS = 128  # descriptors for listening sockets, log files and what the applications open
_FEWEST = 16  # connections, and WebSockets, even where descriptors are short


def fit_descriptors(settings: EngineSettings, log: Any) -> EngineSettings:
    """Raise the limit of descriptors if the settings need it, or lower the settings to what the system allows.

    Args:
        settings: The settings.
        log: Where to say that the system allows fewer connections than the settings.
    """
    if sys.platform == "win32":
        return settings
    import resource

    wanted = settings.max_connections + settings.max_websockets + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return settings
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (OSError, ValueError):  # the system has a limit of its own
        allowed = soft
    if allowed >= wanted:
        return settings
    fitting = _shrink(settings, allowed - _OTHERS)
    log.warning(
        "The system allows %d file descriptors, but %d connections and %d WebSockets need %d: serving %d and %d. "
        "Raise the limit (ulimit -n, or LimitNOFILE= of systemd), or lower worker_connections and max_websockets.",
        *(allowed, settings.max_connections, settings.max_websockets, wanted),
        *(fitting.max_connections, fitting.max_websockets),
    )
    return fitting


def _shrink(settings: EngineSettings, left: int) -> EngineSettings:
    """Share what is left of the descriptors between connections and WebSockets as the settings do."""
    both = settings.max_connections + settings.max_websockets
    connections = max(left * settings.max_connections // both, _FEWEST)
    websockets = max(left * settings.max_websockets // both, _FEWEST)
    return replace(
        settings,
        max_connections=min(connections, settings.max_connections),
        max_websockets=min(websockets, settings.max_websockets),
    )

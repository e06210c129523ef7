"""What a reload would change in a running server; `multiserve.reports.plan` has the type of it.

The server reads the file itself: with its own command line, environment and folder, as it would for a reload. It loads
no application.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from typing import Any

from multiserve.config.differences import Change, Differences, compare
from multiserve.config.model import Config, Server
from multiserve.config.tables import quote_key
from multiserve.errors import ConfigError
from multiserve.servers.configuration import PORT, platform_port
from multiserve.servers.production.control import Reply


def tell_plan(arbiter: Any) -> Reply:
    """Return the answer of a master in front: the plan, or the mistakes that there are in its file."""
    application = arbiter.app
    application.leave_environment()  # the file may set it differently now
    try:
        outside = set(os.environ)
        found = arbiter.groups.reading.read()
        processes = arbiter.groups.foresee(found, _graceful_timeout(found, arbiter))
    except ConfigError as error:
        wrong = {"source": error.source, "problems": [asdict(each) for each in error.problems]}
        return lambda: ("done", {"wrong": wrong})
    finally:
        application.enter_environment()
    names = overridden(arbiter.groups.reading.values, application.overrides, outside)
    plan = describe(compare(application.config, found, names), processes)
    preloads = application.overrides.get("preload_app", found.gunicorn.get("preload_app", False))
    answer = {"plan": json.loads(json.dumps({**plan, "code": "kept" if preloads else "loaded"}, default=str))}
    return lambda: ("done", answer)


def _graceful_timeout(config: Config, arbiter: Any) -> float:
    """Return gunicorn's setting as a reload would find it, without what its hooks import."""
    given = {**config.gunicorn, **arbiter.app.overrides}
    seconds: float = given.get("graceful_timeout", arbiter.cfg.settings["graceful_timeout"].default)
    return seconds


def overridden(options: Mapping[str, Any], overrides: Mapping[str, Any], environ: Collection[str]) -> set[str]:
    """Return the key paths for which something else than the file counts.

    Args:
        options: What the command line and the environment say, by the names of the options.
        overrides: Settings of gunicorn of the command line.
        environ: The names of the environment variables that the file has not set.
    """
    given = {field.name for field in fields(Server) if options.get(field.name) not in (None, ())}
    names = {f"server.{name}" for name in given}
    names |= {f"gunicorn.{name}" for name in overrides}
    names |= {f"env.{quote_key(name)}" for name in environ}
    if given & {"host", "port"}:
        names.add("gunicorn.bind")
    if PORT in environ and platform_port() is not None:
        names.add("server.port")
    return names


def describe(differences: Differences, processes: Mapping[str, str]) -> dict[str, Any]:
    """Return what differs as values for JSON.

    Args:
        differences: What differs.
        processes: What a reload would do with the process of each group, by its name.
    """
    return {
        "is_changed": not differences.is_empty or any(what != "reloaded" for what in processes.values()),
        "mounts": [
            {
                "mount": each.name,
                "target": each.target,
                "change": each.kind,
                "group_before": each.before,
                "group": each.after,
                "values": list(map(_describe, each.values)),
            }
            for each in differences.mounts
        ],
        "groups": [
            {"name": name, "process": what, "values": list(map(_describe, differences.groups.get(name, ())))}
            for name, what in processes.items()
        ],
        "settings": [{**_describe(change), "effect": effect} for change, effect in differences.settings],
    }


def _describe(change: Change) -> dict[str, Any]:
    return {"key": change.key, "change": change.kind, "before": change.before, "after": change.after}

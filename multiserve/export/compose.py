"""Compose: a service for each unit, nginx in front of them once they serve."""

from __future__ import annotations

from collections.abc import Mapping

from multiserve.export.containers import (
    FRONT_COMMAND,
    FRONT_PORT,
    MANAGE_PORT,
    PORT,
    USER,
    check_images,
    command_of,
    environment,
    front_files,
    front_image,
    memory_of,
    needed_variables,
    seconds_to_stop,
)
from multiserve.export.model import Export
from multiserve.export.units import FRONT, Unit
from multiserve.export.yaml import Value, dump

_ASK = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{MANAGE_PORT}/readyz', timeout=5)"
_LOCAL = "127.0.0.1"


def render(export: Export) -> Mapping[str, str]:
    """Return the file for Compose, and the configuration of nginx.

    Raises:
        ConfigError: An image is missing.
    """
    check_images(export, "compose")
    services = {unit.name: _service(export, unit) for unit in export.units}
    services[FRONT] = _front(export)
    addresses = {unit.name: f"{unit.name}:{PORT}" for unit in export.units}
    files = {f"{FRONT}/{name}": text for name, text in front_files(export, addresses).items()}
    return {"compose.yaml": dump({"name": export.name, "services": services}), **files}


def _service(export: Export, unit: Unit) -> Mapping[str, Value]:
    # A variable without a value is that of the shell, or of the file .env beside this one.
    needed: dict[str, Value] = {each.name: None for each in needed_variables(export)}
    return {
        "image": export.images[unit.name],
        "entrypoint": command_of(unit, _LOCAL),  # as Kubernetes, whatever the image begins with
        "environment": {**environment(), **needed},
        "expose": [str(PORT)],
        "healthcheck": {
            "test": ["CMD", "python", "-c", _ASK],
            "interval": "5s",
            "timeout": "6s",
            "retries": 3,
            "start_period": "300s",
            "start_interval": "1s",
        },
        "mem_limit": f"{memory_of(export, unit)}m",
        "stop_grace_period": f"{seconds_to_stop(export)}s",
        **_SAFE,
    }


def _front(export: Export) -> Mapping[str, Value]:
    # It asks for the addresses of the units once, when it starts.
    waits: dict[str, Value] = {unit.name: {"condition": "service_healthy", "restart": True} for unit in export.units}
    return {
        "image": front_image(export),
        "entrypoint": list(FRONT_COMMAND),
        "ports": [f"{export.listen}:{FRONT_PORT}"],
        "volumes": [f"./{FRONT}:/etc/multiserve:ro"],
        "depends_on": waits,
        "stop_signal": "SIGQUIT",  # by which nginx ends in good order
        "stop_grace_period": f"{seconds_to_stop(export)}s",
        **_SAFE,
    }


_SAFE: Mapping[str, Value] = {
    "restart": "unless-stopped",
    "user": f"{USER}:{USER}",
    "read_only": True,
    "tmpfs": ["/tmp"],  # noqa: S108 (the container's own)
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
}

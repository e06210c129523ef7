"""What Kubernetes 1.20 calls otherwise than a current one, which the export is written for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Object = dict[str, Any]


def _name_version(value: Object) -> None:
    """Name the version under which 1.20 has the budget, with the same fields."""
    if value["apiVersion"] == "policy/v1":
        value["apiVersion"] = "policy/v1beta1"


def _sleep_by_command(value: Object) -> None:
    """Let a command sleep before a container is stopped, as kubelet does it itself since 1.29."""
    for container in _containers(value):
        hook = container.get("lifecycle", {}).get("preStop", {})
        if "sleep" in hook:
            seconds = hook.pop("sleep")["seconds"]
            hook["exec"] = {"command": ["sleep", str(seconds)]}


CHANGES: dict[str, Callable[[Object], None]] = {
    "PodDisruptionBudget": _name_version,
    "Deployment": _sleep_by_command,
}
"""What is changed, by the kind of object. Everything else is applied as it was exported."""


def translate(objects: list[Object]) -> list[Object]:
    """Return objects as 1.20 understands them."""
    found = copy.deepcopy(objects)
    for value in found:
        if change := CHANGES.get(value["kind"]):
            change(value)
    return found


def _containers(value: Object) -> list[Object]:
    containers: list[Object] = value["spec"]["template"]["spec"]["containers"]
    return containers

"""Kubernetes: a Deployment, a Service and a PodDisruptionBudget for each unit, and what is in front of them."""

from __future__ import annotations

from collections.abc import Mapping

from multiserve.export.containers import (
    MANAGE_PORT,
    PORT,
    check_images,
    command_of,
    environment,
    memory_of,
    needed_variables,
    seconds_to_stop,
)
from multiserve.export.kubernetes.front import front_documents
from multiserve.export.kubernetes.objects import LEAVING, Object, Pods
from multiserve.export.model import Export
from multiserve.export.units import FRONT, Unit
from multiserve.export.yaml import Value, dump, dump_all

_PERIOD = 2  # seconds between two looks whether a pod is ready
_LONGEST_START = 300  # seconds


def render(export: Export) -> Mapping[str, str]:
    """Return a file for each unit, one for the front, and a kustomization that names them.

    Raises:
        ConfigError: An image is missing, or the kind of front cannot express the table.
    """
    check_images(export, "kubernetes")
    files = {f"{unit.name}.yaml": dump_all(_unit_objects(export, unit)) for unit in export.units}
    files |= {f"{FRONT}.yaml": dump_all(front_documents(export))}
    kustomization: Object = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(files),
    }
    return {"kustomization.yaml": dump(kustomization), **files}


def _unit_objects(export: Export, unit: Unit) -> list[Object]:
    pods = Pods(
        site=export.name,
        name=f"{export.name}-{unit.name}",
        replicas=export.replicas,
        container=_container(export, unit),
        memory=memory_of(export, unit),
        seconds_to_stop=seconds_to_stop(export),
    )
    return [pods.deployment(), pods.service(PORT, "http"), pods.budget()]


def _container(export: Export, unit: Unit) -> Mapping[str, Value]:
    variables: list[Value] = [{"name": name, "value": value} for name, value in environment().items()]
    return {
        "name": unit.name,
        "image": export.images[unit.name],
        "command": command_of(unit),
        "env": [*variables, *_secrets(export)],
        "ports": [{"name": "http", "containerPort": PORT}, {"name": "manage", "containerPort": MANAGE_PORT}],
        "startupProbe": _probe("/readyz", failures=_LONGEST_START // _PERIOD),
        "readinessProbe": _probe("/readyz", failures=1),
        "livenessProbe": {**_probe("/livez", failures=3), "periodSeconds": 10},
        # It serves on until every machine has learnt that it is to get nothing more.
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(LEAVING)]}}},
    }


def _probe(path: str, *, failures: int) -> dict[str, Value]:
    return {
        "httpGet": {"path": path, "port": "manage"},
        "periodSeconds": _PERIOD,
        "timeoutSeconds": _PERIOD,
        "failureThreshold": failures,
    }


def _secrets(export: Export) -> list[Value]:
    """Return the variables that the file takes from outside, by the names that they have in a Secret."""
    return [
        {
            "name": each.name,
            "valueFrom": {"secretKeyRef": {"name": export.name, "key": each.name, "optional": each.is_optional}},
        }
        for each in needed_variables(export)
    ]

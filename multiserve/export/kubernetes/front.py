"""What is in front of the units in Kubernetes: nginx as pods, or routes of a Gateway or an Ingress."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from multiserve.export.containers import FRONT_COMMAND, FRONT_PORT, PORT, front_files, front_image
from multiserve.export.kubernetes.objects import LEAVING, Object, Pods
from multiserve.export.kubernetes.routes import httproutes, ingress
from multiserve.export.model import Export
from multiserve.export.units import FRONT

_MEMORY = 128  # megabytes


def front_documents(export: Export) -> Sequence[Object]:
    """Return the objects of the front.

    Raises:
        ConfigError: They cannot express the table.
    """
    if export.front == "httproute":
        return httproutes(export)
    if export.front == "ingress":
        return [ingress(export)]
    return _nginx(export)


def _nginx(export: Export) -> list[Object]:
    addresses = {unit.name: f"{export.name}-{unit.name}:{PORT}" for unit in export.units}
    files = front_files(export, addresses)
    name = f"{export.name}-{FRONT}"
    pods = Pods(
        site=export.name,
        name=name,
        replicas=export.replicas,
        container={
            "name": FRONT,
            "image": front_image(export),
            "command": list(FRONT_COMMAND),
            "ports": [{"name": "http", "containerPort": FRONT_PORT}],
            "readinessProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": 2},
            "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", _stop()]}}},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/multiserve"}],
        },
        memory=_MEMORY,
        seconds_to_stop=_SECONDS_TO_STOP,
        volumes=[{"name": "config", "configMap": {"name": name}}],
        # nginx reads its files once: another table is for new pods.
        annotations={"checksum/config": sha256(repr(sorted(files.items())).encode()).hexdigest()},
    )
    config: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": pods.labels},
        "data": files,
    }
    return [config, pods.deployment(), pods.service(export.listen, "http"), pods.budget()]


_SECONDS_TO_STOP = 35


def _stop() -> str:
    """Return how nginx ends in good order, which it does by SIGQUIT, where Kubernetes sends SIGTERM."""
    quit_ = "nginx -c /etc/multiserve/nginx.conf -s quit"
    return f"sleep {LEAVING}; {quit_}; sleep {_SECONDS_TO_STOP - LEAVING}"

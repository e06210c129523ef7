"""The objects of Kubernetes that a unit and the front have in common: pods, and what keeps them safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from multiserve.export.containers import USER
from multiserve.export.yaml import Value

Object = Mapping[str, Value]

LEAVING = 5
"""Seconds for which a pod that is to end still serves: until no other machine sends it anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pods:
    """Pods that are alike.

    Attributes:
        site: The name of the whole.
        name: The name of these.
        replicas: How many there are.
        container: Their container, without what keeps it safe.
        memory: Megabytes that each may take.
        seconds_to_stop: How long the container may take from the signal to its end.
        volumes: What is mounted, beside /tmp.
        annotations: What else is said of each pod: where it changes, new pods take the place of the old ones.
    """

    site: str
    name: str
    replicas: int
    container: Mapping[str, Value]
    memory: int
    seconds_to_stop: int
    volumes: Sequence[Mapping[str, Value]] = ()
    annotations: Mapping[str, Value] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, Value]:
        """What these pods are known by."""
        return {"app.kubernetes.io/name": self.name, "app.kubernetes.io/part-of": self.site}

    def deployment(self) -> Object:
        """Return what keeps them running: a new pod is ready before an old one is taken away."""
        metadata: dict[str, Value] = {"labels": self.labels}
        if self.annotations:
            metadata["annotations"] = self.annotations
        template: dict[str, Value] = {"metadata": metadata, "spec": self._pod()}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": self.name, "labels": self.labels},
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": self.labels},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": template,
            },
        }

    def service(self, port: int, target: str) -> Object:
        """Return the name by which they are found, with a port that leads to one of theirs."""
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": self.name, "labels": self.labels},
            "spec": {"selector": self.labels, "ports": [{"name": "http", "port": port, "targetPort": target}]},
        }

    def budget(self) -> Object:
        """Return that no more than one of them is taken away at a time, such as when a machine is drained."""
        return {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": self.name, "labels": self.labels},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": self.labels}},
        }

    def _pod(self) -> dict[str, Value]:
        memory = f"{self.memory}Mi"
        container: dict[str, Value] = {
            **self.container,
            # Without a limit of the processor: a pod that reaches one stands still in the middle of a request.
            "resources": {"requests": {"cpu": "100m", "memory": f"{self.memory // 4}Mi"}, "limits": {"memory": memory}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        }
        mounts = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 (the pod's own)
        given = container.get("volumeMounts", [])
        container["volumeMounts"] = [*mounts, *(given if isinstance(given, list) else [])]
        return {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": LEAVING + self.seconds_to_stop,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {}}, *self.volumes],
        }

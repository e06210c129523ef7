"""A Kubernetes of one node: its programs, kubectl, and the names of its services."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import urllib.error
import urllib.request
from typing import Any

from docker import Docker
from waiting import until

NODE = "node1"
_GATEWAY = "172.17.0.1"  # the machine, as its containers see it
_API = "https://127.0.0.1:6443"
_CONFIGURATION = "/etc/kubernetes/admin"
_TOKEN = "the-only-token"
_PAUSE = "pause:1"
_PAUSE_FILE = 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n'

_ADMIN = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "cluster", "cluster": {"server": _API, "insecure-skip-tls-verify": True}}],
    "users": [{"name": "admin", "user": {"token": _TOKEN}}],
    "contexts": [{"name": "context", "context": {"cluster": "cluster", "user": "admin"}}],
    "current-context": "context",
}

_KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
    "authorization": {"mode": "AlwaysAllow"},
    "cgroupDriver": "cgroupfs",
    "cgroupsPerQOS": False,
    "enforceNodeAllocatable": [],
    "failSwapOn": False,
    "clusterDNS": [_GATEWAY],
    "clusterDomain": "cluster.local",
    "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "100Mi"},
    "imageGCHighThresholdPercent": 100,
    "resolvConf": "",
}

_API_SERVER = (
    *("--etcd-servers", "http://127.0.0.1:2379", "--service-cluster-ip-range", "10.99.0.0/16"),
    *("--bind-address", "127.0.0.1", "--secure-port", "6443", "--insecure-port", "0", "--cert-dir", "/run/kubernetes"),
    *("--service-account-key-file", "/etc/kubernetes/key", "--service-account-signing-key-file", "/etc/kubernetes/key"),
    *("--service-account-issuer", "https://kubernetes.local", "--token-auth-file", "/etc/kubernetes/tokens"),
    *("--authorization-mode", "AlwaysAllow", "--allow-privileged"),
    *("--advertise-address", _GATEWAY),  # it would look for a default route, which there is not
)
_CONTROLLER_MANAGER = (
    *("--kubeconfig", _CONFIGURATION, "--service-account-private-key-file", "/etc/kubernetes/key"),
    *("--cluster-cidr", "10.98.0.0/16", "--allocate-node-cidrs=false", "--cert-dir", "/run/controller-manager"),
)
_SCHEDULER = ("--kubeconfig", _CONFIGURATION, "--cert-dir", "/run/scheduler")
_NODE = (
    *("--kubeconfig", _CONFIGURATION, "--config", "/etc/kubernetes/kubelet", "--root-dir", "/var/lib/kubelet"),
    *("--container-runtime", "docker", "--pod-infra-container-image", _PAUSE, "--image-pull-progress-deadline", "5s"),
    *("--hostname-override", NODE, "--node-ip", _GATEWAY, "--cert-dir", "/run/kubelet"),
)
_PROXY = (
    *("--kubeconfig", _CONFIGURATION, "--proxy-mode", "iptables", "--hostname-override", NODE),
    *("--cluster-cidr", "172.17.0.0/16", "--conntrack-max-per-core", "0"),
    *("--conntrack-tcp-timeout-established", "0s", "--conntrack-tcp-timeout-close-wait", "0s"),
)


class Kubernetes:
    """A cluster of one node."""

    def __init__(self, docker: Docker) -> None:
        """Start all of it, and wait until its node takes pods."""
        self._machine = docker.machine
        self._machine.write("/images/pause/Dockerfile", _PAUSE_FILE)
        self._machine.run("cp", "/opt/kubernetes/pause", "/images/pause")
        docker.build(_PAUSE, "/images/pause")
        self._start_control_plane()
        self._start_node()

    def _start_control_plane(self) -> None:
        machine = self._machine
        machine.write(_CONFIGURATION, json.dumps(_ADMIN))
        machine.write("/etc/kubernetes/tokens", f'{_TOKEN},admin,1,"system:masters"\n')
        machine.run("openssl", "genrsa", "-out", "/etc/kubernetes/key", "2048")
        machine.start("etcd", "etcd", "--data-dir", "/var/lib/etcd/cluster")
        machine.start("kube-apiserver", "kube-apiserver", *_API_SERVER)
        until(self._is_ready, "an API server", 60)
        machine.start("kube-controller-manager", "kube-controller-manager", *_CONTROLLER_MANAGER)
        machine.start("kube-scheduler", "kube-scheduler", *_SCHEDULER)

    def _start_node(self) -> None:
        machine = self._machine
        machine.write("/etc/kubernetes/kubelet", json.dumps(_KUBELET))
        machine.start("kubelet", "kubelet", *_NODE)
        machine.start("kube-proxy", "kube-proxy", *_PROXY)
        until(self._takes_pods, "a node that is ready")
        until(lambda: self._get("serviceaccounts"), "the account that pods run under")

    def _is_ready(self) -> bool:
        try:
            return _send("/readyz") == (200, "ok")
        except OSError:
            return False

    def _takes_pods(self) -> bool:
        conditions = [each for node in self._get("nodes") for each in node["status"]["conditions"]]
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl, and return what it prints."""
        return self._machine.run("kubectl", *arguments, text=text)

    def _get(self, *what: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", *what, "--output", "json"))["items"]
        return items

    def apply(self, objects: list[dict[str, Any]]) -> None:
        """Apply objects, services first: a front asks for their addresses when it starts."""
        services = [each for each in objects if each["kind"] == "Service"]
        self._apply(services)
        self._publish_names()
        self._apply([each for each in objects if each["kind"] != "Service"])

    def _apply(self, objects: list[dict[str, Any]]) -> None:
        self.kubectl(
            "apply", "--filename", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        )

    def _publish_names(self) -> None:
        """Let pods find the services by their names: dnsmasq stands in for CoreDNS."""
        services = self._get("services")
        lines = [
            f"{each['spec']['clusterIP']} {each['metadata']['name']}.default.svc.cluster.local" for each in services
        ]
        self._machine.write("/etc/cluster-hosts", "\n".join((*lines, "")))
        process = self._machine.root / "run" / "dnsmasq.pid"
        if process.exists():
            os.kill(int(process.read_text("utf-8")), signal.SIGHUP)
        else:
            options = (
                *("--no-resolv", "--no-hosts", "--addn-hosts=/etc/cluster-hosts", f"--listen-address={_GATEWAY}"),
                *("--bind-interfaces", "--local=/cluster.local/", "--user=root", "--pid-file=/run/dnsmasq.pid"),
            )
            self._machine.start("dnsmasq", "dnsmasq", "--keep-in-foreground", *options)
            until(process.exists, "dnsmasq")

    def pods(self, deployment: str) -> list[str]:
        """Return the names of the pods of a deployment, with those that are on their way out."""
        name = re.compile(rf"{re.escape(deployment)}-[a-z0-9]+-[a-z0-9]{{5}}")
        return [pod for each in self._get("pods") if name.fullmatch(pod := each["metadata"]["name"])]

    def wait_for(self, deployment: str) -> None:
        """Wait until a deployment is as it was asked to be, and no pod of before is left."""
        until(lambda: self._is_settled(deployment), f"the pods of {deployment}")

    def _is_settled(self, deployment: str) -> bool:
        found = json.loads(self.kubectl("get", "deployment", deployment, "--output", "json"))
        wanted, status = found["spec"]["replicas"], found["status"]
        counts = [status.get(f"{name}Replicas") for name in ("ready", "updated", "available")]
        is_seen = status.get("observedGeneration") == found["metadata"]["generation"]
        return is_seen and counts == [wanted] * 3 and len(self.pods(deployment)) == wanted

    def set_image(self, deployment: str, image: str) -> None:
        """Have the containers of a deployment run another image."""
        self.kubectl("set", "image", f"deployment/{deployment}", f"*={image}")

    def evict(self, pod: str) -> None:
        """Ask for the end of a pod, as the draining of a node does: as often as its budget refuses."""
        until(lambda: self.may_evict(pod), f"the eviction of {pod}")

    def may_evict(self, pod: str) -> bool:
        """Ask once for the end of a pod, and return whether its budget has allowed it."""
        body = {"apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": {"name": pod, "namespace": "default"}}
        status, text = _send(f"/api/v1/namespaces/default/pods/{pod}/eviction", body)
        assert status in (201, 429), text
        return status == 201


def _send(path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
    """Send a request to the API server, and return status and text of its answer."""
    headers = {"Authorization": f"Bearer {_TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{_API}{path}", data, headers)
    context = ssl._create_unverified_context()  # noqa: SLF001 - its certificate is its own
    try:
        with urllib.request.urlopen(request, context=context, timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()

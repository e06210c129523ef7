"""dockerd, and the images that the tests need."""

from __future__ import annotations

from pathlib import Path

from machine import Machine
from pieces import Pieces
from waiting import until

_OPTIONS = (
    *("--storage-driver", "overlay2", "--cgroup-parent", "/multiserve-cluster"),
    *("--exec-opt", "native.cgroupdriver=cgroupfs"),
    *("--add-runtime", "unprivileged=/usr/local/sbin/runc_unprivileged", "--default-runtime", "unprivileged"),
)

_ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",  # as every official image has it
    "PYTHONDONTWRITEBYTECODE=1",
)

# Stands in for python:3.13-slim: pip finds what the examples need without a network.
_BASE = """
FROM debian
COPY wheels /wheels
RUN printf '[global]\\nno-index = true\\nfind-links = /wheels\\nroot-user-action = ignore\\n' > /etc/pip.conf
"""

BASE = "base:1"
FRONT = "nginx:stable"
"""The image that the export names for the front. Debian's nginx stands in for it."""


class Docker:
    """A dockerd of the machine.

    Attributes:
        machine: Where it runs.
    """

    def __init__(self, machine: Machine, pieces: Pieces) -> None:
        """Start it, and make the images that others are made from."""
        self.machine = machine
        process = machine.start("dockerd", "dockerd", *_OPTIONS)

        def is_ready() -> bool:
            assert process.poll() is None, machine.log("dockerd")
            return (machine.root / "run" / "docker.sock").exists()

        until(is_ready, "dockerd")
        machine.copy(pieces.base, "/images/base.tar")
        changes = (each for line in _ENVIRONMENT for each in ("--change", f"ENV {line}"))
        machine.run("docker", "import", *changes, "/images/base.tar", "debian")
        machine.copy(pieces.wheels, "/images/base/wheels")
        machine.write("/images/base/Dockerfile", _BASE)
        self.build(BASE, "/images/base")
        self.run("tag", BASE, FRONT)

    def build(self, name: str, folder: str, **arguments: str) -> str:
        """Build an image from a folder of the machine."""
        given = (each for key, value in arguments.items() for each in ("--build-arg", f"{key}={value}"))
        return self.machine.run("docker", "build", "--tag", name, *given, folder)

    def build_example(self, name: str, source: Path) -> None:
        """Build an image from the Dockerfile of an example, as a stranger does, but upon our own base."""
        self.machine.copy(source, f"/images/{source.name}")
        self.build(name, f"/images/{source.name}", BASE=BASE)

    def run(self, *command: str) -> str:
        """Run a command of docker, and return what it prints."""
        return self.machine.run("docker", *command)

    def compose(self, folder: str, *command: str) -> str:
        """Run a command of Compose in a folder of the machine, and return what it prints."""
        return self.machine.run("docker", "compose", *command, folder=folder)

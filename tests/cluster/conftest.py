"""The machine, its dockerd and its Kubernetes, each started once for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SCRATCH = os.environ.get("CLUSTER_SCRATCH", "")

# `make test` collects this folder, too. What is in it needs root and minutes: `make cluster-test` runs it.
collect_ignore_glob = [] if SCRATCH else ["*.py"]


@pytest.fixture(scope="session")
def docker():
    """Start dockerd in a machine of its own."""
    from docker import Docker
    from machine import Machine
    from pieces import Pieces

    pieces = Pieces.at_default()
    machine = Machine(pieces, Path(SCRATCH))
    yield Docker(machine, pieces)
    machine.stop()


@pytest.fixture(scope="session")
def mixed(docker):
    """Build the image of examples/mixed, and return its name."""
    from pieces import ROOT

    docker.build_example("mixed:1", ROOT / "examples" / "mixed")
    return "mixed:1"


@pytest.fixture(scope="session")
def kubernetes(docker):
    """Start a cluster of one node."""
    from kubernetes import Kubernetes

    return Kubernetes(docker)


FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def record(request):
    """Return what keeps the figures of a load, which stand at the end of the output."""
    figures = request.config.stash.setdefault(FIGURES, [])
    return lambda what, load: figures.append(f"{what}: {load}")


def pytest_terminal_summary(terminalreporter, config):
    """Print the figures of all loads."""
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)

"""The image of examples/mixed, as a stranger builds and runs it."""

from __future__ import annotations

import pytest

from asking import MIXED, ask
from waiting import until


@pytest.fixture(scope="module")
def port(docker, mixed):
    """Run the image as the README says, with a read-only root and without any capability."""
    options = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    docker.run("run", "--detach", "--name", "mixed", "--publish", "8000:8000", *options, mixed)
    until(lambda: ask(8000, "/").status == 200, "an answer")
    yield 8000
    docker.run("rm", "--force", "mixed")


@pytest.mark.parametrize("url", MIXED, ids=lambda url: url.path)
def test_every_application_answers(port, url):
    assert url.fault(port) == ""


def test_it_runs_as_nobody_in_particular(docker, port):
    assert docker.run("exec", "mixed", "id", "-u") == "10001\n"


def test_it_ends_at_once_when_it_is_stopped(docker, port):
    docker.run("stop", "--time", "20", "mixed")
    state = docker.run("inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", "mixed")
    assert state == "0 false\n"

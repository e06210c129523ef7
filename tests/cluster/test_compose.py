"""examples/mixed by Compose, from the exported files."""

from __future__ import annotations

import json

import pytest

from asking import MIXED, ask
from exported import export
from waiting import until

PORT = 8080
FOLDER = "/compose"


@pytest.fixture(scope="module")
def services(docker, mixed, tmp_path_factory):
    """Bring the exported files up, and return what Compose says of each service."""
    folder = export("compose", "mixed", tmp_path_factory.mktemp("compose"), "--image", mixed, "--listen", str(PORT))
    docker.machine.copy(folder, FOLDER)
    docker.compose(FOLDER, "up", "--detach", "--quiet-pull")
    until(lambda: ask(PORT, "/").status == 200, "an answer of the front")
    lines = docker.compose(FOLDER, "ps", "--format", "json").splitlines()
    yield {each["Service"]: each for each in map(json.loads, lines)}
    docker.compose(FOLDER, "down", "--timeout", "20")
    assert docker.run("ps", "--all", "--quiet", "--filter", "label=com.docker.compose.project") == ""


def test_every_application_is_a_service_that_is_healthy(services):
    states = {name: (each["State"], each["Health"]) for name, each in services.items()}
    units = dict.fromkeys(("root", "admin", "api"), ("running", "healthy"))
    assert states == {**units, "front": ("running", "")}


@pytest.mark.parametrize("url", MIXED, ids=lambda url: url.path)
def test_every_url_answers_through_the_front(services, url):
    assert url.fault(PORT) == ""

"""examples/isolated on a real Kubernetes: each group is a deployment, one of them with an interpreter of its own."""

from __future__ import annotations

import json

import pytest

from asking import ISOLATED, ask
from exported import export, outside, read_objects
from older import translate
from pieces import ROOT
from waiting import until

PORT = 30081
BUILT = "<!doctype html><title>Page</title>"  # in place of what Vite would build


@pytest.fixture(scope="module")
def site(docker, kubernetes, tmp_path_factory):
    """Build the image and apply the exported files, and return the names of the deployments."""
    docker.machine.write("/images/isolated/page/dist/index.html", BUILT)
    docker.build_example("isolated:1", ROOT / "examples" / "isolated")
    options = ("--image", "isolated:1", "--name", "isolated", "--replicas", "1")
    objects = read_objects(export("kubernetes", "isolated", tmp_path_factory.mktemp("isolated"), *options))
    applied = [*translate(objects), outside(objects, PORT)]
    kubernetes.apply(applied)
    names = [each["metadata"]["name"] for each in objects if each["kind"] == "Deployment"]
    for name in names:
        kubernetes.wait_for(name)
    until(lambda: ask(PORT, "/").status == 200, "an answer")
    yield names
    kubernetes.delete(applied)


def test_each_group_is_a_deployment_of_its_own(site):
    units = ["blog", "front", "main", "old", "sales", "shop", "stock"]
    assert sorted(name.rpartition("-")[2] for name in site) == units


@pytest.mark.parametrize("url", ISOLATED, ids=lambda url: url.path)
def test_every_url_answers_through_the_front(site, url):
    assert url.fault(PORT) == ""


def test_the_old_site_has_the_packages_of_its_environment(site):
    versions = json.loads(ask(PORT, "/old/versions.json").text)
    assert versions["flask"].startswith("2.")
    assert versions["python"] == "/srv/old/.venv"

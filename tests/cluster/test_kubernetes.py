"""examples/mixed on a real Kubernetes: every URL, and nothing is lost whatever happens to its pods."""

from __future__ import annotations

import pytest

from asking import MIXED, ask
from exported import export, outside, read_objects
from load import Load
from older import translate
from waiting import until

PORT = 30080
LOADED = [url.path for url in MIXED if url.status == 200]
NEXT = """
FROM {image}
USER root
RUN sed -i 's/Welcome!/Welcome again!/' chat/main.py
USER 10001:10001
"""


@pytest.fixture(scope="module")
def site(kubernetes, mixed, tmp_path_factory):
    """Apply the exported files, and return the names of the deployments."""
    folder = export("kubernetes", "mixed", tmp_path_factory.mktemp("mixed"), "--image", mixed)
    objects = read_objects(folder)
    kubernetes.apply([*translate(objects), outside(objects, PORT)])
    names = [each["metadata"]["name"] for each in objects if each["kind"] == "Deployment"]
    for name in names:
        kubernetes.wait_for(name)
    until(lambda: ask(PORT, "/").status == 200, "an answer")
    return names


@pytest.mark.parametrize("url", MIXED, ids=lambda url: url.path)
def test_every_url_answers_through_the_front(site, url):
    assert url.fault(PORT) == ""


def test_the_front_and_each_application_are_deployments_of_their_own(site):
    assert sorted(name.rpartition("-")[2] for name in site) == ["admin", "api", "front", "root"]


def test_nothing_is_lost_while_an_image_is_updated(site, kubernetes, docker, mixed, record):
    docker.machine.write("/images/next/Dockerfile", NEXT.format(image=mixed))
    docker.build("mixed:2", "/images/next")
    units = [name for name in site if not name.endswith("front")]
    with Load(PORT, LOADED) as load:
        for name in units:
            kubernetes.set_image(name, "mixed:2")
        for name in units:
            kubernetes.wait_for(name)
        until(lambda: "Welcome again!" in ask(PORT, "/api/messages").text, "the new image")
    record("rolling update of all applications", load)
    assert load.failed == []


def test_nothing_is_lost_while_pods_are_deleted(site, kubernetes, record):
    with Load(PORT, LOADED) as load:
        for name in site:
            pod = kubernetes.pods(name)[0]
            kubernetes.kubectl("delete", "pod", pod)
            kubernetes.wait_for(name)
    record("deletion of a pod of each deployment", load)
    assert load.failed == []


def test_nothing_is_lost_while_the_node_is_drained(site, kubernetes, record):
    """A drain asks for the eviction of every pod. With one node they come back on it, so it is not cordoned."""
    before = {pod for name in site for pod in kubernetes.pods(name)}
    with Load(PORT, LOADED) as load:
        for pod in sorted(before):
            kubernetes.evict(pod)
        for name in site:
            kubernetes.wait_for(name)
    record("eviction of every pod in turn", load)
    assert load.failed == []
    assert before.isdisjoint(pod for name in site for pod in kubernetes.pods(name))


def test_a_budget_keeps_the_last_pod(site, kubernetes):
    for name in site:
        first, second = kubernetes.pods(name)
        assert (kubernetes.may_evict(first), kubernetes.may_evict(second)) == (True, False)

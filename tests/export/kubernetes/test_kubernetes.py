"""The objects for Kubernetes, each checked by the schemas of current releases."""

from __future__ import annotations

import pytest

from multiserve.errors import ConfigError
from multiserve.export.kubernetes import render

yaml = pytest.importorskip("yaml")
kubernetes_validate = pytest.importorskip("kubernetes_validate")

MOUNTS = """\
"/" = "site:create_app('${SECRET}')"
"/static" = { static = "files" }
"/blog" = { app = "blog:app", group = "blog" }
"api.example.com" = "api:app"
[groups.blog]
max_memory = "256M"
"""
RELEASES = ("1.31", "1.34")


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setenv("SECRET", "never to be written")


def objects(files):
    """Return all objects by their kind and name."""
    found = [each for name, text in files.items() if name != "kustomization.yaml" for each in yaml.safe_load_all(text)]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("front", ["nginx", "ingress"])
def test_every_object_is_as_the_schemas_want_it(export, front, release):
    mounts = MOUNTS.replace("api.example.com", "{t}.example.com")
    for each in objects(render(export(mounts, images=["shop:1"], front=front))).values():
        kubernetes_validate.validate(each, release, strict=True)


def test_each_unit_has_its_objects_and_the_kustomization_names_the_files(export):
    files = render(export(MOUNTS, images=["shop:1"], name="shop", replicas=3))
    assert yaml.safe_load(files["kustomization.yaml"])["resources"] == ["main.yaml", "blog.yaml", "front.yaml"]
    found = objects(files)
    kinds = ("Deployment", "Service", "PodDisruptionBudget")
    assert set(found) == {
        *((kind, f"shop-{unit}") for kind in kinds for unit in ("main", "blog", "front")), ("ConfigMap", "shop-front"),
    }  # fmt: skip
    for unit in ("main", "blog", "front"):
        deployment = found["Deployment", f"shop-{unit}"]["spec"]
        labels = deployment["template"]["metadata"]["labels"]
        assert deployment["replicas"] == 3
        assert deployment["selector"]["matchLabels"] == labels
        assert found["Service", f"shop-{unit}"]["spec"]["selector"] == labels
        assert found["PodDisruptionBudget", f"shop-{unit}"]["spec"]["selector"]["matchLabels"] == labels
    assert "server shop-blog:8000;" in found["ConfigMap", "shop-front"]["data"]["site.conf"]


def test_pods_may_do_no_more_than_they_have_to(export):
    for (kind, name), each in objects(render(export(MOUNTS, images=["shop:1"]))).items():
        if kind != "Deployment":
            continue
        pod = each["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"], name
        assert not pod["automountServiceAccountToken"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert list(container["resources"]["limits"]) == ["memory"]


def test_a_pod_serves_on_until_nothing_is_sent_to_it(export):
    found = objects(render(export(MOUNTS, images=["shop:1"])))
    pod = found["Deployment", "multiserve-blog"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]
    assert pod["terminationGracePeriodSeconds"] == 40
    assert container["resources"]["limits"] == {"memory": "384Mi"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "manage"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "manage"}


def test_a_value_from_outside_is_a_secret_by_name_alone(export):
    files = render(export(MOUNTS, images=["shop:1"]))
    assert "never to be written" not in "".join(files.values())
    (container,) = objects(files)["Deployment", "multiserve-main"]["spec"]["template"]["spec"]["containers"]
    assert container["env"][-1] == {
        "name": "SECRET",
        "valueFrom": {"secretKeyRef": {"name": "multiserve", "key": "SECRET", "optional": False}},
    }


def test_without_images_nothing_is_written(export):
    with pytest.raises(ConfigError, match="no image for main, blog"):
        render(export(MOUNTS))


def test_another_table_starts_other_pods_of_the_front(export):
    def front(mounts):
        found = objects(render(export(mounts, images=["shop:1"])))
        return found["Deployment", "multiserve-front"]["spec"]["template"]["metadata"]["annotations"]

    assert front('"/" = "a:b"\n"/x" = "c:d"') == front('"/" = "a:b"\n"/x" = "c:d"')
    assert front('"/" = "a:b"\n"/x" = "c:d"') != front('"/" = "a:b"\n"/x/y" = "c:d"')

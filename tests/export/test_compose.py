"""The file for Compose."""

from __future__ import annotations

import pytest

from multiserve.export.compose import render

yaml = pytest.importorskip("yaml")
MOUNTS = """\
"/" = "site:create_app('${SECRET}')"
"/blog" = { app = "blog:app", group = "blog" }
[groups.blog]
"""


@pytest.fixture
def files(export, monkeypatch):
    monkeypatch.setenv("SECRET", "never to be written")
    return render(export(MOUNTS, images=["shop:1", "blog=blog:2"], listen=8090, name="shop"))


def test_each_unit_is_a_service_and_the_front_waits_for_all(files):
    read = yaml.safe_load(files["compose.yaml"])
    services = read["services"]
    assert (read["name"], list(services)) == ("shop", ["main", "blog", "front"])
    assert {name: each["image"] for name, each in services.items()} == {
        "main": "shop:1", "blog": "blog:2", "front": "nginx:stable",
    }  # fmt: skip
    assert services["front"]["ports"] == ["8090:8080"]
    assert services["front"]["depends_on"] == {
        name: {"condition": "service_healthy", "restart": True} for name in ("main", "blog")
    }
    assert "server blog:8000;" in files["front/site.conf"]


def test_a_value_from_outside_is_that_of_the_shell(files):
    assert "never to be written" not in "".join(files.values())
    services = yaml.safe_load(files["compose.yaml"])["services"]
    assert services["main"]["environment"]["SECRET"] is None


def test_no_container_may_do_more_than_it_has_to(files):
    for service in yaml.safe_load(files["compose.yaml"])["services"].values():
        assert (service["user"], service["read_only"], service["tmpfs"]) == ("1000:1000", True, ["/tmp"])
        assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])

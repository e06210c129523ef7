"""How many cores a worker is started for: by affinity, and by the quota of the cgroup."""

from __future__ import annotations

import os

import pytest

from multiserve.servers.production import cores

CONTAINER = {"cpu.max": "150000 100000"}
QUOTAS = [
    pytest.param("0::/", CONTAINER, 2, id="a part of a core counts as one"),
    pytest.param("0::/", {"cpu.max": "20000 100000"}, 1, id="less than a core"),
    pytest.param("0::/", {"cpu.max": "max 100000"}, 8, id="no quota"),
    pytest.param("0::/", {"cpu.max": "nonsense"}, 8, id="what is not understood"),
    pytest.param("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "300000 100000"}, 3, id="a group around it"),
    pytest.param("0::/a", {"a/cpu.max": "500000 100000", **CONTAINER}, 2, id="the smallest counts"),
    pytest.param("0::/../../host/path", CONTAINER, 2, id="the path of the system in a container"),
    pytest.param("0::/", {"cpu.max": "6400000 100000"}, 8, id="no more than there are"),
    pytest.param(
        "4:cpu,cpuacct:/docker/1\n1:name=systemd:/",
        {"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"},
        2,
        id="cgroup v1",
    ),
    pytest.param(
        "4:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8, id="cgroup v1 without a quota"
    ),
    pytest.param("7:memory:/", CONTAINER, 8, id="a hierarchy without quotas"),
]


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize(("own", "files", "usable"), QUOTAS)
def test_a_quota_counts_where_it_is_lower_than_the_cores(tmp_path, monkeypatch, own, files, usable):
    (tmp_path / "own").write_text(f"{own}\n")
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    monkeypatch.setattr(cores, "_OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(cores, "_GROUPS", tmp_path / "groups")
    assert cores.usable_cores() == usable


def test_a_system_without_cgroups_has_its_cores(tmp_path, monkeypatch):
    monkeypatch.setattr(cores, "_OWN_GROUPS", tmp_path / "missing")
    assert cores.usable_cores() == 8

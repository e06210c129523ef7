"""Only what is older is translated."""

from __future__ import annotations

import pytest

from older import CHANGES, translate


def deployment(hook):
    container = {"name": "site", "lifecycle": {"preStop": hook}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": {"containers": [container]}}}}


CASES = [
    pytest.param(
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": {"minAvailable": 1}},
        {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "spec": {"minAvailable": 1}},
        id="a budget",
    ),
    pytest.param(
        deployment({"sleep": {"seconds": 5}}),
        deployment({"exec": {"command": ["sleep", "5"]}}),
        id="a hook that sleeps",
    ),
    pytest.param(deployment({"exec": {"command": ["x"]}}), deployment({"exec": {"command": ["x"]}}), id="another hook"),
]


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_what_is_translated(given, expected):
    assert translate([given]) == [expected]


def test_what_is_exported_stays_as_it_is():
    given = [case.values[0] for case in CASES]
    translate(given)
    assert given[0]["apiVersion"] == "policy/v1"
    assert {each["kind"] for each in given} == set(CHANGES)

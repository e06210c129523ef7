from __future__ import annotations

from typing import Any

import pytest

from multiserve.config.kinds.applications import AppMount, TenantMount
from multiserve.config.targets import parse_target
from multiserve.keys import parse_key


@pytest.mark.parametrize(
    ("kind", "key", "options"),
    [
        pytest.param(AppMount, "/shop", {"threads": 8, "interface": "wsgi", "max_concurrency": 3}, id="application"),
        pytest.param(TenantMount, "/u/{user}", {"max_instances": 2, "idle_seconds": 9}, id="tenants"),
    ],
)
def test_the_target_and_the_options_are_read(entry_of, kind: type[AppMount], key: str, options: dict[str, Any]) -> None:
    entry, problems = entry_of(key, {"app": "shop:app", **options})
    mount = kind.read_entry(entry)
    assert problems == []
    assert mount == kind(
        key=parse_key(key),
        toml_key=f'mounts."{key}"',
        what="shop:app",
        target=parse_target("shop:app"),
        **options,
    )


def test_a_wrong_target_and_a_wrong_option_are_both_noted(entry_of) -> None:
    entry, problems = entry_of("/shop", {"app": "shop:", "threads": 0})
    assert AppMount.read_entry(entry) is None
    assert [problem.key for problem in problems] == ['mounts."/shop".app', 'mounts."/shop".threads']

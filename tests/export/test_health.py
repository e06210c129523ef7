"""Where units say whether they serve, and where the front asks: the files for haproxy and systemd agree."""

from __future__ import annotations

import re

import pytest

from multiserve.export import haproxy, systemd
from multiserve.export.health import Health, find_health

MOUNTS = '"/" = "a:b"\n"/x" = "c:d"'
CASES = [
    pytest.param("", (), [Health("127.0.0.1", 9000, "127.0.0.1"), Health("127.0.0.1", 9001, "127.0.0.1")], id="usual"),
    pytest.param(
        "127.0.0.1:9100", ("unix:/run/{unit}.sock",),
        [Health("127.0.0.1", 9100, "127.0.0.1"), Health("127.0.0.1", 9101, "127.0.0.1")], id="unix sockets",
    ),
    pytest.param(
        "0.0.0.0:9100", ("10.0.0.5:{port}",),
        [Health("0.0.0.0", 9100, "10.0.0.5"), Health("0.0.0.0", 9101, "10.0.0.5")], id="another machine",
    ),
    pytest.param(
        "0.0.0.0:9100", ("{unit}.internal:80",),
        [Health("0.0.0.0", 9100, "root.internal"), Health("0.0.0.0", 9100, "x.internal")], id="machines of their own",
    ),
    pytest.param(
        "127.0.0.1:9100", ("10.0.0.5:{port}",), [Health("127.0.0.1", 9100, ""), Health("127.0.0.1", 9101, "")],
        id="loopback on another machine",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("manage", "addresses", "expected"), CASES)
def test_each_unit_has_an_address_and_both_formats_know_it(export, manage, addresses, expected):
    made = export(MOUNTS, f'[server]\nmanage = "{manage}"' if manage else "", addresses=addresses)
    assert list(find_health(made).values()) == expected
    files = systemd.render(made)
    told = [re.search(r"--manage (\S+)", files[f"multiserve-{unit.name}.service"])[1] for unit in made.units]
    assert told == [f"{each.listen}:{each.port}" for each in expected]
    (text,) = haproxy.render(made).values()
    asked = re.findall(r" addr (\S+) port (\d+)$", text, re.MULTILINE)
    assert asked == [(each.ask, str(each.port)) for each in expected if manage and each.ask]

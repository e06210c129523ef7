"""What a Gateway's and an Ingress's routes say, and what they cannot."""

from __future__ import annotations

import pytest

from multiserve.errors import ConfigError
from multiserve.export.kubernetes.routes import httproutes, ingress

PLAIN = '"/" = "site:app"\n"/blog" = "blog:app"\n"api.example.com" = "api:app"'


def test_an_httproute_for_each_list_of_hosts(export):
    own, any_host = httproutes(export(PLAIN, name="shop"))
    assert own["spec"]["hostnames"] == ["api.example.com"]
    assert [each["backendRefs"][0]["name"] for each in own["spec"]["rules"]] == ["shop-api-example-com"]
    assert "hostnames" not in any_host["spec"]
    assert any_host["spec"]["parentRefs"] == [{"name": "shop"}]
    assert [
        (each["matches"][0]["path"], each["backendRefs"]) for each in any_host["spec"]["rules"]
    ] == [
        ({"type": "PathPrefix", "value": "/blog"}, [{"name": "shop-blog", "port": 8000}]),
        ({"type": "PathPrefix", "value": "/"}, [{"name": "shop-root", "port": 8000}]),
    ]  # fmt: skip


def test_hosts_with_the_same_places_share_an_httproute(export):
    own, _ = httproutes(export(PLAIN + '\n"www.example.com" = "api:app"'))
    assert sorted(own["spec"]["hostnames"]) == ["api.example.com", "www.example.com"]


def test_a_host_with_the_places_of_any_host_comes_before_a_wildcard(export):
    mounts = '"/" = { app = "a:b", group = "g" }\n"*.example.com" = { app = "c:d", group = "h" }\n'
    same = '"www.example.com" = { app = "e:f", group = "g" }\n[groups.g]\n[groups.h]'
    routes = httproutes(export(mounts + same))
    assert [each["spec"].get("hostnames") for each in routes] == [["www.example.com"], ["*.example.com"], None]


def test_an_ingress_has_a_rule_for_each_host(export):
    rules = ingress(export(PLAIN + '\n"{t}.example.com" = { app = "api:app" }'))["spec"]["rules"]
    assert [rule.get("host") for rule in rules] == ["api.example.com", "*.example.com", None]
    assert rules[-1]["http"]["paths"][0] == {
        "path": "/blog",
        "pathType": "Prefix",
        "backend": {"service": {"name": "multiserve-blog", "port": {"number": 8000}}},
    }


PLACES = "".join(f'"/p{number}" = "a{number}:app"\n' for number in range(16)) + '"/" = "site:app"'
REFUSED = [
    pytest.param(
        httproutes,
        '"a.example.com:81" = "a:app"',
        "an HTTPRoute cannot tell ports apart, as a.example.com:81 does",
        id="a port",
    ),
    pytest.param(
        ingress,
        '"a.example.com:81" = "a:app"',
        "an Ingress cannot tell ports apart, as a.example.com:81 does",
        id="a port, Ingress",
    ),
    pytest.param(
        httproutes,
        '"{t}.example.com" = { app = "a:app", group = "g" }\n"/" = "b:app"\n[groups.g]',
        "a wildcard of an HTTPRoute is the first label, and stands for one label or more, which "
        "{}.example.com does not",
        id="one label",
    ),
    pytest.param(
        ingress,
        '"*.example.com" = "a:app"',
        "a wildcard of an Ingress is the first label, and stands for exactly one label, which *.example.com does not",
        id="labels",
    ),
    pytest.param(
        httproutes,
        '"/u/{user}" = "a:app"\n"/u" = "b:app"\n"/v" = "c:app"',
        "",
        id="tenants that stay with their neighbour",
    ),
    pytest.param(
        httproutes,
        '"/{t}/x" = { app = "a:app", group = "g" }\n"/" = "b:app"\n[groups.g]',
        "an HTTPRoute cannot match the prefix /{}/x",
        id="a placeholder",
    ),
    pytest.param(
        ingress, '"/café" = "a:app"\n"/" = "b:app"', "an Ingress cannot match the prefix /café", id="not ASCII"
    ),
    pytest.param(httproutes, PLACES, "an HTTPRoute has at most 16 rules, and any host needs 17", id="many places"),
]


@pytest.mark.parametrize(("write", "mounts", "message"), REFUSED)
def test_what_routes_cannot_say_is_refused(export, write, mounts, message):
    made = export(mounts if '"/" =' in mounts or "[groups" in mounts else mounts + '\n"/" = "site:app"')
    if not message:
        assert write(made)
        return
    with pytest.raises(ConfigError) as refused:
        write(made)
    assert message in [each.message for each in refused.value.problems]

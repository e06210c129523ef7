from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiserve.keys import MountKey, normalise_host, parse_key
from multiserve.routing import Router, precedence


def router(*keys: str) -> Router[str]:
    return Router((parse_key(key), key) for key in keys)


def find(keys: tuple[str, ...], path: str, host: str = "", scheme: str = "http") -> str | None:
    route = router(*keys).find(path, host, scheme)
    return route.mount if route else None


NESTED = ("/", "/admin", "/admin/users", "/a/b/c")
PREFIXED = ("/admin", "/café")

PATHS = [
    pytest.param(NESTED, "/", "/", id="the root"),
    pytest.param(NESTED, "/admin", "/admin", id="a bare prefix"),
    pytest.param(NESTED, "/admin/", "/admin", id="a prefix and a slash"),
    pytest.param(NESTED, "/admin/x/y", "/admin", id="below a prefix"),
    pytest.param(NESTED, "/administrator", "/", id="a longer segment is another segment"),
    pytest.param(NESTED, "/adminx/users", "/", id="a longer segment above a nested mount"),
    pytest.param(NESTED, "/admi", "/", id="a shorter segment is another segment"),
    pytest.param(NESTED, "/Admin", "/", id="paths are not lower-cased"),
    pytest.param(NESTED, "/admin/users/1", "/admin/users", id="the longest prefix wins"),
    pytest.param(NESTED, "/admin/users", "/admin/users", id="the longest prefix, bare"),
    pytest.param(NESTED, "/admin/userss", "/admin", id="a segment longer than the longest prefix"),
    pytest.param(NESTED, "/a/b", "/", id="a segment on the way to a mount is no mount"),
    pytest.param(NESTED, "/a/b/c/d", "/a/b/c", id="a deep mount"),
    pytest.param(NESTED, "//admin", "/", id="an empty segment is a segment"),
    pytest.param(NESTED, "/admin//users", "/admin", id="slashes are not merged"),
    pytest.param(NESTED, "/a/../admin", "/", id="dots are not resolved"),
    pytest.param(NESTED, "/./admin", "/", id="a dot is a segment"),
    pytest.param(NESTED, "", "/", id="an empty path is the root"),
    pytest.param(NESTED, "*", "/", id="the target of OPTIONS * goes to the root"),
    pytest.param(NESTED, "admin", "/", id="a path without a slash goes to the root"),
    pytest.param(PREFIXED, "*", None, id="OPTIONS * never goes to a prefix"),
    pytest.param(PREFIXED, "admin", None, id="a path without a slash never goes to a prefix"),
    pytest.param(PREFIXED, "", None, id="an empty path without a root mount"),
    pytest.param(PREFIXED, "/", None, id="the root without a root mount"),
    pytest.param(PREFIXED, "/other", None, id="no mount"),
    pytest.param(PREFIXED, "/caf\xc3\xa9/x", "/café", id="a prefix beyond ASCII matches its UTF-8 bytes"),
    pytest.param(PREFIXED, "/caf\xe9", None, id="and no other bytes"),
    pytest.param(PREFIXED, "/\xff\xfe", None, id="bytes that are not UTF-8"),
    pytest.param(("/" + "x" * 300, "/a"), "/" + "x" * 301, None, id="one character longer than the longest prefix"),
    pytest.param(("/" + "x" * 300, "/a"), "/" + "x" * 300 + "/", "/" + "x" * 300, id="the longest prefix and a slash"),
]


@pytest.mark.parametrize(("keys", "path", "expected"), PATHS)
def test_the_path_decides(keys: tuple[str, ...], path: str, expected: str | None) -> None:
    assert find(keys, path) == expected


HOSTS = (
    "/",
    "/api",
    "example.com",
    "example.com:8080",
    "example.com/shop",
    "*.example.com",
    "*.eu.example.com/blog",
    "*.example.com:8443/blog",
    "[::1]",
    "münchen.example",
    "secure.test:443",
    "plain.test:80/x",
)

HOST_CASES = [
    pytest.param("example.com", "/", "example.com", id="an exact host"),
    pytest.param("EXAMPLE.Com", "/", "example.com", id="hosts are lower-cased"),
    pytest.param("example.com.", "/", "example.com", id="a trailing dot is removed"),
    pytest.param("example.com:80", "/", "example.com", id="a key without a port matches any port"),
    pytest.param("example.com:8080", "/", "example.com:8080", id="a key with a port wins over the key without"),
    pytest.param("example.com.:8080", "/", "example.com:8080", id="a trailing dot and a port"),
    pytest.param("example.com:", "/", "example.com", id="an empty port is the port of the scheme"),
    pytest.param(
        "example.com:8080", "/shop/1", "example.com:8080", id="the host with a port comes before longer paths"
    ),
    pytest.param("example.com", "/shop/1", "example.com/shop", id="the longest prefix of the host"),
    pytest.param("example.com", "/api", "example.com", id="any host beats none, however long its prefix"),
    pytest.param("a.example.com", "/", "*.example.com", id="one label for the star"),
    pytest.param("a.b.example.com", "/", "*.example.com", id="two labels for the star"),
    pytest.param("a.eu.example.com", "/blog/1", "*.eu.example.com/blog", id="the longer suffix wins"),
    pytest.param("a.eu.example.com", "/", "*.example.com", id="the next host where the path does not match"),
    pytest.param("eu.example.com", "/blog", "*.example.com", id="the star is never empty"),
    pytest.param("a.example.com:8443", "/blog", "*.example.com:8443/blog", id="a wildcard with a port"),
    pytest.param("a.example.com:8443", "/x", "*.example.com", id="the wildcard without a port where the path differs"),
    pytest.param("evilexample.com", "/", "/", id="a suffix is whole labels"),
    pytest.param("example.com.evil.test", "/", "/", id="a host that begins like a key"),
    pytest.param("[::1]", "/", "[::1]", id="an IPv6 address"),
    pytest.param("[0:0::1]:9000", "/", "[::1]", id="an IPv6 address in another spelling, with a port"),
    pytest.param("[::2]", "/", "/", id="another IPv6 address"),
    pytest.param("xn--mnchen-3ya.example", "/", "münchen.example", id="an internationalised host"),
    pytest.param("plain.test", "/x", "plain.test:80/x", id="a host without a port has the port of http"),
    pytest.param("plain.test:81", "/x", "/", id="a key with a port matches only that port"),
    pytest.param("", "/api/1", "/api", id="no host"),
    pytest.param("other.test", "/api/1", "/api", id="another host"),
    pytest.param("example.com:abc", "/", "/", id="a port that is no number"),
    pytest.param("example.com:99999", "/", "/", id="a port out of range"),
    pytest.param("example.com:80@evil.test", "/", "/", id="a user in the header"),
    pytest.param("example.com, example.com", "/", "/", id="two headers joined"),
    pytest.param("example.com/", "/", "/", id="a path in the header"),
    pytest.param(" example.com", "/", "/", id="a blank in the header"),
    pytest.param("example.com\n", "/", "/", id="a line feed in the header"),
    pytest.param("..example.com", "/", "/", id="empty labels"),
    pytest.param("[::1", "/", "/", id="a bracket that is not closed"),
    pytest.param("[::g]", "/", "/", id="brackets around something else"),
    pytest.param("a." * 2000 + "example.com", "/", "/", id="a host longer than any host"),
    pytest.param("x" * 5000, "/", "/", id="a label longer than any label"),
]


@pytest.mark.parametrize(("host", "path", "expected"), HOST_CASES)
def test_the_host_decides_first(host: str, path: str, expected: str) -> None:
    assert find(HOSTS, path, host) == expected


def test_a_host_without_a_port_has_the_port_of_https() -> None:
    assert find(HOSTS, "/", "secure.test", "https") == "secure.test:443"
    assert find(HOSTS, "/", "secure.test", "http") == "/"


def test_without_a_mount_for_any_host_other_hosts_find_nothing() -> None:
    assert find(("example.com", "*.example.com/x"), "/", "other.test") is None
    assert find(("example.com", "*.example.com/x"), "/y", "a.example.com") is None


def test_a_thousand_mounts_and_a_thousand_segments() -> None:
    keys = [f"/mount{number}" for number in range(1000)] + ["/deep" + "/x" * 999]
    table = router(*keys)
    found = [table.find(f"{key}/y") for key in keys]
    assert [route.mount for route in found if route] == keys
    assert table.find("/deep" + "/x" * 998) is None
    assert table.find("/x" * 1000) is None


def test_a_long_path_is_not_looked_at_behind_the_longest_prefix() -> None:
    class Counting(str):
        __slots__ = ()

        def find(self, *args: object) -> int:
            finds.append(args)
            return super().find(*args)  # type: ignore[arg-type]

    finds: list[tuple[object, ...]] = []
    for path in ("/admin" + "/" * 4000, "/" * 4000, "/" + "a" * 4000, "/admin/users/" + "x/" * 2000):
        finds.clear()
        router(*NESTED).find(Counting(path))
        assert len(finds) <= 3  # the deepest mount has three segments
        assert all(stop == len("/admin/users") + 1 for _, _, stop in finds)


SEGMENTS = st.sampled_from(["a", "b", "ab", "é", "A"])
PREFIXES = st.lists(SEGMENTS, max_size=3).map(lambda segments: "".join(f"/{segment}" for segment in segments))
HOST_PATTERNS = st.sampled_from(["", "", "x.test", "*.test", "*.x.test", "y.x.test", "[::1]"])
PORTS = st.sampled_from([None, None, 80, 8000])
KEYS = st.builds(
    lambda host, port, prefix: MountKey(host, port if host else None, prefix), HOST_PATTERNS, PORTS, PREFIXES
)
REQUEST_SEGMENTS = st.sampled_from(["a", "b", "ab", "\xc3\xa9", "A", "", ".", "..", "abc"])
REQUEST_PATHS = st.one_of(
    st.lists(REQUEST_SEGMENTS, max_size=6).map(lambda segments: "".join(f"/{segment}" for segment in segments)),
    st.text(st.characters(max_codepoint=255), max_size=8),
)
REQUEST_HOSTS = st.sampled_from(
    ["", "x.test", "X.test:8000", "y.x.test", "z.y.x.test", "test", "ax.test", "[::1]:80", "x.test:bad", "x.test."]
)


def answers(key: MountKey, path: str, host: str) -> bool:
    """Say the rules of routing once more, in the plainest way, for one mount."""
    if key.host:
        normal = normalise_host(host)
        if normal is None or key.port not in (None, normal[1]):
            return False
        if not (normal[0].endswith(key.host[1:]) if key.host.startswith("*.") else normal[0] == key.host):
            return False
    prefix = key.prefix.encode().decode("latin-1")
    return prefix in ("", path) or path.startswith(prefix + "/")


@given(st.lists(KEYS, unique=True, max_size=12), REQUEST_PATHS, REQUEST_HOSTS, st.randoms(use_true_random=False))
def test_the_router_agrees_with_the_rules_in_any_order(
    keys: list[MountKey], path: str, host: str, shuffler: random.Random
) -> None:
    expected = sorted((key for key in keys if answers(key, path, host)), key=precedence)
    shuffler.shuffle(keys)
    table = Router((key, key) for key in keys)
    assert [route.mount for route in table.rank(path, host)] == expected
    found = table.find(path, host)
    assert (found.mount if found else None) == (expected[0] if expected else None)


ORDER = [
    "y.x.test:80/a",
    "y.x.test/a/b",
    "y.x.test/a",
    "y.x.test",
    "*.y.x.test",
    "*.x.test:80",
    "*.x.test/a",
    "*.x.test",
    "*.test",
    "/a/b/c",
    "/a/b",
    "/b/c",
    "/a",
    "/b",
    "/",
]


def test_mounts_are_listed_in_the_order_in_which_requests_try_them() -> None:
    shuffled = random.Random(1).sample(ORDER, len(ORDER))
    assert sorted(shuffled, key=lambda text: precedence(parse_key(text))) == ORDER

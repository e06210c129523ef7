from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiserve.hosts import normalise_host
from multiserve.keys import MountKey, parse_key
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


def test_a_host_that_is_asked_for_again_is_found_by_its_scheme() -> None:
    table = router("example.com:443", "/")
    found = [table.find("/", "example.com", scheme) for scheme in ("https", "http", "https", "http")]
    assert [route and route.mount for route in found] == ["example.com:443", "/", "example.com:443", "/"]


def test_a_host_that_is_too_long_to_be_remembered_is_found_all_the_same() -> None:
    table = router("*.example.com", "/")
    host = f"{'a' * 60}." * 5 + "example.com"
    found = [table.find("/", host) for _ in range(2)]
    assert [route and route.mount for route in found] == ["*.example.com", "*.example.com"]


def test_without_a_mount_for_any_host_other_hosts_find_nothing() -> None:
    assert find(("example.com", "*.example.com/x"), "/", "other.test") is None
    assert find(("example.com", "*.example.com/x"), "/y", "a.example.com") is None


PLACEHOLDERS = (
    "/",
    "/u/{user}",
    "/u/admin",
    "/{section}/admin/users",
    "/u/{user}/posts/{post}",
    "{tenant}.example.com",
    "{tenant}.example.com:8080",
    "{tenant}.example.com/shop/{shop}",
    "www.example.com",
    "{name}.{region}.example.com",
    "{name}.eu.example.com",
    "x.{region}.example.com",
    "*.example.com",
    "{host}",
)

PLACEHOLDER_CASES = [
    pytest.param("", "/u/ann", "/u/{user}", ("ann",), "/u/ann", id="one segment"),
    pytest.param("", "/u/ann/x/y", "/u/{user}", ("ann",), "/u/ann", id="and what is below it"),
    pytest.param("", "/u/caf\xc3\xa9", "/u/{user}", ("café",), "/u/café", id="the text is decoded"),
    pytest.param("", "/u/a b+c%41", "/u/{user}", ("a b+c%41",), "/u/a b+c%41", id="but not twice"),
    pytest.param("", "/u/{user}", "/u/{user}", ("{user}",), "/u/{user}", id="a segment that looks like a placeholder"),
    pytest.param("", "/u/admin/x", "/u/admin", (), "/u/admin", id="a literal beats a placeholder"),
    pytest.param(
        "",
        "/u/admin/posts/1",
        "/u/{user}/posts/{post}",
        ("admin", "1"),
        "/u/admin/posts/1",
        id="but not a longer prefix",
    ),
    pytest.param(
        "", "/u/admin/users", "/{section}/admin/users", ("u",), "/u/admin/users", id="the longest of several ways"
    ),
    pytest.param("", "/u", "/", (), "", id="a placeholder is not optional"),
    pytest.param("", "/u/", "/", (), "", id="a placeholder is never empty"),
    pytest.param("", "/u//x", "/", (), "", id="nor is it skipped"),
    pytest.param("", "/u/..", "/", (), "", id="a placeholder is not two dots"),
    pytest.param("", "/u/./x", "/", (), "", id="nor one"),
    pytest.param("", "/u/a\0b", "/", (), "", id="nor has it control characters"),
    pytest.param("", "/u/\xff", "/", (), "", id="nor bytes that are not UTF-8"),
    pytest.param("", "/u/\xef\xbf\xbd", "/", (), "", id="nor what a server makes of them"),
    pytest.param("", "*", "/", (), "", id="OPTIONS *"),
    pytest.param("ann.example.com", "/x", "{tenant}.example.com", ("ann",), "", id="one label"),
    pytest.param("Ann.Example.com.", "/x", "{tenant}.example.com", ("ann",), "", id="hosts are lower-cased"),
    pytest.param("ann.example.com:8080", "/x", "{tenant}.example.com:8080", ("ann",), "", id="a port"),
    pytest.param(
        "ann.example.com", "/shop/5/x", "{tenant}.example.com/shop/{shop}", ("ann", "5"), "/shop/5", id="host and path"
    ),
    pytest.param("www.example.com", "/shop/5", "www.example.com", (), "", id="an exact host beats a placeholder"),
    pytest.param(
        "a.b.example.com", "/", "{name}.{region}.example.com", ("a", "b"), "", id="two labels, in the key's order"
    ),
    pytest.param("x.eu.example.com", "/", "{name}.eu.example.com", ("x",), "", id="the longer suffix wins"),
    pytest.param("x.us.example.com", "/", "x.{region}.example.com", ("us",), "", id="a placeholder inside"),
    pytest.param("a.b.c.example.com", "/", "*.example.com", (), "", id="exactly one label for each"),
    pytest.param("evilexample.com", "/", "/", (), "", id="a suffix is whole labels"),
    pytest.param("intranet", "/", "{host}", ("intranet",), "", id="a host of one label"),
    pytest.param("[::1]", "/", "/", (), "", id="an address has no labels"),
]


@pytest.mark.parametrize(("host", "path", "expected", "values", "prefix"), PLACEHOLDER_CASES)
def test_a_placeholder_takes_one_segment_or_one_label(
    host: str, path: str, expected: str, values: tuple[str, ...], prefix: str
) -> None:
    route = router(*PLACEHOLDERS).find(path, host)
    assert route is not None
    assert (route.mount, route.values, route.prefix) == (expected, values, prefix)
    assert path[: route.end].encode("latin-1").decode() == prefix


def test_a_deep_prefix_beside_placeholders_is_found_without_recursion() -> None:
    table = router("/{user}", "/deep" + "/x" * 3000)
    found = table.find("/deep" + "/x" * 3000 + "/y")
    assert found is not None
    assert found.key.prefix == "/deep" + "/x" * 3000


def test_something_else_stands_in_for_a_mount_until_it_no_longer_does() -> None:
    table = router("/", "/shop", "/u/{user}", "*.example.com/shop")
    names = ("/", "/shop/x", "/u/ann/x")

    def found() -> list[str]:
        return [next(table.rank(path)).mount for path in names]

    assert table.find("/shop", "a.example.com") is not None  # its host is remembered
    table.stand_in({"/shop": "closed", "/u/{user}": "closed", "*.example.com/shop": "away", "/gone": "closed"})
    assert found() == ["/", "closed", "closed"]
    assert next(table.rank("/shop", "a.example.com")).mount == "away"
    table.stand_in({"/": "closed"})
    assert found() == ["closed", "/shop", "/u/{user}"]
    assert table.mounts["/"] == "/"


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


SEGMENTS = st.sampled_from(["a", "b", "ab", "é", "A", "{p}", "{q}"])
PREFIXES = st.lists(SEGMENTS, max_size=3).map(lambda segments: "".join(f"/{segment}" for segment in segments))
HOST_PATTERNS = st.sampled_from(
    [
        "",
        "",
        "x.test",
        "*.test",
        "*.x.test",
        "y.x.test",
        "[::1]",
        "{h}.test",
        "{h}.x.test",
        "{h}.{i}.test",
        "y.{i}.test",
    ]
)
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


def matches(patterns: list[str], parts: list[str]) -> bool:
    """Compare parts with those of a key, in which `{name}` takes any text."""
    return len(patterns) == len(parts) and all(
        part not in ("", ".", "..") and part.isprintable() and is_text(part)
        if pattern.startswith("{")
        else part == pattern
        for pattern, part in zip(patterns, parts, strict=True)
    )


def is_text(part: str) -> bool:
    with contextlib.suppress(UnicodeDecodeError):
        return bool(part.encode("latin-1").decode())
    return False


def answers(key: MountKey, path: str, host: str) -> bool:
    """Say the rules of routing once more, in the plainest way, for one mount."""
    if key.host:
        normal = normalise_host(host)
        if normal is None or key.port not in (None, normal[1]):
            return False
        wildcard = key.host.startswith("*.")
        if not (normal[0].endswith(key.host[1:]) if wildcard else matches(key.host.split("."), normal[0].split("."))):
            return False
    patterns = key.prefix.encode().decode("latin-1").split("/")[1:]
    if not patterns:
        return True
    return path.startswith("/") and matches(patterns, path.split("/")[1 : len(patterns) + 1])


@given(
    st.lists(KEYS, unique_by=lambda key: key.place, max_size=12),
    REQUEST_PATHS,
    REQUEST_HOSTS,
    st.randoms(use_true_random=False),
)
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
    "y.{p}.test",
    "{q}.{p}.test",
    "*.y.x.test",
    "*.x.test:80",
    "*.x.test/a",
    "*.x.test",
    "*.test",
    "/a/b/c",
    "/a/b",
    "/b/c",
    "/b/{p}",
    "/{p}/c",
    "/{p}/{q}",
    "/a",
    "/b",
    "/{p}",
    "/",
]


def test_mounts_are_listed_in_the_order_in_which_requests_try_them() -> None:
    shuffled = random.Random(1).sample(ORDER, len(ORDER))
    assert sorted(shuffled, key=lambda text: precedence(parse_key(text))) == ORDER

"""The regular expressions of fronts, and the router that they have to agree with."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from multiserve.config.kinds.redirects import RedirectMount
from multiserve.export.expressions import HOST, PORT, decoded_path, escaped_path, host_pattern, literal
from multiserve.hosts import normalise_host
from multiserve.keys import parse_key
from multiserve.routing import Router

PATHS = [
    pytest.param("/a.b", r"^(?:/|%2[Ff])(?:a|%61)(?:[.]|%2[Ee])(?:b|%62)(?:/|%2[Ff]|[?#]|$)", id="a path"),
    pytest.param("/é ", r"^(?:/|%2[Ff])%[Cc]3%[Aa]9%20(?:/|%2[Ff]|[?#]|$)", id="what is always escaped"),
    pytest.param(
        "/$'", r"^(?:/|%2[Ff])(?:\x24|%24)(?:\x27|%27)(?:/|%2[Ff]|[?#]|$)", id="what regular expressions mean"
    ),
]


@pytest.mark.parametrize(("prefix", "expected"), PATHS)
def test_each_character_may_be_escaped(prefix, expected):
    assert f"^{escaped_path(prefix)}" == expected


PREFIXES = ["/a", "/a/b", "/a.b", "/é", "/a+b$", "/u/{name}", "/u/{name}/x", "/{one}/{two}"]
PIECES = [
    "a",
    "b",
    "x",
    "u",
    ".",
    "..",
    "/",
    "%2f",
    "%2F",
    "%61",
    "%41",
    "%2e",
    "%",
    "%z",
    "%25",
    "%c3%A9",
    "%c3",
    "%ff",
]
PIECES += [
    "%EF%BF%BD",
    "%ef%bf%be",
    "%C2%80",
    "%C2%A0",
    "%7f",
    "%00",
    "%e0%80%80",
    "%ED%A0%80",
    "%ed%9f%bf",
    "%F0%9F%98%80",
]
PIECES += [
    "%f4%90%80%80",
    "%F4%8f%bf%bf",
    "+",
    "$",
    "%2B%24",
    "?",
    "?a/b",
    "#",
    "#/a",
    "~",
    "%20",
    "%e2%82%ac",
    "%C0%AF",
]


@given(st.sampled_from(PREFIXES), st.lists(st.sampled_from(PIECES), max_size=6).map(lambda each: "/" + "".join(each)))
@example("/u/{name}", "/u/%")
@example("/u/{name}", "/u/..")
@example("/u/{name}", "/u/...")
@example("/u/{name}", "/u/.%2e/x")
def test_they_match_what_the_router_does(prefix, target):
    path = unquote_to_bytes(re.split("[?#]", target)[0]).decode("latin-1")
    mount = RedirectMount(key=parse_key(prefix), toml_key="", what="/")
    found = Router([(mount.key, mount)]).find(path)
    expression = escaped_path(re.sub(r"\{\w+\}", "{}", prefix))
    assert bool(re.match(expression, target)) is (found is not None)
    decoded = decoded_path(re.sub(r"\{\w+\}", "{}", prefix)).replace(r"\z", r"\Z")  # as Python spells it
    assert bool(re.match(decoded, path)) is (found is not None)


HEADERS = [
    "a.test",
    "A.b-c.test.",
    "a.test:80",
    "a.test:",
    "a.test:00080",
    "a.test:70000",
    "a.test:65536",
    "a.test:65535",
]
HEADERS += [
    "a.test:000080",
    "a.test:80@b",
    "[::1]",
    "[::1]:80",
    "[x]",
    "a..test",
    ".a",
    "",
    "a:b",
    "127.0.0.1:9",
    "a_b:1",
]


@pytest.mark.parametrize("header", HEADERS)
def test_hosts_are_those_of_multiserve(header):
    port = rf"(?::(?:(?=[0-9]{{1,5}}$)0*{PORT})?)?"
    assert bool(re.fullmatch(f"{HOST}[.]?{port}", header)) is (normalise_host(header) is not None)


def test_a_literal_has_no_quotes():
    assert literal("a-b_c.d~\"' ;") == r"a-b_c[.]d~\x22\x27\x20\x3b"


SPELLINGS = [
    pytest.param("[::1]", ["::1", "0:0:0:0:0:0:0:1", "0::1", "::0:0:1", "0000::0001", "::0.0.0.1"], id="loopback"),
    pytest.param(
        "[2001:db8::7:0]", ["2001:db8::7:0", "2001:db8:0:0:0:0:7:0", "2001:0db8::7:0", "2001:db8::0.7.0.0"], id="two"
    ),
    pytest.param("[::]", ["::", "0::", "::0", "0:0:0:0:0:0:0:0", "::0.0.0.0"], id="zeros"),
]


@pytest.mark.parametrize(("host", "spelt"), SPELLINGS)
def test_all_spellings_of_an_address_match(host, spelt):
    assert {normalise_host(f"[{each}]")[0] for each in spelt} == {host}
    assert all(re.fullmatch(host_pattern(host), f"[{each}]") for each in spelt)


@given(st.lists(st.sampled_from(["0", "1", "00ab", "::", ":", "0.0.0.1", "db8", "0.1.0.2"]), max_size=12).map("".join))
def test_no_other_address_matches(text):
    for host in ("[::1]", "[1:0:db8::1:2]", "[::]"):
        normal = normalise_host(f"[{text}]")
        assert bool(re.fullmatch(host_pattern(host), f"[{text}]")) is (normal is not None and normal[0] == host)

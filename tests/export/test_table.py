"""The flattened table, and the router that it has to agree with."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiserve.config.kinds.redirects import RedirectMount
from multiserve.export.table import HostTable, Place, Table, make_table
from multiserve.hosts import normalise_host
from multiserve.keys import parse_key
from multiserve.routing import Router, read_value


def table_of(keys):
    """Return the table of mounts that are each in a unit of its own, whose name is the key."""
    mounts = [RedirectMount(key=parse_key(key), toml_key=key, what="/") for key in keys]
    return mounts, make_table(mounts, {mount.name: mount.name for mount in mounts}, "none")


def shown(table):
    return [
        (each.host + (f":{each.port}" if each.port else ""), [(place.prefix, place.unit) for place in each.places])
        for each in table.hosts
    ]


TABLES = [
    pytest.param(["/"], [("", [("", "/")])], id="the root"),
    pytest.param(["/a"], [("", [("/a", "/a"), ("", "none")])], id="no root"),
    pytest.param(
        ["/a", "/", "/a/b"], [("", [("/a/b", "/a/b"), ("/a", "/a"), ("", "/")])], id="the longest prefix first"
    ),
    pytest.param(
        ["/u/me", "/u/{user}"],
        [("", [("/u/me", "/u/me"), ("/u/{}", "/u/{user}"), ("", "none")])],
        id="a literal segment before a placeholder",
    ),
    pytest.param(
        ["/", "/api", "a.test/x"],
        [
            ("a.test", [("/api", "/api"), ("/x", "a.test/x"), ("", "/")]),
            ("", [("/api", "/api"), ("", "/")]),
        ],
        id="the mounts of any host behind those of one",
    ),
    pytest.param(
        ["/", "/api/v1", "a.test/api"],
        [("a.test", [("/api", "a.test/api"), ("", "/")]), ("", [("/api/v1", "/api/v1"), ("", "/")])],
        id="a shorter prefix of a host before a longer one of any",
    ),
    pytest.param(
        ["/", "a.test:81", "a.test/x", "*.test/y", "{t}.test:81"],
        [
            ("a.test:81", [("", "a.test:81")]),
            ("a.test", [("/x", "a.test/x"), ("/y", "*.test/y"), ("", "/")]),
            ("{}.test:81", [("", "{t}.test:81")]),
            ("*.test", [("/y", "*.test/y"), ("", "/")]),
            ("", [("", "/")]),
        ],
        id="ports and stars",
    ),
]


@pytest.mark.parametrize(("keys", "expected"), TABLES)
def test_the_table(keys, expected):
    assert shown(table_of(keys)[1]) == expected


def test_what_comes_to_the_same_unit_is_left_out():
    mounts = [RedirectMount(key=parse_key(key), toml_key=key, what="/") for key in ("/", "/a", "/a/b", "x.test", "/c")]
    units = {"/": "one", "/a": "one", "/a/b": "two", "x.test": "one", "/c": "two"}
    table = make_table(mounts, units, "one")
    assert shown(table) == [("x.test", [("", "one")]), ("", [("/a/b", "two"), ("/c", "two"), ("", "one")])]
    assert table.has_hosts
    assert not table.has_ports
    assert not make_table(mounts, dict.fromkeys(units, "one"), "one").has_hosts


LABELS = st.sampled_from(["a", "b", "test"])
HOST_PARTS = st.lists(st.one_of(LABELS, st.just("{}")), min_size=1, max_size=3)
SEGMENTS = st.lists(st.sampled_from(["a", "b", "{}"]), max_size=3)


@st.composite
def keys(draw):
    """Draw a key, in which placeholders have the names of their places."""
    host = ""
    if draw(st.booleans()):
        parts = draw(HOST_PARTS)
        host = ".".join([*parts, "test"])
        if "{}" not in host and draw(st.booleans()):
            host = f"*.{host}"
        host += draw(st.sampled_from(["", ":81", ":443"]))
    path = "".join(f"/{each}" for each in draw(SEGMENTS))
    names = iter("klmnopqrst")
    return re.sub(r"\{\}", lambda _: f"{{{next(names)}}}", f"{host}{path}") or "/"


REQUEST_HOSTS = st.one_of(
    st.just(""),
    st.builds(
        lambda labels, port: ".".join(labels) + port,
        st.lists(st.sampled_from(["a", "b", "z", "test"]), min_size=1, max_size=5),
        st.sampled_from(["", ":81", ":9", ":0443"]),
    ),
)
REQUEST_PATHS = st.lists(st.sampled_from(["a", "b", "z", "", "..", "\xff"]), max_size=4).map(
    lambda parts: "".join(f"/{each}" for each in parts) or "/"
)


def look_up(table: Table, path: str, host: str, scheme: str) -> str:
    """Look up as a front does: the first pattern of hosts that matches, and in its list the first prefix."""
    normal = normalise_host(host, scheme) if host else None
    found = next(each for each in table.hosts if matches_host(each, normal))
    return next(place.unit for place in found.places if matches_path(place, path))


def matches_host(table: HostTable, normal: tuple[str, int] | None) -> bool:
    if not table.host:
        return True
    if normal is None or (table.port is not None and table.port != normal[1]):
        return False
    star, name = (r"([^.]+\.)+", table.host[2:]) if table.host.startswith("*.") else ("", table.host)
    pattern = star + r"\.".join("[^.]+" if label == "{}" else re.escape(label) for label in name.split("."))
    return re.fullmatch(pattern, normal[0]) is not None


def matches_path(place: Place, path: str) -> bool:
    wanted, given_ = place.prefix.split("/")[1:], path.split("/")[1:]
    return len(wanted) <= len(given_) and all(
        (read_value(found) if each == "{}" else each == found) for each, found in zip(wanted, given_, strict=False)
    )


@given(st.lists(keys(), min_size=1, max_size=7), REQUEST_PATHS, REQUEST_HOSTS, st.sampled_from(["http", "https"]))
def test_the_table_agrees_with_the_router(texts, path, host, scheme):
    places = {parse_key(text).place: text for text in texts}
    mounts, table = table_of(places.values())
    route = Router((mount.key, mount) for mount in mounts).find(path, host, scheme)
    assert look_up(table, path, host, scheme) == (route.name if route else "none")

"""What the router says about each combination of a host and a prefix."""

from __future__ import annotations

import pytest

from multiserve.config.file import load_config
from multiserve.export.lookup import Lookup
from multiserve.keys import MountKey, parse_key


def keys_of(mounts):
    return [mount.name for mount in mounts]


@pytest.fixture
def lookup(write_config):
    def lookup(*keys):
        return Lookup(load_config(write_config("[mounts]\n" + "\n".join(f'"{key}" = "a:b"' for key in keys))).mounts)

    return lookup


def test_everything_that_keys_make(lookup):
    found = lookup("/", "/api", "a.test/x", "{t}.test").everything()
    assert [(str(key), keys_of(ranked)) for key, ranked in found] == [
        ("a.test/api", ["{t}.test", "/api", "/"]),
        ("a.test/x", ["a.test/x", "{t}.test", "/"]),
        ("a.test", ["{t}.test", "/"]),
        ("{}.test/api", ["{t}.test", "/api", "/"]),
        ("{}.test", ["{t}.test", "/"]),
        ("/api", ["/api", "/"]),
        ("/", ["/"]),
    ]


def test_a_request_for_a_pattern_matches_no_other(lookup):
    mounts = lookup("*.test", "{a}.test", "{a}.{b}.test", "x.test:81", "/")
    assert keys_of(mounts.rank(parse_key("*.test"))) == ["*.test", "/"]
    assert keys_of(mounts.rank(parse_key("x.test"))) == ["{a}.test", "*.test", "/"]
    assert keys_of(mounts.rank(parse_key("x.test:81"))) == ["x.test:81", "{a}.test", "*.test", "/"]
    assert keys_of(mounts.rank(MountKey())) == ["/"]

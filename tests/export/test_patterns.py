"""What patterns of hosts and prefixes have in common."""

from __future__ import annotations

import pytest

from multiserve.export.patterns import common_hosts, common_prefix, unnamed, with_common
from multiserve.keys import MountKey, parse_key

HOSTS = [
    pytest.param("", "", "", id="any and any"),
    pytest.param("", "a.test", "a.test", id="any and one"),
    pytest.param("a.test", "b.test", None, id="two"),
    pytest.param("a.test", "a.test:81", "a.test:81", id="any port and one"),
    pytest.param("a.test:82", "a.test:81", None, id="two ports"),
    pytest.param("", "a.test:81", "a.test:81", id="any host and a port"),
    pytest.param("{x}.test", "a.test", "a.test", id="a placeholder and one"),
    pytest.param("{x}.test", "a.b.test", None, id="another number of labels"),
    pytest.param("{x}.b.test", "a.{y}.test", "a.b.test", id="two placeholders"),
    pytest.param("*.test", "a.b.test", "a.b.test", id="a star and one"),
    pytest.param("*.test", "test.other", None, id="a star and another end"),
    pytest.param("*.b.test", "b.test", None, id="a star is one label at least"),
    pytest.param("*.test", "*.b.test", "*.b.test", id="two stars"),
    pytest.param("*.b.test", "*.ab.test", None, id="two stars whose ends only look alike"),
    pytest.param("*.b.test", "{x}.{y}.test", "{}.b.test", id="a star and placeholders"),
    pytest.param("[::1]", "*.test", None, id="an address"),
]


@pytest.mark.parametrize(("one", "other", "common"), HOSTS)
def test_hosts_in_common(one, other, common):
    keys = [unnamed(parse_key(text)) if text else MountKey() for text in (one, other)]
    found = {common_hosts(*keys), common_hosts(*reversed(keys))}
    expected = None
    if common is not None:
        expected = unnamed(parse_key(common.replace("{}", "{any}"))) if common else MountKey()
    assert found == {expected}


PREFIXES = [
    pytest.param("", "/a", "/a", id="the root"),
    pytest.param("/a", "/b", None, id="two"),
    pytest.param("/a", "/ab", None, id="whole segments"),
    pytest.param("/a", "/a/b", "/a/b", id="the longer one"),
    pytest.param("/u/{}", "/u/a", "/u/a", id="a placeholder"),
    pytest.param("/{}/a", "/u", "/u/a", id="a placeholder above"),
    pytest.param("/{}/a", "/u/{}", "/u/a", id="two placeholders"),
]


@pytest.mark.parametrize(("one", "other", "common"), PREFIXES)
def test_prefixes_in_common(one, other, common):
    assert {common_prefix(one, other), common_prefix(other, one)} == {common}


def test_what_several_have_in_common_is_found():
    found = with_common({"/{}/b/c", "/a/{}/c", "/a/b/{}"}, common_prefix)
    assert sorted(found) == ["/a/b/c", "/a/b/{}", "/a/{}/c", "/{}/b/c"]

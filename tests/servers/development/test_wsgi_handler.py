"""The development server's request handler; what it hands over is compared with production in tests/end_to_end."""

from __future__ import annotations

import pytest
from gunicorn.util import split_request_uri
from hypothesis import given
from hypothesis import strategies as st

from multiserve.servers.development.wsgi_handler import split_target


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a/b?c=d", "/a/b", "c=d"),
        ("/a?", "/a", ""),
        ("/a?b?c", "/a", "b?c"),
        ("/a#b?c", "/a", ""),
        ("/a?b#c", "/a", "b"),
        ("//a", "//a", ""),
        ("//a/b?c", "//a/b", "c"),
        ("///", "///", ""),
        ("//[", "//[", ""),
        ("/a//b/../c", "/a//b/../c", ""),
        ("/%2F%ff%", "/%2F%ff%", ""),
        ("/a;b=c", "/a;b=c", ""),
        ("/http://a/b", "/http://a/b", ""),
        ("*", "*", ""),
        ("http://a", "", ""),
        ("http://a/", "/", ""),
        ("http://a/b?c", "/b", "c"),
        ("http://a?c", "", "c"),
        ("http://a//b", "//b", ""),
        ("http://[::1]:80/b", "/b", ""),
        ("HTTP://A/B", "/B", ""),
        ("a:80", "80", ""),
    ],
)
def test_a_target_is_split(target, path, query):
    assert split_target(target) == (path, query)


def test_a_target_with_half_a_bracket_is_refused():
    with pytest.raises(ValueError, match="Invalid IPv6 URL"):
        split_target("http://[::1/")


pieces = st.lists(st.sampled_from([*"/?#%:@.;*[]a1&=", "http://", "//", "%2F", "..", "[::1]"]), min_size=1, max_size=12)


@given(pieces.map("".join))
def test_every_target_is_split_as_gunicorn_splits_it(target):
    try:
        parts = split_request_uri(target)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            split_target(target)
    else:
        assert split_target(target) == (parts.path, parts.query)

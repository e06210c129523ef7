"""Which heads are refused, with which status, and how a target in absolute form is split."""

from __future__ import annotations

import pytest

from multiserve.servers.engine.heads import (
    Refusal,
    check_field,
    check_handshake,
    check_head,
    check_sizes,
    split_absolute,
)
from multiserve.servers.engine.settings import EngineSettings

FIELDS = [
    pytest.param(b"transfer-encoding", b"chunked", None, id="chunked"),
    pytest.param(b"transfer-encoding", b"Chunked", None, id="chunked in other letters"),
    pytest.param(b"transfer-encoding", b"identity", 400, id="identity"),
    pytest.param(b"transfer-encoding", b"gzip", 400, id="gzip alone"),
    pytest.param(b"transfer-encoding", b"gzip, chunked", 501, id="stacked"),
    pytest.param(b"transfer-encoding", b"xchunked", 501, id="unknown"),
    pytest.param(b"expect", b"100-Continue", None, id="100-continue"),
    pytest.param(b"expect", b"200-ok", 417, id="another expectation"),
]


@pytest.mark.parametrize(("name", "value", "status"), FIELDS)
def test_a_field_may_ask_for_too_much(name, value, status):
    if status is None:
        check_field(name, value, set())
        return
    with pytest.raises(Refusal) as refused:
        check_field(name, value, set())
    assert refused.value.status == status


@pytest.mark.parametrize("name", [b"host", b"content-type", b"transfer-encoding"])
def test_a_field_that_would_be_read_in_two_ways_comes_once(name):
    once = set()
    check_field(name, b"chunked", once)
    with pytest.raises(Refusal) as refused:
        check_field(name, b"chunked", once)
    assert refused.value.status == 400


def test_an_expectation_may_come_again():
    once = set()
    check_field(b"expect", b"100-continue", once)
    check_field(b"expect", b"100-continue", once)
    assert once == set()


SIZES = [
    pytest.param(b"/" + b"x" * 85, [], None, id="the longest line"),
    pytest.param(b"/" + b"x" * 87, [], 414, id="a line too long"),
    pytest.param(b"/", [(b"a", b"x" * 45)], None, id="the longest field"),
    pytest.param(b"/", [(b"a", b"x" * 46)], 431, id="a field too long"),
]


@pytest.mark.parametrize(("url", "headers", "status"), SIZES)
def test_sizes_have_limits(url, headers, status):
    settings = EngineSettings(longest_line=100, longest_field=50)
    check_sizes(b"GET", url, headers, EngineSettings(longest_line=0, longest_field=0))
    if status is None:
        check_sizes(b"GET", url, headers, settings)
        return
    with pytest.raises(Refusal) as refused:
        check_sizes(b"GET", url, headers, settings)
    assert refused.value.status == status


HEADS = [
    pytest.param(b"GET", b"/", "1.1", {b"host"}, True, id="an ordinary one"),
    pytest.param(b"GET", b"/", "1.1", set(), False, id="no host in HTTP/1.1"),
    pytest.param(b"GET", b"/", "1.0", set(), True, id="no host in HTTP/1.0"),
    pytest.param(b"OPTIONS", b"*", "1.1", {b"host"}, True, id="asterisk"),
    pytest.param(b"GET", b"*", "1.1", {b"host"}, False, id="asterisk without OPTIONS"),
    pytest.param(b"CONNECT", b"x:80", "1.1", {b"host"}, False, id="a tunnel"),
    pytest.param(b"GET", b"/", "2.0", {b"host"}, False, id="another version"),
    pytest.param(b"GET", b"/", "1.0", {b"transfer-encoding"}, False, id="chunked in HTTP/1.0"),
    pytest.param(b"POST", b"/", "1.1", {b"host", b"transfer-encoding"}, True, id="chunked in HTTP/1.1"),
]


@pytest.mark.parametrize(("method", "url", "version", "names", "passes"), HEADS)
def test_a_head_that_can_be_read_in_two_ways_is_refused(method, url, version, names, passes):
    if passes:
        check_head(method, url, version, names)
        return
    with pytest.raises(Refusal) as refused:
        check_head(method, url, version, names)
    assert refused.value.status == 400


HANDSHAKES = [
    pytest.param(b"GET", "1.1", [(b"content-length", b"0")], True, id="no body"),
    pytest.param(b"GET", "1.1", [(b"content-length", b"10")], False, id="a body"),
    pytest.param(b"GET", "1.1", [(b"transfer-encoding", b"chunked")], False, id="chunks"),
    pytest.param(b"PUT", "1.1", [], False, id="another method"),
    pytest.param(b"GET", "1.0", [], False, id="HTTP/1.0"),
]


@pytest.mark.parametrize(("method", "version", "headers", "passes"), HANDSHAKES)
def test_a_handshake_is_a_get_without_a_body(method, version, headers, passes):
    if passes:
        check_handshake(method, version, headers)
        return
    with pytest.raises(Refusal) as refused:
        check_handshake(method, version, headers)
    assert refused.value.status == 400


TARGETS = [
    pytest.param(b"http://x/a?q", (b"x", b"/a?q"), id="a path"),
    pytest.param(b"HTTPS://x:81", (b"x:81", b"/"), id="no path"),
    pytest.param(b"http://[::1]:80?q", (b"[::1]:80", b"/?q"), id="a query alone"),
    pytest.param(b"http://x#f", (b"x", b"/#f"), id="a fragment alone"),
    pytest.param(b"http://x//a", (b"x", b"//a"), id="two slashes"),
    pytest.param(b"http:///a", None, id="no authority"),
    pytest.param(b"http://x%2fy/a", None, id="an escaped slash"),
    pytest.param(b"http://a@x/", None, id="a user"),
    pytest.param(b"http://[::1/", None, id="half a bracket"),
    pytest.param(b"http://x:abc/", None, id="no port"),
    pytest.param(b"http://x:99999/", None, id="a port too high"),
    pytest.param(b"http://a..b/", None, id="an empty label"),
    pytest.param(b"http://[1:2]/", None, id="half an address"),
    pytest.param(b"http://a~b/", None, id="a tilde"),
    pytest.param(b"x:80", None, id="authority-form"),
    pytest.param(b"admin", None, id="no slash"),
]


@pytest.mark.parametrize(("url", "expected"), TARGETS)
def test_a_target_in_absolute_form_is_split_before_it_is_decoded(url, expected):
    if expected is not None:
        assert split_absolute(url) == expected
        return
    with pytest.raises(Refusal) as refused:
        split_absolute(url)
    assert refused.value.status == 400

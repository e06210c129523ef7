"""Hosts and ports as URLs and Host headers spell them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from multiserve.hosts import authority, is_loopback, normalise_host


@pytest.mark.parametrize(
    ("header", "scheme", "expected"),
    [
        pytest.param("example.com", "http", ("example.com", 80), id="http"),
        pytest.param("example.com", "https", ("example.com", 443), id="https"),
        pytest.param("example.com", "wss", ("example.com", 443), id="wss"),
        pytest.param("example.com", "gopher", ("example.com", 0), id="a scheme without a port"),
        pytest.param("example.com:8000", "http", ("example.com", 8000), id="a port"),
        pytest.param("example.com:", "http", ("example.com", 80), id="an empty port"),
        pytest.param("Example.COM.:8000", "http", ("example.com", 8000), id="capitals and a trailing dot"),
        pytest.param("[0::1]:80", "http", ("[::1]", 80), id="IPv6"),
        pytest.param("127.0.0.1", "http", ("127.0.0.1", 80), id="IPv4"),
        pytest.param("", "http", None, id="empty"),
        pytest.param("example.com:abc", "http", None, id="a port that is no number"),
        pytest.param("example.com:80@evil.test", "http", None, id="a user in the port"),
        pytest.param("example.com:65536", "http", None, id="a port out of range"),
        pytest.param("example.com:٨٠", "http", None, id="digits that are not ASCII"),
        pytest.param("[::zz]", "http", None, id="no address"),
        pytest.param("[1:2]", "http", None, id="an address too short"),
        pytest.param("a..b", "http", None, id="an empty label"),
        pytest.param("example.com..", "http", None, id="two trailing dots"),
        pytest.param("example.com\n", "http", None, id="a line break"),
        pytest.param("exämple.com", "http", None, id="not ASCII"),
    ],
)
def test_a_host_header_is_normalised_or_malformed(header, scheme, expected):
    assert normalise_host(header, scheme) == expected


@given(st.text() | st.text(".:[]-aA1%@"), st.text())
@example("[::ffff:1.2.3.4]", "http")
@example("[:::::::]:", "http")
@example("a" * 100_000, "http")
@example("a." * 100_000, "http")
def test_no_host_header_raises(header, scheme):
    normal = normalise_host(header, scheme)
    assert normal is None or (normal[0] and 0 <= normal[1] <= 65535)


@pytest.mark.parametrize(
    ("host", "port", "written"),
    [("127.0.0.1", 80, "127.0.0.1:80"), ("::1", 80, "[::1]:80"), ("example.com", 8000, "example.com:8000")],
)
def test_an_authority_is_written_as_in_a_url(host, port, written):
    assert authority(host, port) == written


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("localhost", True),
        ("shop.localhost", True),
        ("0.0.0.0", False),
        ("", False),
        ("::", False),
        ("192.168.1.5", False),
        ("example.com", False),
        ("localhost.example.com", False),
        ("notlocalhost", False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_a_loopback_address_is_known(host, loopback):
    assert is_loopback(host) is loopback

from __future__ import annotations

import pytest

from multiserve import frameworks
from multiserve.frameworks import AllowedHosts, Facts, InnerRequest, InnerRoute

HOSTS = [
    pytest.param("example.com", "example.com", True, id="the same"),
    pytest.param("example.com", "EXAMPLE.com.", True, id="in capitals, with a dot"),
    pytest.param("Example.com", "example.com", True, id="a pattern in capitals"),
    pytest.param("example.com", "www.example.com", False, id="one below"),
    pytest.param(".example.com", "example.com", True, id="a dot in front, the same"),
    pytest.param(".example.com", "a.b.example.com", True, id="a dot in front, below"),
    pytest.param(".example.com", "evilexample.com", False, id="a dot in front, another one"),
    pytest.param("*.example.com", "www.example.com", True, id="a star, below"),
    pytest.param("*.example.com", "example.com", False, id="a star, the same"),
    pytest.param("*", "anything", True, id="any"),
    pytest.param("[::1]", "[::1]", True, id="IPv6"),
]


@pytest.mark.parametrize(("pattern", "host", "is_allowed"), HOSTS)
def test_a_host_is_allowed_as_frameworks_have_it(pattern, host, is_allowed):
    assert AllowedHosts("ALLOWED_HOSTS", (pattern,)).allow(host) is is_allowed


USUAL = [
    pytest.param(None, ["localhost"], id="nothing is known"),
    pytest.param(["*"], ["localhost"], id="any"),
    pytest.param([], ["localhost"], id="none"),
    pytest.param(["a.test", ".localhost"], ["localhost"], id="the preferred one among others"),
    pytest.param(["a.test", ".b.test"], ["a.test", "b.test", "www.b.test"], id="two"),
    pytest.param(["*.a.test"], ["www.a.test"], id="those below"),
]


@pytest.mark.parametrize(("patterns", "hosts"), USUAL)
def test_a_host_is_given_that_the_application_takes(patterns, hosts):
    allowed = None if patterns is None else AllowedHosts("ALLOWED_HOSTS", tuple(patterns))
    facts = Facts(application=None, framework="Django", version="", hosts=allowed)
    assert facts.usual_hosts() == hosts


def test_no_host_is_allowed_by_an_empty_list():
    assert not AllowedHosts("ALLOWED_HOSTS", ()).allow("localhost")


@pytest.mark.parametrize(
    ("path", "literal"),
    [
        ("/", "/"),
        ("/admin/login", "/admin/login"),
        ("/admin/<name>/edit", "/admin/"),
        ("/admin/{name:str}", "/admin/"),
        ("/static/*subpath", "/static/"),
        ("/old/:name", "/old/"),
        ("/at/12:30", "/at/12:30"),
        ("<anything>", ""),
    ],
)
def test_the_literal_part_of_a_path_ends_before_its_first_placeholder(path, literal):
    assert InnerRoute(path=path).literal == literal


@pytest.mark.parametrize(
    ("host", "name"), [("example.com", "example.com"), ("example.com:80", "example.com"), ("[::1]", "[::1]"),
                       ("[::1]:80", "[::1]")]
)  # fmt: skip
def test_a_request_knows_its_host_without_the_port(host, name):
    assert InnerRequest("/", host=host).hostname == name


@pytest.mark.parametrize(
    ("mount", "name"),
    [
        pytest.param("/admin", "session_admin", id="a prefix"),
        pytest.param("/a-b/c", "session_a_b_c", id="several words"),
        pytest.param("api.example.com/x", "session_api_example_com_x", id="a host"),
        pytest.param("", "session_2", id="the root"),
        pytest.param("/é", "session_2", id="no ASCII at all"),
    ],
)
def test_the_name_of_a_cookie_has_the_mount_in_it(mount, name) -> None:
    assert frameworks.distinct_name("session", mount) == name

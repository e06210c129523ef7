"""Every request of the tables of dispatching and routing is answered alike by one process and behind a front."""

from __future__ import annotations

import importlib.util
import re
import shutil
import socket
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = pytest.mark.xdist_group("parity-tables")

TESTS = Path(__file__).parents[2]


def tables_of(path):
    """Return another test module, for its tables."""
    spec = importlib.util.spec_from_file_location(f"tables_of_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SAME = tables_of(TESTS / "end_to_end" / "test_same_requests.py")
ROUTING = tables_of(TESTS / "test_routing.py")
WSGI = tables_of(TESTS / "dispatch" / "test_wsgi.py")

PATHS = [case.values[1] for case in (*ROUTING.PATHS, *ROUTING.PLACEHOLDER_CASES)]
PATHS += [case.values[0] for case in WSGI.MOVES]
TARGETS = [quote(path.encode("latin-1"), safe="/%{}+@") for path in dict.fromkeys(PATHS) if path.startswith("/")]
TARGETS += [
    "/%61dmin/x",
    "/%61%64min",
    "/admin%2Fusers",
    "/admin%2fusers%2F1",
    "/a%2Fb/c",
    "/%2Fadmin",
    "/admin/%2e%2e/",
    "/admin/..",
    "/a/../admin",
    "/a/./b/c",
    "/../admin",
    "/admin/%2e%2e%2fapi",
    "//admin//x",
    "/admin?x=/api",
    "/?/admin",
    "/caf%c3%a9",
    "/CAF%C3%A9",
    "/sp%20ace/x",
    "/sp+ace",
    "/u/%",
    "/u/%zz",
    "/u/%E2%82%AC/x",
    "/u/%C2%80",
    "/u/a%0A",
    "/u/%2e%2E",
    "/u/...",
    "/slash",
    "/slash?q",
    "/old/x?y",
    "/api/old",
    "/api/files",
    "/api/files/",
    "/robots.txt",
    "/api/files/none",
    "/robots.txt/x",
    "/admin%0A",
    "/admin%",
    "/%61dmin/%zz",
    "/admin%zz",
    "/admin;x",
    "/sub/x",
    "/blog/1",
    "/t/x",
    "/x/y",
    "/shop/1",
    "/api#top",
    "/x#/api",
    "/api/%252F",
    "/a%00b",
    "/api/%00",
    "/u/a%00",
]
HOSTS = [case.values[0] for case in (*ROUTING.HOST_CASES, *ROUTING.PLACEHOLDER_CASES)]
HOSTS = [host for host in dict.fromkeys(HOSTS) if "\n" not in host and len(host) < 1000]
HOSTS += [
    "app.example.com",
    "APP.example.com.:9000",
    "app.example.com:09000",
    "app.example.com:80@evil",
    "b.a.shops.test",
    "x.eu.shops.test",
    "a.b.c.shops.test",
    "shops.test",
    "a.shops.test:1",
    "secure.test",
    "plain.test",
    "plain.test:",
    "[0:0:0:0:0:0:0:1]",
    "[::0.0.0.1]",
]
FORGED = (
    *("X-Forwarded-Host: app.example.com", "X-Forwarded-Proto: https", "X-Forwarded-For: 9.9.9.9"),
    *("X-Forwarded-Port: 9000", "X-Forwarded-Prefix: /admin", "SCRIPT_NAME: /admin", "Script-Name: /x"),
)
ABSOLUTE = [
    "http://app.example.com/x?q",
    "http://app.example.com:9000/x/a",
    "http://localhost/admin/x",
    "http://other.test/api",
    "HTTP://APP.EXAMPLE.COM/",
    "http://app.example.com",
    "http://app.example.com?q",
    "http://localhost//admin",
]
METHODS = ("HEAD", "POST", "OPTIONS", "DELETE")
SHORT = ("/", "/admin", "/x/y", "/blog/1", "/sub")
ASKED_HOSTS = ("localhost", "app.example.com", "a.example.com")


def all_requests(head):
    """Return the requests by their names."""
    found = {f"same: {case.id}": case.values[0] for case in (*SAME.ANSWERED, *SAME.ABSOLUTE)}
    found |= {f"{host} {target}": head(target, host=host) for host in ASKED_HOSTS for target in TARGETS}
    for path in SHORT:
        found |= {f"at {host}{path}": head(path, host=host) for host in HOSTS}
    for method in METHODS:
        found |= {f"{method} {target}": head(target, method=method) for target in TARGETS[:40]}
    found |= {f"forged {target}": head(target, *FORGED) for target in TARGETS[:40]}
    for target in ABSOLUTE:
        host = re.split("[/?]", target[7:])[0]
        found |= {f"{target} of its host": head(target, host=host), f"{target} of another": head(target, host="b.test")}
    return found


@pytest.fixture(scope="module")
def site(start_site, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parity") / "site"
    shutil.copytree(Path(__file__).parent / "site", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return start_site(folder)


# What a front refuses, and multiserve need not: what nginx cannot decode or resolve, and a Host header that is none;
# for haproxy a fragment, a head of more than 16 KiB, and a Host header beside which the target names another host.
NO_PATHS = (
    "/u/a%00b",
    "/../admin",
    "/u/%",
    "/u/%zz",
    "/admin%",
    "/%61dmin/%zz",
    "/admin%zz",
    "/a%00b",
    "/api/%00",
    "/u/a%00",
)
NO_HOSTS = ("", "example.com, example.com", "example.com/", "..example.com")
NO_REQUESTS = {
    "nginx": (
        *("percent alone", "percent without digits", "escaped NUL", "white space around a host", "empty host"),
        *("asterisk-form", "asterisk-form for a host"),
    ),
    "haproxy": (
        *("fragment", "fragment behind a query", "large headers", "absolute", "absolute-form with a port"),
        *("without a path", "query only", "absolute-form in capitals", "absolute-form replaces the header"),
        "absolute-form with two slashes",
    ),
}
REFUSALS = {front: {f"same: {name}" for name in names} for front, names in NO_REQUESTS.items()}
REFUSALS["nginx"] |= {f"{begin} {path}" for begin in (*ASKED_HOSTS, *METHODS, "forged") for path in NO_PATHS}
REFUSALS["nginx"] |= {f"at {host}{path}" for host in NO_HOSTS for path in SHORT}
REFUSALS["haproxy"] |= {f"{host} {path}" for host in ASKED_HOSTS for path in ("/api#top", "/x#/api")}
REFUSALS["haproxy"] |= {f"{target} of another" for target in ABSOLUTE} | {"http://app.example.com?q of its host"}


def test_all_requests_are_answered_alike(site, front):
    found = site.differences(front, all_requests(site.head))
    assert {name: both for name, both in found.items() if name not in REFUSALS[front]} == {}
    assert {name: behind for name, (_, behind) in found.items() if behind != (400,)} == {}


def test_a_client_of_http_1_0_needs_no_host(site, front):
    requests = {path: f"GET {path} HTTP/1.0\r\n\r\n".encode() for path in ("/", "/admin/x", "/api")}
    found = site.differences(front, requests)  # what came in place of the Host header is different
    assert {path: (one[0], behind[0]) for path, (one, behind) in found.items()} == dict.fromkeys(requests, (200, 200))


def test_each_unit_has_answered(site):
    """The tables reach every application, so that a front which sent all to one unit would be noticed."""
    bodies = b"".join(site.answer(each)[-1] for each in all_requests(site.head).values() if len(site.answer(each)) > 1)
    assert set(re.findall(rb"\['(\w)'", bodies)) == {b"a", b"b", b"c", b"d", b"e", b"f", b"g"}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("/api/ws", "['g', '/api', '/api/ws']", id="a WebSocket"),
        pytest.param("/%61pi/ws?q", "['g', '/api', '/api/ws']", id="an escaped letter"),
        pytest.param("/admin/users/1", "['f', '/admin/users', '/admin/users/1']", id="another unit"),
    ],
)
def test_websockets_reach_their_unit(site, front, target, expected):
    if front not in site.ports:
        pytest.skip(f"no {front} on this machine")
    with connect(f"ws://127.0.0.1:{site.ports[front]}{target}", open_timeout=30, proxy=None) as websocket:
        assert websocket.recv(30) == expected
        with pytest.raises(ConnectionClosed) as caught:
            websocket.recv(30)
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (3000, "done")


def test_an_event_comes_while_the_stream_goes_on(site, front):
    if front not in site.ports:
        pytest.skip(f"no {front} on this machine")
    with socket.create_connection(("127.0.0.1", site.ports[front]), 30) as connection:
        connection.sendall(site.head("/api/events"))
        received = b""
        while b"data: first" not in received:
            more = connection.recv(65536)
            assert more, received
            received += more
        assert b"second" not in received

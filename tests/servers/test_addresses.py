"""Addresses: bound early, with errors that say what to do, and their URLs."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from pathlib import Path

import pytest

from multiserve.errors import ServeError
from multiserve.servers.addresses import absolute_socket, bind, origin, origins_for_others, spoken_https


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", ""])
def test_an_address_is_bound_and_listened_on(host):
    with bind(host, 0) as listener:
        port = listener.getsockname()[1]
        assert port
        socket.create_connection(("localhost", port)).close()


def test_an_ipv6_address_is_bound():
    with contextlib.closing(bind("::1", 0)) as listener:
        assert listener.family == socket.AF_INET6


def test_a_port_in_use_is_refused():
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ServeError) as caught:
            bind("127.0.0.1", port)
    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use\n"
        "    Another program uses the port: stop it, or choose another one with --port or MULTISERVE_PORT."
    )


@pytest.mark.parametrize(
    ("host", "message"),
    [
        pytest.param(
            "192.0.2.1",
            "cannot listen on 192.0.2.1:0: Cannot assign requested address\n"
            "    This machine has no such address: use 127.0.0.1, or 0.0.0.0 for every network.",
            id="address of another machine",
        ),
        pytest.param(
            "2001:db8::1",
            "cannot listen on [2001:db8::1]:0: Cannot assign requested address\n"
            "    This machine has no such address: use 127.0.0.1, or 0.0.0.0 for every network.",
            id="IPv6 address of another machine",
        ),
        pytest.param(
            "a..b",
            "cannot listen on a..b:0: no host has such a name\n    Check the host.",
            id="no host name",
        ),
    ],
)
def test_an_address_that_cannot_be_bound_is_refused(host, message):
    with pytest.raises(ServeError) as caught:
        bind(host, 0)
    assert str(caught.value) == message


@pytest.mark.parametrize("host", ["no.such.host.invalid", "a b", "a" * 64 + ".com", "nul\0", "ä" * 300])
def test_a_host_that_is_none_is_refused(host):
    with pytest.raises(ServeError, match=r"cannot listen on .*:0: .*\n    Check the host\."):
        bind(host, 0)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("localhost", "http://localhost:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
    ],
)
def test_an_origin_is_a_url_to_click_on_this_machine(host, url):
    assert origin(host, 80) == url


@pytest.mark.parametrize(
    ("address", "absolute"),
    [
        ("unix:run.sock", "unix:/site/run.sock"),
        ("unix:run/../run.sock", "unix:/site/run/../run.sock"),
        ("unix:/run/a.sock", "unix:/run/a.sock"),
        ("unix:///run/a.sock", "unix:/run/a.sock"),
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("fd://3", "fd://3"),
    ],
)
def test_the_path_of_a_unix_socket_starts_from_a_folder(address, absolute):
    assert absolute_socket(address, Path("/site")) == absolute


def test_an_origin_has_a_scheme():
    assert origin("::1", 443, "https") == "https://[::1]:443"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "192.0.2.1"])
def test_a_server_on_one_address_has_no_other_ones(host):
    assert origins_for_others(host, 80) == []


@pytest.mark.parametrize(
    ("host", "names", "expected"),
    [
        pytest.param("0.0.0.0", ["127.0.1.1", "198.51.100.7"], ["http://198.51.100.7:81"], id="IPv4"),
        pytest.param("::", ["fe80::1", "2001:db8::7"], ["http://[2001:db8::7]:81"], id="IPv6"),
        pytest.param("0.0.0.0", [], [], id="a machine without a network"),
    ],
)
def test_a_server_on_every_network_has_the_addresses_of_the_machine(monkeypatch, host, names, expected):
    def look_up(_name, _port, family, _kind):
        wanted = {socket.AF_INET: 4, socket.AF_INET6: 6}[family]
        return [(family, 0, 0, "", (each, 0)) for each in names if ipaddress.ip_address(each).version == wanted]

    def connect(*_):
        raise OSError("there is no network")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", connect)
    assert origins_for_others(host, 81) == expected


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (("127.0.0.1", 80), "A client spoke HTTPS to a port that serves HTTP: open http://127.0.0.1:80/ instead."),
        (("::1", 80, 0, 0), "A client spoke HTTPS to a port that serves HTTP: open http://[::1]:80/ instead."),
        ("/run/shop.sock", "A client spoke HTTPS to a port that serves HTTP."),
    ],
    ids=["IPv4", "IPv6", "unix"],
)
def test_a_client_that_begins_with_tls_is_told_in_words(address, message):
    assert spoken_https(address) == message

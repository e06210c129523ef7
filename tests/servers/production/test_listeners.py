"""Listening sockets over a reload: what stays, what is new, and what cannot be bound."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest

pytest.importorskip("gunicorn.sock", reason="gunicorn does not run on Windows")

from gunicorn import sock
from gunicorn.config import Config

from multiserve.errors import ServeError
from multiserve.servers.production import listeners

LOG = SimpleNamespace(error=print, debug=print, info=print)


def settings(*addresses, **others):
    config = Config()
    config.set("bind", list(addresses))
    for name, value in others.items():
        config.set(name, value)
    return config


@pytest.fixture
def free():
    """Give an address that is free."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def opened():
    """Listen for some settings; everything is closed after the test."""
    everything = []

    def opened(config):
        made = sock.create_sockets(config, LOG)
        everything.extend(made)
        return made

    yield opened
    for listener in everything:
        listener.close()


def test_the_same_addresses_keep_their_sockets(opened):
    config = settings("127.0.0.1:0", "127.0.0.1:0")
    before = opened(config)
    assert listeners.take_over(settings("127.0.0.1:0", "127.0.0.1:0"), config, before, LOG) == before


def test_an_address_that_stays_keeps_its_socket_and_the_others_come_and_go(opened, free, tmp_path):
    config = settings("127.0.0.1:0", f"unix:{tmp_path}/old")
    before = opened(config)
    taken = listeners.take_over(settings("127.0.0.1:0", f"unix:{tmp_path}/new", free), config, before, LOG)
    assert taken[0] is before[0]
    assert [str(each) for each in taken[1:]] == [f"unix:{tmp_path}/new", f"http://{free}"]
    listeners.close(before, taken)
    assert {each.name for each in tmp_path.iterdir()} == {"new"}
    listeners.close(taken, [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "message"),
    [
        pytest.param("unix:HERE/file", "cannot listen on unix:HERE/file: something else is there", id="a file"),
        pytest.param("fd://0", "cannot listen on 0: a file descriptor can only be given at the start", id="fd"),
    ],
)
def test_an_address_that_cannot_be_bound_leaves_everything_as_it_was(opened, free, tmp_path, address, message):
    (tmp_path / "file").touch()
    config = settings("127.0.0.1:0")
    before = opened(config)
    wanted = settings("127.0.0.1:0", free, address.replace("HERE", str(tmp_path)))
    with pytest.raises(ServeError) as caught:
        listeners.take_over(wanted, config, before, LOG)
    assert str(caught.value).startswith(message.replace("HERE", str(tmp_path)))
    assert before[0].fileno() > 0
    host, _, port = free.partition(":")
    socket.create_server((host, int(port))).close()  # it is free again


def test_an_address_in_use_is_refused(opened, free):
    config = settings("127.0.0.1:0")
    host, _, port = free.partition(":")
    with socket.create_server((host, int(port))), pytest.raises(ServeError, match=f"cannot listen on {free}"):
        listeners.take_over(settings(free), config, opened(config), LOG)


@pytest.mark.parametrize("backlog", [1, 0], ids=["idle", "its queue is full"])
def test_a_unix_socket_of_another_server_is_refused_and_left_alone(tmp_path, backlog):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(path))
        server.listen(backlog)
        if not backlog:
            client.connect(str(path))
        with pytest.raises(ServeError) as caught:
            listeners.check_addresses(settings(f"unix:{path}"))
    assert str(caught.value) == f"cannot listen on unix:{path}: another server listens there"
    assert path.is_socket()


def test_a_unix_socket_that_is_our_own_or_that_nobody_serves_is_taken(opened, tmp_path):
    (listener,) = opened(settings(f"unix:{tmp_path}/socket"))
    listeners.check_addresses(settings(f"unix:{tmp_path}/socket"), {listener.cfg_addr})
    listener.close()
    listeners.check_addresses(settings(f"unix:{tmp_path}/socket"))


def test_with_reuse_port_each_worker_listens_for_itself(opened):
    config = settings("127.0.0.1:0")
    assert listeners.take_over(settings("127.0.0.1:0", reuse_port=True), config, opened(config), LOG) == []


def test_a_socket_that_somebody_else_has_removed_is_closed_all_the_same(opened, tmp_path):
    (listener,) = opened(settings(f"unix:{tmp_path}/socket"))
    (tmp_path / "socket").unlink()
    listeners.close([listener], [])
    assert listener.sock is None

import os
import re
import socket
import threading

import pytest

from multiserve.errors import ServeError
from multiserve.servers.management.address import bind_manage_address
from multiserve.servers.production.management import Management


@pytest.fixture
def management():
    made = Management({}, int)
    yield made
    made.close(is_alone=True)


def test_without_an_address_nothing_listens(management):
    management.start("", waits=False)
    assert (management.is_on, management.hand_on()) == (False, {})


def test_a_reload_moves_it(management, tmp_path):
    first, second = (f"unix:{tmp_path}/{name}" for name in "ab")
    management.start(first, waits=False)
    management.prepare(second)
    management.switch(second, is_alone=True)
    assert [each.name for each in tmp_path.iterdir()] == ["b"]
    management.prepare("")
    management.switch("", is_alone=True)
    assert (management.is_on, list(tmp_path.iterdir())) == (False, [])


def test_a_reload_that_is_refused_leaves_it(management, tmp_path):
    first, second = (f"unix:{tmp_path}/{name}" for name in "ab")
    management.start(first, waits=False)
    management.prepare(second)
    management.stay()
    assert [each.name for each in tmp_path.iterdir()] == ["a"]
    with bind_manage_address(second), pytest.raises(ServeError):
        management.prepare(second)
    assert management.address == first


def test_a_reload_to_every_network_at_the_same_port_takes_a_restart(management):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    management.start(f"127.0.0.1:{port}", waits=False)
    with pytest.raises(ServeError) as raised:
        management.prepare(f"0.0.0.0:{port}")
    assert str(raised.value) == (
        f"cannot listen on 0.0.0.0:{port}: Address already in use (manage)\n"
        f"    This server itself listens at 127.0.0.1:{port}: to move manage to another host, restart it."
    )


def test_a_reload_to_a_port_of_another_server_says_so(management):
    management.start("127.0.0.1:0", waits=False)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServeError) as raised:
            management.prepare(f"127.0.0.1:{port}")
    assert str(raised.value) == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use (manage)\n"
        "    It is the address of manage, under [server]: choose another one."
    )


def test_a_second_master_gets_the_socket(management, tmp_path):
    address = f"unix:{tmp_path}/a"
    management.start(address, waits=False)
    variables = management.hand_on()
    descriptor, name = variables["_MULTISERVE_MANAGE"].split(",")
    assert (name, os.get_inheritable(int(descriptor))) == (address, True)
    variables["_MULTISERVE_MANAGE"] = f"{os.dup(int(descriptor))},{address}"
    second = Management(variables, int)
    assert variables == {}
    second.start(address, waits=True)
    management.close(is_alone=False)
    second.take_over()
    assert second.is_on
    second.close(is_alone=True)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def pair(management, tmp_path):
    """The management of two masters, of which the second waits."""
    management.start(f"unix:{tmp_path}/a", waits=False)
    descriptor, _, address = management.hand_on()["_MULTISERVE_MANAGE"].partition(",")
    second = Management({"_MULTISERVE_MANAGE": f"{os.dup(int(descriptor))},{address}"}, int)
    yield management, second
    second.close(is_alone=True)


def accepting():
    """Return how many listeners run."""
    return sum("_accept" in thread.name for thread in threading.enumerate())


def test_a_reload_of_a_second_master_that_waits_starts_nothing_and_leaves_the_first_its_socket(pair, tmp_path):
    first, second = pair
    second.start(first.address, waits=True)
    other = f"unix:{tmp_path}/b"
    before = accepting()
    second.prepare(other)
    second.switch(other, is_alone=False)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "b"]
    assert accepting() == before
    second.take_over()
    assert accepting() == before + 1
    third = f"unix:{tmp_path}/c"
    second.prepare(third)
    second.switch(third, is_alone=False)
    assert (accepting(), (tmp_path / "b").exists()) == (before + 1, False)


def test_a_reload_of_the_first_master_leaves_the_second_its_socket(pair, tmp_path):
    first, second = pair
    second.start(first.address, waits=True)
    other = f"unix:{tmp_path}/b"
    first.prepare(other)
    first.switch(other, is_alone=False)
    first.close(is_alone=False)
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(("address", "left"), [("", []), ("unix:b", ["b"])], ids=["none", "another"])
def test_the_socket_of_the_first_master_goes_with_it(pair, tmp_path, monkeypatch, address, left):
    monkeypatch.chdir(tmp_path)
    first, second = pair
    second.start(address, waits=True)
    first.close(is_alone=False)
    assert (tmp_path / "a").exists()
    second.take_over()
    assert [each.name for each in tmp_path.iterdir()] == left


def test_the_socket_of_another_server_stays_where_the_first_master_had_its_own(pair, tmp_path):
    first, second = pair
    address = first.address
    second.start("", waits=True)
    first.close(is_alone=True)
    with bind_manage_address(address):
        second.take_over()
        assert (tmp_path / "a").exists()


def test_a_second_master_with_another_address_closes_it(tmp_path):
    with bind_manage_address(f"unix:{tmp_path}/a") as listener:
        copy = os.dup(listener.fileno())
        second = Management({"_MULTISERVE_MANAGE": f"{copy},unix:{tmp_path}/a"}, int)
        second.start("", waits=True)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(copy)


def test_the_page_is_where_the_listener_is(management, tmp_path):
    with pytest.raises(ServeError) as raised:
        _ = management.page
    assert str(raised.value) == (
        "this server has no management listener, and so no page\n"
        '    Write manage = "127.0.0.1:9000" under [server], and reload the server.'
    )
    management.start(f"unix:{tmp_path}/a", waits=False)
    assert management.page == {"address": f"unix:{tmp_path}/a", "token": management.site.access.token}
    management.prepare("127.0.0.1:0")
    management.switch("127.0.0.1:0", is_alone=True)
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*/", management.page["address"])

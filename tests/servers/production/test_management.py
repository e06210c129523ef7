import os
import re

import pytest

from multiserve.errors import ServeError
from multiserve.servers.management.address import bind_manage_address
from multiserve.servers.production.management import Management


@pytest.fixture
def management():
    made = Management({}, int)
    yield made
    made.close(removes=True)


def test_without_an_address_nothing_listens(management):
    management.start("", waits=False)
    assert (management.is_on, management.hand_on()) == (False, {})


def test_a_reload_moves_it(management, tmp_path):
    first, second = (f"unix:{tmp_path}/{name}" for name in "ab")
    management.start(first, waits=False)
    management.prepare(second)
    management.switch(second)
    assert [each.name for each in tmp_path.iterdir()] == ["b"]
    management.prepare("")
    management.switch("")
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
    management.close(removes=False)
    second.take_over()
    assert second.is_on
    second.close(removes=True)
    assert list(tmp_path.iterdir()) == []


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
    management.switch("127.0.0.1:0")
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*/", management.page["address"])

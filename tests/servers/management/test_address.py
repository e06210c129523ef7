import socket
import stat

import pytest

from multiserve.errors import ServeError
from multiserve.servers.management.address import bind_manage_address, remove_socket


def test_only_the_owner_may_connect_to_a_unix_socket(tmp_path):
    address = f"unix:{tmp_path}/manage.sock"
    with bind_manage_address(address):
        assert stat.S_IMODE((tmp_path / "manage.sock").stat().st_mode) == 0o600
        with pytest.raises(ServeError) as refused:
            bind_manage_address(address)
        assert str(refused.value) == f"cannot listen on {address} (manage): another server listens there"
    with bind_manage_address(address):  # what is left of a server that has ended is in nobody's way
        pass
    remove_socket(address)
    assert list(tmp_path.iterdir()) == []


def test_a_file_stays(tmp_path):
    (tmp_path / "manage.sock").write_text("data")
    with pytest.raises(ServeError) as refused:
        bind_manage_address(f"unix:{tmp_path}/manage.sock")
    assert str(refused.value) == f"cannot listen on unix:{tmp_path}/manage.sock (manage): Address already in use"
    assert (tmp_path / "manage.sock").read_text() == "data"


def test_a_port_in_use_names_the_setting():
    with bind_manage_address("127.0.0.1:0") as listener:
        port = listener.getsockname()[1]
        assert listener.family == socket.AF_INET
        with pytest.raises(ServeError) as refused:
            bind_manage_address(f"127.0.0.1:{port}")
    assert str(refused.value) == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use (manage)\n"
        "    It is the address of manage, under [server]: choose another one."
    )

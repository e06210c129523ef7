"""What the serving process has from the parent; the processes themselves run in tests/end_to_end."""

from __future__ import annotations

import json
import socket
from dataclasses import replace

import pytest

from multiserve.config.file import load_config
from multiserve.servers.development.parent import Inherited
from multiserve.servers.stamps import stamp_of


@pytest.fixture
def config(write_config):
    return load_config(write_config('[mounts]\n"/" = "a:b"\n'))


@pytest.mark.parametrize(
    ("host", "port", "text"),
    [
        pytest.param("127.0.0.1", 8000, "", id="the same"),
        pytest.param("127.0.0.1", 1, "Host and port stay 127.0.0.1:8000 until the server is started anew.", id="port"),
        pytest.param("::", 8000, "Host and port stay 127.0.0.1:8000 until the server is started anew.", id="host"),
    ],
)
def test_the_address_of_the_socket_stays(config, host, port, text):
    with socket.socket() as listener:
        inherited = Inherited(listener, "127.0.0.1", 8000)
        changed = replace(config, server=replace(config.server, host=host, port=port))
        assert inherited.keep_address(changed) == config
        assert inherited.describe_stay(changed) == text


def test_what_the_parent_has_read_is_outdated_once_a_file_has_changed(tmp_path):
    path = tmp_path / "multiserve.toml"
    path.write_text("")
    stamps = {str(path): stamp_of(str(path)), str(tmp_path / ".env"): None}
    with socket.socket() as listener:
        inherited = Inherited(listener, "127.0.0.1", 8000, stamps=json.loads(json.dumps(stamps)))
        assert not inherited.is_outdated
        (tmp_path / ".env").touch()
        assert inherited.is_outdated
        (tmp_path / ".env").unlink()
        path.write_text("[mounts]")
        assert inherited.is_outdated

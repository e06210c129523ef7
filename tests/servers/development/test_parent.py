"""What the serving process has from the parent; the processes themselves run in tests/end_to_end."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from multiserve.config.file import load_config
from multiserve.servers.development.parent import Inherited


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

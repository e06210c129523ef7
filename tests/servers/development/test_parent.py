"""The reloader's decisions; the processes themselves run in tests/end_to_end."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import replace

import pytest

from multiserve.config.file import load_config
from multiserve.errors import ConfigError
from multiserve.servers.development.parent import CHANGED, Inherited, Reloader, describe_end


@pytest.fixture
def config(write_config):
    return load_config(write_config('[mounts]\n"/" = "a:b"\n'))


class Checking:
    """A configuration that is right, or wrong in these words."""

    wrong = ""

    def __call__(self) -> None:
        if self.wrong:
            raise ConfigError(self.wrong)


def test_a_change_is_due_when_the_configuration_is_right(config, tmp_path):
    check, told = Checking(), []
    reloader = Reloader(config, check, told.append)
    assert not reloader.is_due()
    check.wrong = "wrong"
    assert not reloader.is_due()  # nobody reads it as long as nothing changes
    assert told == []
    (tmp_path / "new.py").touch()
    assert not reloader.is_due()
    assert told == []  # an editor may be writing it
    assert [reloader.is_due() for _ in range(3)] == [False] * 3
    stays = "The mounts stay as they were until this is mended."
    assert told == [f"Error: wrong\n{stays}"]
    check.wrong = "otherwise"
    assert [reloader.is_due() for _ in range(3)] == [False] * 3
    assert told == [f"Error: wrong\n{stays}", f"Error: otherwise\n{stays}"]
    check.wrong = ""
    assert reloader.is_due()
    assert told[2:] == [f" * Detected change in {str(tmp_path / 'new.py')!r}, reloading"]


def test_a_change_ends_the_process_while_it_loads(config, tmp_path, monkeypatch):
    codes, ended = [], threading.Event()

    def end(code):
        codes.append(code)
        ended.set()

    monkeypatch.setattr(os, "_exit", end)
    threads = threading.active_count()
    with Reloader(config, Checking(), print).while_loading():
        assert threading.active_count() == threads + 1
        (tmp_path / "new.py").touch()
        assert ended.wait(30)
    assert codes[0] == CHANGED
    assert threading.active_count() == threads  # what is loaded is watched by the main thread


@pytest.mark.parametrize(
    ("code", "text"),
    [
        pytest.param(0, "has ended with exit code 0", id="os._exit without a fault"),
        pytest.param(7, "has ended with exit code 7", id="os._exit"),
        pytest.param(-9, "was ended by SIGKILL", id="a signal"),
        pytest.param(-63, "was ended by signal 63", id="a signal without a name"),
    ],
)
def test_the_end_of_a_process_in_words(code, text):
    assert describe_end(code) == text


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

"""The development server's decisions; the server itself runs in tests/end_to_end."""

from __future__ import annotations

import logging
import signal
import socket
from types import SimpleNamespace

import pytest

from multiserve.config.file import load_config
from multiserve.errors import ServeError
from multiserve.servers.development import server
from multiserve.servers.development.parent import Inherited


@pytest.fixture
def config(write_config):
    return load_config(write_config('[mounts]\n"/" = "a:b"\n'))


def serve_supervised(config, listener, monkeypatch, level=logging.INFO, **before):
    """Load nothing, serve with a server that stops at once, and return what it has announced."""
    started = []
    composition = SimpleNamespace(config=config, application=None, interface="wsgi", failures=(), start=lambda **_: [])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(server, "compose", lambda *_, **__: composition)
    monkeypatch.setattr(server, "is_supervised", lambda: True)
    monkeypatch.setattr(server, "inherit", lambda: Inherited(listener, "127.0.0.1", 8000, **before))
    monkeypatch.setattr(server.WSGIServer, "serve_forever", lambda _: None)
    with pytest.raises(ServeError, match="the server has stopped by itself"):
        server.serve(
            SimpleNamespace(read=lambda: config), server.Terminal(announce=started.append, tell=print, level=level)
        )
    return started


@pytest.mark.parametrize("is_restart", [False, True])
def test_what_is_announced_has_address_and_debugger(config, monkeypatch, is_restart):
    monkeypatch.setenv("WERKZEUG_DEBUG_PIN", "1-2")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        (started,) = serve_supervised(config, listener, monkeypatch, is_restart=is_restart)
        assert started.address == ("127.0.0.1", listener.getsockname()[1])
    assert started.debugger.pin == "1-2"
    assert started.is_restart is is_restart


@pytest.mark.parametrize(
    ("https", "was_https", "is_new"), [(False, False, False), (True, False, True), (True, True, False)]
)
def test_https_is_new_where_the_process_before_did_not_serve_it(
    write_config, monkeypatch, tmp_path, https, was_https, is_new
):
    pytest.importorskip("cryptography")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", "")
    config = load_config(write_config(f'[mounts]\n"/" = "a:b"\n[development]\nhttps = {str(https).lower()}\n'))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        (started,) = serve_supervised(config, listener, monkeypatch, is_restart=True, was_https=was_https)
    assert (started.scheme, started.is_https_new) == ("https" if https else "http", is_new)


@pytest.mark.parametrize(
    ("level", "ours", "werkzeugs"),
    [
        pytest.param(logging.DEBUG, logging.DEBUG, logging.NOTSET, id="debug"),
        pytest.param(logging.INFO, logging.INFO, logging.NOTSET, id="info"),
        pytest.param(logging.ERROR, logging.ERROR, logging.ERROR, id="error"),
    ],
)
def test_the_level_counts_for_the_loggers_of_the_server(config, monkeypatch, level, ours, werkzeugs):
    loggers = [logging.getLogger(name) for name in ("multiserve", "werkzeug")]
    for logger in loggers:
        monkeypatch.setattr(logger, "level", logging.NOTSET)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serve_supervised(config, listener, monkeypatch, level)
    assert [logger.level for logger in loggers] == [ours, werkzeugs]

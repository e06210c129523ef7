"""The loop of a process that serves; real ones run in tests/end_to_end."""

from __future__ import annotations

import os
import pty
import signal
import termios
from types import SimpleNamespace

import pytest

from multiserve.config.file import load_config
from multiserve.errors import ServeError
from multiserve.servers.development import serving
from multiserve.servers.development.fleet_changes import FleetChanges
from multiserve.servers.development.reloader import CHANGED, Reloader
from multiserve.servers.development.serving import serve_and_watch


@pytest.fixture
def reloader(write_config, monkeypatch):
    monkeypatch.setattr(serving, "end_at_once", lambda _: None)  # this process has to go on
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    config = load_config(write_config('[mounts]\n"/" = "a:b"\n'))
    return Reloader(config, lambda: config, print)


class Server:
    """A server that serves as long as `serve` takes, and records that it was stopped."""

    def __init__(self, serve=lambda: None):
        self.serve_forever = serve
        self.is_stopped = False

    def call(self, function):
        function()

    def stop(self):
        self.is_stopped = True


def serve(reloader, server):
    composition = SimpleNamespace(failures=(), start=list)
    serve_and_watch(lambda: composition, FleetChanges(reloader, print), lambda _: server)


def test_a_server_that_stops_by_itself_is_an_error_that_the_supervising_process_sees(reloader):
    with pytest.raises(ServeError, match="the server has stopped by itself"):
        serve(reloader, Server())


@pytest.mark.parametrize(
    ("is_orphan", "code"), [pytest.param(False, CHANGED, id="a change"), pytest.param(True, 0, id="no parent")]
)
def test_the_process_ends_and_stops_the_server(reloader, monkeypatch, is_orphan, code):
    ended = os.pipe()
    server = Server(lambda: os.read(ended[0], 1))
    monkeypatch.setattr(reloader, "is_orphan", lambda: is_orphan)
    monkeypatch.setattr(reloader, "is_due", lambda: True)
    with pytest.raises(SystemExit) as end:
        serve(reloader, server)
    os.write(ended[1], b".")
    assert (end.value.code, server.is_stopped) == (code, True)


@pytest.mark.parametrize("echo", [pytest.param(0, id="off"), pytest.param(termios.ECHO, id="on")])
def test_what_is_typed_is_shown_again_after_a_debugger_has_turned_that_off(reloader, monkeypatch, echo):
    shell, terminal = pty.openpty()
    with os.fdopen(terminal) as stdin, os.fdopen(shell):
        attributes = termios.tcgetattr(terminal)
        attributes[3] = attributes[3] & ~termios.ECHO | echo
        termios.tcsetattr(terminal, termios.TCSANOW, attributes)
        monkeypatch.setattr("sys.stdin", stdin)
        with pytest.raises(ServeError, match="the server has stopped by itself"):
            serve(reloader, Server())
        assert termios.tcgetattr(terminal)[3] & termios.ECHO

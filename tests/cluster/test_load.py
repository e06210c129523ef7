"""The clients tell what failed from what was answered."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading

import pytest

from load import Load
from waiting import until


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(502 if self.path == "/bad" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def port():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_other_statuses_than_200_have_failed(port):
    with Load(port, ["/", "/bad"]) as load:
        until(lambda: load.answered > 4 and len(load.failed) > 4, "both answers")
    assert {line.partition(" ")[2] for line in load.failed} == {"/bad: status 502"}
    assert str(load).startswith(f"{len(load.failed)} of {load.answered + len(load.failed)} failed, the slowest took ")


def test_a_connection_that_is_refused_has_failed():
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with Load(port, ["/"]) as load:
        until(lambda: load.failed, "a failure")
    assert load.answered == 0
    assert "ConnectionRefusedError" in load.failed[0]

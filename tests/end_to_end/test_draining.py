"""From TERM on a server serves on for a while, says that it is not ready, and lets its connections end."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import subprocess

import pytest

APP = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
TOML = """\
[mounts]
"/" = "answer"
"/group" = { app = "answer", group = "apart" }
[groups.apart]
[server]
manage = "127.0.0.1:@port@"
drain_seconds = @seconds@
[gunicorn]
workers = 2
"""


@pytest.fixture
def start_draining(write, run):
    """Start a server, keep a connection to it, and ask it to stop."""

    def start(seconds):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        write("answer.py", APP)
        write("multiserve.toml", TOML.replace("@port@", str(port)).replace("@seconds@", str(seconds)))
        server = run("--production").ready()

        def is_ready():
            browser = server.browser()
            browser.address = f"127.0.0.1:{port}"
            return browser.get("/readyz").status

        server.until(lambda: is_ready() == 200, "readiness")
        kept = http.client.HTTPConnection(server.address, timeout=30)
        assert ask(kept, "/") == (200, None)
        server.signal("SIGTERM")
        server.until(lambda: is_ready() == 503, "503")
        return server, kept

    return start


def ask(connection, path):
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers["Connection"]


def test_all_is_served_until_the_second_signal(start_draining):
    server, kept = start_draining(600)
    server.until(lambda: server.ask(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").status == 200, "an answer that ends")
    assert ask(kept, "/group") == (200, "close")
    kept.close()
    assert server.get("/").status == 200  # over a new connection
    server.signal("SIGHUP")
    server.until_logged("The server is stopping, and does not reload.")
    server.signal("SIGTERM")
    assert server.wait() == 0


def test_it_stops_when_the_time_is_over(start_draining):
    server, kept = start_draining(3)
    kept.close()
    assert server.wait() == 0


HAPROXY = """
global
    stats socket @stats@
defaults
    mode http
    timeout connect 10s
    timeout client 30s
    timeout server 30s
frontend front
    bind 127.0.0.1:@front@
    default_backend site
backend site
    option httpchk GET /readyz
    http-check expect status 200
    server first 127.0.0.1:@first@ check port @manage-first@ inter 200 fall 1 rise 1
    server second 127.0.0.1:@second@ check port @manage-second@ inter 200 fall 1 rise 1
"""
NAMES = ("front", "first", "second", "manage-first", "manage-second")


def free_ports(names):
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in names]
        return {name: str(each.getsockname()[1]) for name, each in zip(names, taken, strict=True)}


def filled(text, values):
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def are_up(stats):
    """Return whether haproxy sends requests to both servers."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(stats))
        client.sendall(b"show stat\n")
        shown = b"".join(iter(lambda: client.recv(65536), b"")).decode()
    return shown.count(",UP,") == 3  # the second one, the first one, and the backend


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="no haproxy on PATH")
def test_a_restart_behind_haproxy_loses_nothing(write, run, start, tmp_path):
    ports = free_ports(NAMES)
    write("answer.py", APP)
    write("multiserve.toml", '[mounts]\n"/" = "answer"\n[server]\ndrain_seconds = 2\n[gunicorn]\nworkers = 1\n')
    stats = tmp_path / "stats.sock"
    configuration = write("haproxy.cfg", filled(HAPROXY, ports | {"stats": str(stats)}))

    def serve(name):
        manage = f"127.0.0.1:{ports[f'manage-{name}']}"
        return run("--production", "--port", ports[name], "--manage", manage, port=False).ready()

    first, second = serve("first"), serve("second")
    haproxy = subprocess.Popen(["haproxy", "-db", "-f", str(configuration)], stderr=subprocess.DEVNULL)
    try:
        front = start("--version", cwd=tmp_path)
        front.address = f"127.0.0.1:{ports['front']}"
        front.until(lambda: are_up(stats), "haproxy")
        with front.load(["/"], clients=4) as load:
            for server, name in ((first, "first"), (second, "second")):
                server.until(lambda seen=load.count: load.count > seen + 100, "requests")
                server.signal("SIGTERM")
                assert server.wait() == 0
                serve(name)
                front.until(lambda: are_up(stats), "haproxy to notice")
            front.until(lambda seen=load.count: load.count > seen + 100, "requests")
        assert load.failures == []
    finally:
        haproxy.terminate()
        haproxy.wait(30)

"""The WSGI server of development is werkzeug's `run_simple`, on a socket that is handed to it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

SERVING = """\
import json, os, socket, subprocess, sys, threading
from multiserve.servers.development import wsgi_server

def application(environ, start_response):
    start_response("200 OK", [])
    port = listener.getsockname()[1]
    held = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, close_fds=False).stdout
    seen = {name: os.environ.get(name) for name in ("WERKZEUG_RUN_MAIN", "WERKZEUG_SERVER_FD")}
    seen |= {"held": port in json.loads(held), "multithread": environ["wsgi.multithread"]}
    seen |= {"multiprocess": environ["wsgi.multiprocess"]}
    seen |= {"main": threading.current_thread() is threading.main_thread()}
    return [json.dumps(seen).encode()]

LIST = '''
import json, os, socket
ports = []
for name in os.listdir("/dev/fd"):
    try:
        ports.append(socket.socket(fileno=os.dup(int(name))).getsockname()[1])
    except (OSError, IndexError):
        pass
print(json.dumps(ports))
'''
calls = []
def run_simple(*args, **options):
    calls.append(sorted(options))
    return real(*args, **options)
real, wsgi_server.run_simple = wsgi_server.run_simple, run_simple

listener = socket.create_server((sys.argv[1], 0), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
print(listener.getsockname()[1], flush=True)
wsgi_server.WSGIServer(application, listener, 30, threaded=sys.argv[2] == "threaded").serve_forever()
print(calls, flush=True)
"""


def ask(host: str, port: int) -> dict[str, object]:
    with socket.create_connection((host, port), timeout=30) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        data = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    return json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("threads", ["threaded", "single"])
@pytest.mark.parametrize("main", [None, "true"])
def test_run_simple_serves_on_the_socket_that_it_is_handed(host, threads, main):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WERKZEUG_")}
    environment |= {"WERKZEUG_RUN_MAIN": main} if main else {}
    with subprocess.Popen(
        [sys.executable, "-c", SERVING, host, threads],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            port = int(process.stdout.readline())
            seen = ask(host, port)
            again = ask(host, port)
        finally:
            process.send_signal(2)
        out, err = process.communicate(timeout=30)
    assert seen == again
    assert seen == {
        "WERKZEUG_RUN_MAIN": main,
        "WERKZEUG_SERVER_FD": None,
        "held": False,  # processes that the application starts do not keep the port
        "multithread": threads == "threaded",
        "multiprocess": False,
        "main": threads == "single",
    }
    assert out == "[['request_handler', 'ssl_context', 'threaded']]\n"
    assert "Running on" not in err
    assert "development server" not in err
    assert process.returncode == 0

"""`multiserve run --https`, and clients that speak HTTPS to a port that serves HTTP."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import time

import pytest
from websockets.sync.client import connect

URL = re.compile(r"https://127\.0\.0\.1:([1-9]\d*)/")
ASGI = """\
async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": f"@name@ by {scope['scheme']}"})
        await send({"type": "websocket.close"})
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": f"@name@ by {scope['scheme']}".encode()})
"""
WSGI = """\
def app(environ, start_response):
    start_response("200 OK", [])
    return [f"@name@ by {environ['wsgi.url_scheme']}".encode()]
"""
BY_KIND = {"wsgi": WSGI, "asgi": ASGI}
TOML = '[mounts]\n"/" = "one:app"\n"api.test" = "one:app"\n'


@pytest.fixture(params=["wsgi", "asgi"])
def source(request):
    return lambda name: BY_KIND[request.param].replace("@name@", name)


@pytest.fixture
def cache(tmp_path_factory):
    """Give a folder for certificates, and a PATH without mkcert."""
    folder = str(tmp_path_factory.mktemp("cache"))
    return {"XDG_CACHE_HOME": folder, "XDG_DATA_HOME": f"{folder}/data", "PATH": ""}


@pytest.fixture
def serve(run, write, source, cache):
    """Serve HTTPS; give the server, and how to get a page from it as a given host."""
    pytest.importorskip("cryptography")

    def serve(*arguments, text=TOML):
        write("one.py", source("one"))
        write("multiserve.toml", text)
        server = run(*arguments, env=cache)
        port = int(server.until(lambda: URL.search(server.log), "an https:// URL in the banner")[1])
        context = ssl.create_default_context(cafile=f"{cache['XDG_DATA_HOME']}/multiserve/https/ca.pem")

        def get(path="/", host="127.0.0.1"):
            with contextlib.closing(_Client(host, port, context)) as client:
                client.request("GET", path, headers={"Connection": "close"})
                response = client.getresponse()
                return response.status, response.read().decode()

        server.until(get, "an answer")
        return server, port, context, get

    return serve


class _Client(http.client.HTTPSConnection):
    """A client that asks this machine, whatever the host is."""

    def __init__(self, host, port, context):
        super().__init__(host, port, context=context, timeout=30)
        self._create_connection = lambda address, *_: socket.create_connection(("127.0.0.1", address[1]), timeout=30)


def test_it_serves_https_on_every_host_of_the_table_and_reloads(serve, write, source):
    server, port, _, get = serve("--https")
    for host in ("127.0.0.1", "localhost", "api.test"):
        assert get(host=host) == (200, "one by https")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        get(host="other.test")
    assert f"https://api.test:{port}/" in server.log
    assert "The browser trusts the certificate once you import " in server.log
    write("one.py", source("two"))
    server.until(lambda: get() == (200, "two by https"), "the saved file")
    assert server.log.count("The browser trusts the certificate once you import ") == 1


def test_it_serves_https_without_the_reloader_too(serve):
    *_, get = serve("--https", "--no-reload")
    assert get() == (200, "one by https")


def test_the_file_may_say_it(serve):
    *_, get = serve(text=f"{TOML}[development]\nhttps = true\n")
    assert get() == (200, "one by https")


def test_a_process_that_has_ended_is_told_over_https(serve, write, source):
    server, _, _, get = serve("--https")
    write("one.py", "import os\nos._exit(3)\n")
    server.until(lambda: get()[0] == 503, "the answer of the parent")
    assert "has ended with exit code 3" in get()[1]
    write("one.py", source("mended"))
    server.until(lambda: get() == (200, "mended by https"), "the mended file")


def test_https_that_comes_with_a_save_is_told_and_also_spoken_by_the_parent(run, write, source, cache):
    pytest.importorskip("cryptography")
    write("one.py", source("one"))
    write("multiserve.toml", TOML)
    server = run(env=cache).ready()
    assert server.get("/").text == "one by http"
    write("multiserve.toml", f"{TOML}[development]\nhttps = true\n")
    server.until_logged("The browser trusts the certificate once you import ")
    write("one.py", "import os\nos._exit(3)\n")
    server.until_logged("has ended with exit code 3: waiting for a change.")
    port = int(server.origin.rpartition(":")[2])
    context = ssl.create_default_context(cafile=f"{cache['XDG_DATA_HOME']}/multiserve/https/ca.pem")
    with contextlib.closing(_Client("127.0.0.1", port, context)) as client:
        client.request("GET", "/", headers={"Connection": "close"})
        assert "has ended with exit code 3" in client.getresponse().read().decode()


@pytest.mark.parametrize("source", ["asgi"], indirect=True)
def test_websockets_come_over_https(serve):
    _, port, context, _ = serve("--https")
    with connect(f"wss://127.0.0.1:{port}/", ssl=context, proxy=None) as client:
        assert client.recv(20) == "one by wss"


def test_http_on_a_port_of_https_is_told_in_one_line(serve):
    server, port, _, get = serve("--https")
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            client.recv(100)
    server.until_logged(f"\nA client spoke HTTP to a port that serves HTTPS: open https://127.0.0.1:{port}/ instead.\n")
    assert get() == (200, "one by https")


@pytest.mark.parametrize("mode", [(), ("--production", "--workers", "1")], ids=["development", "production"])
def test_https_on_a_port_of_http_is_told_in_one_line_at_once(run, write, source, mode):
    write("one.py", source("one"))
    write("multiserve.toml", TOML)
    server = run(*mode).ready()
    before = server.log
    began = time.monotonic()
    with pytest.raises(ssl.SSLError, match=r"(?i)wrong.version.number"), server.connect() as client:
        ssl.create_default_context().wrap_socket(client, server_hostname="127.0.0.1")
    assert time.monotonic() - began < 10  # without a timeout of either side
    server.until_logged("A client spoke HTTPS")
    (line,) = [each for each in server.log.removeprefix(before).splitlines() if "GET /" not in each]
    said = f"A client spoke HTTPS to a port that serves HTTP: open {server.origin}/ instead."
    assert line.endswith(f"[WARNING] {said}") if mode else line == said
    assert line.isprintable()
    assert server.get("/").text == "one by http"


def test_without_a_place_for_the_certificate_it_does_not_start(run, write, source, tmp_path):
    write("one.py", source("one"))
    write("multiserve.toml", TOML)
    (tmp_path / "file").write_text("")
    server = run("--https", env={"XDG_CACHE_HOME": str(tmp_path / "file"), "PATH": ""})
    assert server.wait() == 3
    assert server.log == (
        f"Error: the certificate for HTTPS cannot be kept in {tmp_path}/file/multiserve/https: Not a directory\n"
        "    Set XDG_CACHE_HOME to a folder that is yours alone.\n"
    )

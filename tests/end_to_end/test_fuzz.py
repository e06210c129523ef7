"""Requests made at random: none makes the dispatcher or a server fail, or harms the next one."""

from __future__ import annotations

import contextlib
import os
import random
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

# Both answer every request, so that a 500 can only come from the dispatcher or the server.
APPS = """\
import os

def wsgi(environ, start_response):
    body = environ["wsgi.input"].read()
    where = environ["SCRIPT_NAME"] + environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {where!a} {len(body)}".encode()]

async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
        return
    length = 0
    while (event := await receive())["type"] == "http.request":
        length += len(event["body"])
        if not event["more_body"]:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": f"{scope['path']!a} {length}".encode()})
            return
"""
WSGI_MOUNTS = """\
"/" = "apps:wsgi"
"/a" = "apps:wsgi"
"/a/bé" = "apps:wsgi"
"example.com" = "apps:wsgi"
"*.example.com/x" = "apps:wsgi"
"example.com:81" = "apps:wsgi"
"""
MOUNTS = {
    "production": f'{WSGI_MOUNTS}"/c" = "apps:asgi"\n"c.example.com" = "apps:asgi"\n',
    "development": WSGI_MOUNTS,
}
SETTINGS = "[server]\nclient_timeout = 1\n[gunicorn]\nworkers = 1\nkeepalive = 1\n"
HOW = {"production": ["--production"], "development": ["--no-reload", "--no-debugger"]}
CLIENTS = 12
ATTACKS = 50  # of each client

METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "get", "G@T", "", "CONNECT", "X" * 30, "PRI", "\x00"]
TARGETS = [
    "/", "/a", "/a/", "/a/b%C3%A9", "/a/b%C3%A9/x", "/ab", "/c/x", "/c/../a", "//a", "//[", "*", "", "a", "/%",
    "/%zz", "/%00", "/\xff", "/%ff%fe", "/a?b=c#d", "http://example.com/a", "http://[::1/", "http://[::1]:99999/",
    "http:///", "http://c.example.com", "https://example.com:81/x", "example.com:80", "/" + "a/" * 500, "/;", "/a b",
    "http://\xe4/", "?", "#",
]  # fmt: skip
VERSIONS = ["HTTP/1.1"] * 8 + ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.", "http/1.1", ""]
HOSTS = [
    "x", "example.com", "EXAMPLE.com.", "example.com:81", "a.example.com", "c.example.com", ".example.com",
    "example.com:", "", "example.com:abc", "example.com:80@evil", "[::1]", "[::1", "]", "a..b", "xn--",
    "\xe4.example.com", "*", "{t}", "a" * 300, ":", "example.com:99999999999", "[v1.x]", "::1", "a,b", "a b",
]  # fmt: skip
NAMES = [
    "Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "X-Forwarded-For",
    "X-Forwarded-Host", "X-Forwarded-Proto", "Script_Name", "SCRIPT-NAME", "Path-Info", "Cookie", "Sec-WebSocket-Key",
    "Sec-WebSocket-Version", "Accept", "Content-Type", "", " X", "X ", "X\xe4", "Te", "Trailer", "Forwarded", "Range",
]  # fmt: skip
VALUES = [
    "", "0", "5", "-1", "5, 5", "1e3", "99999999999999999999", "chunked", "gzip, chunked", "identity", "close",
    "keep-alive", "upgrade", "websocket", "h2c", "100-continue", "200-ok", "/a", "https", "dGhlIHNhbXBsZSBub25jZQ==",
    "13", "\x00", "\xff" * 20, "a" * 9000, "for=1.2.3.4;host=a", "\t", "x\r\n y", "x\ny",
]  # fmt: skip
BODIES = [
    "", "", "", "hello",
    "5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n", "zz\r\n", '5;x="y"\r\nhello\r\n0\r\nA: b\r\n\r\n', "\x00" * 9,
]  # fmt: skip
ENDS = ["\r\n"] * 12 + ["\n", "\r", "\r\r\n", ""]


@pytest.fixture(
    scope="module", params=[pytest.param(kind, marks=pytest.mark.xdist_group(f"fuzz-{kind}")) for kind in MOUNTS]
)
def server(request, start_for_module, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "apps.py").write_text(APPS)
    (folder / "multiserve.toml").write_text(f"[mounts]\n{MOUNTS[request.param]}{SETTINGS}", "utf-8")
    return start_for_module("run", *HOW[request.param], "--port", "0", cwd=folder).ready()


def make_request(chance):
    """Make a request, mostly a right one with a few things wrong with it."""
    end = chance.choice(ENDS)
    lines = [" ".join((chance.choice(METHODS), chance.choice(TARGETS), chance.choice(VERSIONS)))]
    if chance.random() < 0.9:
        lines.append(f"Host: {chance.choice(HOSTS)}")
    if chance.random() < 0.5:  # a request that is right in all but its target and its host
        lines[0] = f"{chance.choice(METHODS[:5])} {chance.choice(TARGETS)} HTTP/1.1"
    else:
        lines += [f"{chance.choice(NAMES)}: {chance.choice(VALUES)}" for _ in range(chance.randrange(5))]
    lines += ["Connection: close"] * (chance.random() < 0.7)
    data = (end.join((*lines, "", "")) + chance.choice(BODIES)).encode("latin-1")
    if chance.random() < 0.2:  # bytes that are changed, left out or doubled
        place = chance.randrange(len(data))
        data = data[:place] + bytes([chance.randrange(256)]) * chance.randrange(3) + data[place + chance.randrange(2) :]
    return data[: chance.randrange(len(data))] if chance.random() < 0.05 else data


def attack(server, seed):
    """Send requests; give the number of each status, and what got a status of 500 or more, but for 501."""
    chance = random.Random(seed)
    counts, bad = {}, []
    for _ in range(ATTACKS):
        data = b"".join(make_request(chance) for _ in range(chance.choice((1, 1, 1, 2, 3))))
        with server.connect() as connection:
            received = exchange(connection, data)
        found = re.findall(rb"^HTTP/1\.[01] (\d{3}) ", received, re.MULTILINE) or [b"closed"]
        for status in found:
            counts[status.decode()] = counts.get(status.decode(), 0) + 1
        if {b"500", b"502", b"503", b"504"} & set(found):
            bad.append((seed, data, received))
    return counts, bad


def exchange(connection, data):
    received = b""
    connection.settimeout(0.3)  # a request that is not complete is left at that
    with contextlib.suppress(ConnectionError, TimeoutError):
        connection.sendall(data)
        while part := connection.recv(65536):
            received += part
    return received


def test_no_request_makes_the_dispatcher_fail_or_the_server_stop(server):
    worker = server.get("/").text.split()[0]
    first = int(os.environ.get("MULTISERVE_FUZZ_SEED", "1"))
    with ThreadPoolExecutor(CLIENTS) as pool:
        results = list(pool.map(lambda seed: attack(server, seed), range(first, first + CLIENTS)))
    counts = {}
    for found, bad in results:
        assert bad == []
        for status, count in found.items():
            counts[status] = counts.get(status, 0) + count
    assert counts["200"] > 50, counts  # they get past the parser
    assert counts["400"] > 50, counts
    assert "Traceback" not in server.log
    assert server.get("/").text == f"{worker} '/' 0"
    assert server.get("/a/b%C3%A9/x", Host="example.com").status == 200

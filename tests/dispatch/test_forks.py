"""A process that is forked in a request and comes back ends, in whichever way the application is called."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("fcntl", reason="Windows does not fork")

HEAD = """
import asyncio, os, sys
from multiserve.dispatch.answers import not_found
from multiserve.keys import parse_key
from multiserve.routing import Router


def application(environ, start_response):
    pid = os.fork()
    if pid:
        status = os.waitpid(pid, 0)[1]
        start_response("200 OK", [])
        return [b"the child ended with %d" % status]
    {fate}
    start_response("200 OK", [])
    return [b"the child answers"]


def say(text):
    os.write(1, text)  # at once: a child has no time to flush
"""

WAYS = {
    "the dispatcher": """
from multiserve.dispatch.wsgi import WSGIDispatcher
dispatcher = WSGIDispatcher(Router([(parse_key("/"), application)]), not_found().wsgi)
say(b"".join(dispatcher({"PATH_INFO": "/"}, lambda *_: None)))
""",
    "a wrapper that calls it late": """
from multiserve.dispatch.forks import leaving_after_fork
def late(environ, start_response):
    yield from leaving_after_fork(application)(environ, start_response)
say(b"".join(late({}, lambda *_: None)))
""",
    "the bridge": """
from multiserve.dispatch.bridge import WSGIBridge
from multiserve.dispatch.threads import ThreadPool
async def send(message):
    say(message.get("body", b""))
scope = {
    "type": "http", "method": "GET", "path": "/", "headers": [], "http_version": "1.1", "query_string": b"",
}
async def receive():
    await asyncio.Event().wait()
asyncio.run(WSGIBridge(application, ThreadPool(1, "x").submit)(scope, receive, send))
""",
    "the ASGI dispatcher": """
from multiserve.dispatch.asgi import ASGIDispatcher, ASGIMount
from multiserve.dispatch.lifespan import Lifespans
async def asgi(scope, receive, send):
    body = application({}, lambda *_: None)[0]
    if body.startswith(b"the child ended"):
        say(body)
mount = ASGIMount(http=asgi, websocket=asgi)
dispatcher = ASGIDispatcher(Router([(parse_key("/"), mount)]), Lifespans([], [], 1), not_found(), 1)
asyncio.run(dispatcher({"type": "http", "path": "/", "method": "GET", "headers": []}, None, None))
say(b"")
""",
}
FATES = {
    "returns": "pass",
    "raises": "raise ValueError",
    "exits": "sys.exit(3)",
}


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("way", WAYS)
def test_a_forked_process_that_comes_back_ends(way: str, fate: str) -> None:
    script = HEAD.replace("{fate}", FATES[fate]) + WAYS[way]
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    assert done.stdout == b"the child ended with 0"
    assert b"was forked in a request, and ends: only its parent answers." in done.stderr
    assert done.returncode == 0

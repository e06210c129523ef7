"""The near end of a group: what is handed on, and what is answered where nobody serves."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path

import pytest

from multiserve.mounts.grouped.envelope import HEADER, unpack
from multiserve.mounts.grouped.proxy import DOWN, GroupProxy

SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/outer/old/x",
    "raw_path": b"/outer/old/x",
    "query_string": b"",
    "root_path": "/outer/old",
    "headers": [(b"host", b"example.com")],
    "client": ("192.0.2.1", 1),
    "server": ("127.0.0.1", 80),
}


class Asked:
    """What a request came to."""

    def __init__(self):
        self.messages = []
        self.heads = []

    @property
    def status(self):
        return self.messages[0]["status"]

    @property
    def body(self):
        return b"".join(message["body"] for message in self.messages[1:]).decode()

    @property
    def is_complete(self):
        return len(self.messages) > 1 and not self.messages[-1].get("more_body", False)


def ask(answer, scope=SCOPE, *, down=None, segments=1, has_tenants=False, details=False):
    """Ask a group whose process sends an answer; None for a process that does not listen."""

    async def main():
        asked = Asked()
        body_ended = False

        async def serve(reader, writer):
            asked.heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer)
            writer.close()
            await writer.wait_closed()

        async def receive():
            nonlocal body_ended
            if body_ended:
                await asyncio.Event().wait()
            body_ended = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            asked.messages.append(message)

        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            path = f"{folder}/1.sock"
            if down is not None:
                Path(f"{path}{DOWN}").write_text(down)  # noqa: ASYNC240 (nothing else runs yet)
            listening = await asyncio.start_unix_server(serve, path) if answer is not None else None
            proxy = GroupProxy(path, "/old", "legacy", segments, has_tenants=has_tenants, details=details)
            async with asyncio.timeout(20):
                await proxy(scope, receive, send)
                await proxy.close()
            if listening is not None:
                listening.close()
                await asyncio.sleep(0)
        return asked

    return asyncio.run(main())


WHOLE = [
    pytest.param("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", id="a body"),
    pytest.param("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", id="no body"),
    pytest.param("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204, "", id="204"),
    pytest.param("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", 304, "", id="304"),
    pytest.param("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 200, "", id="HEAD"),
]


@pytest.mark.parametrize(("method", "answer", "status", "body"), WHOLE)
def test_a_response_is_handed_back_whole(method, answer, status, body):
    asked = ask(answer, {**SCOPE, "method": method})
    assert (asked.status, asked.body, asked.is_complete) == (status, body, True)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ROOTS = [
    pytest.param("/outer/old", 1, "/outer", id="behind a proxy with a prefix"),
    pytest.param("/old", 1, "", id="at a prefix"),
    pytest.param("/u/jane doe", 2, "", id="at a prefix of two segments"),
    pytest.param("", 0, "", id="at the root"),
    pytest.param("/outer", 0, "/outer", id="at the root, behind a proxy with a prefix"),
]


@pytest.mark.parametrize(("root_path", "segments", "before"), ROOTS)
def test_the_prefix_is_taken_off_as_the_group_routes_for_itself(root_path, segments, before):
    asked = ask(OK, {**SCOPE, "root_path": root_path}, segments=segments)
    (head,) = asked.heads
    lines = head.decode().split("\r\n")
    assert lines[:2] == ["GET / HTTP/1.1", "Host: group"]
    name, _, packed = lines[2].partition(": ")
    assert name == HEADER
    found = unpack(packed)
    assert (found["root_path"], found["path"], found["headers"]) == (
        before,
        "/outer/old/x",
        [(b"host", b"example.com")],
    )


def test_nothing_that_a_client_sends_becomes_a_header_of_the_connection():
    headers = [(b"host", b"a"), (b"multiserve-scope", b"{}"), (b"connection", b"close"), (b"x-a", b"1\xff")]
    (head,) = ask(OK, {**SCOPE, "headers": headers}).heads
    assert head.count(b"\r\n") == 4  # the request line, two headers and the empty line
    assert unpack(head.decode().split("\r\n")[2].partition(": ")[2])["headers"] == headers


def test_the_target_of_options_goes_to_the_group_as_well():
    asked = ask(OK, {**SCOPE, "method": "OPTIONS", "path": "*", "raw_path": b"*", "root_path": ""}, segments=0)
    assert asked.status == 200


DOWN_TITLE = "Service Unavailable: the process of the group legacy, which serves /old, is down.\n"


@pytest.mark.parametrize(("details", "more"), [(False, ""), (True, "\nno such module\n")], ids=["users", "developers"])
def test_a_group_that_is_down_is_not_asked(details, more):
    asked = ask(OK, down="no such module", details=details)
    assert (asked.status, asked.body, asked.heads) == (503, DOWN_TITLE + more, [])


def test_a_process_that_ends_before_it_answers_is_told_from_a_group_that_is_down(caplog):
    with caplog.at_level(logging.ERROR, "multiserve"):
        asked = ask(b"")
    assert (asked.status, asked.body) == (502, "Bad Gateway: the process that serves /old ended before it answered.\n")
    assert caplog.messages == ["/old: the process of the group legacy closed the connection without an answer."]


def test_a_socket_that_nobody_listens_at_is_an_answer_too(caplog):
    assert ask(None).status == 502
    assert caplog.messages == ["/old: the process of the group legacy takes no connections: No such file or directory."]

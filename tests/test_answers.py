"""Answers in place of an application, over WSGI as its validator wants them, and over ASGI event by event."""

from __future__ import annotations

import asyncio
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from multiserve.mounts.answers import Answer, broken, not_found, starting

NOT_FOUND = "Not Found: no mount answers this URL.\n"
BROKEN = "Service Unavailable: the application at /admin could not be loaded.\n"
STARTING = "Service Unavailable: the application at /admin is still starting.\n"
UNAVAILABLE = "503 Service Unavailable"
NO_STORE = {"Cache-Control": "no-store"}

ANSWERS = [
    pytest.param(not_found(), "404 Not Found", {}, NOT_FOUND, id="no mount"),
    pytest.param(
        not_found(["/admin", "/café"]), "404 Not Found", {}, f"{NOT_FOUND}\nThe mounts are:\n    /admin\n    /café\n",
        id="no mount, in development",
    ),
    pytest.param(broken("/admin"), UNAVAILABLE, NO_STORE, BROKEN, id="a broken mount"),
    pytest.param(
        broken("/admin", "ZeroDivisionError: é\n"), UNAVAILABLE, NO_STORE, f"{BROKEN}\nZeroDivisionError: é\n",
        id="a broken mount, in development",
    ),
    pytest.param(
        broken("/admin", "no \udcff"), UNAVAILABLE, NO_STORE, f"{BROKEN}\nno ?\n", id="details that are not UTF-8"
    ),
    pytest.param(
        starting("/admin"), UNAVAILABLE, {**NO_STORE, "Retry-After": "10"}, STARTING, id="a mount that starts"
    ),
]  # fmt: skip


def whole(headers: dict[str, str], text: str) -> dict[str, str]:
    """Give all headers of an answer with this text."""
    return {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(text.encode())),
        "X-Content-Type-Options": "nosniff",
        **headers,
    }


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize(("answer", "status", "headers", "text"), ANSWERS)
def test_the_answer_over_wsgi(answer: Answer, status: str, headers: dict[str, str], text: str, method: str) -> None:
    environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    environ["PATH_INFO"] = "/"
    started: list[tuple[str, dict[str, str]]] = []
    response = validator(answer.wsgi)(environ, lambda status, headers, _=None: started.append((status, dict(headers))))  # type: ignore[arg-type,func-returns-value]
    body = b"".join(response)
    response.close()  # type: ignore[attr-defined]
    assert started == [(status, whole(headers, text))]
    assert body.decode() == ("" if method == "HEAD" else text)


def test_the_headers_of_one_answer_are_not_those_of_the_next() -> None:
    answer = not_found()

    def start_response(_: str, headers: list[tuple[str, str]]) -> None:
        headers.append(("X-Added", "by a server"))  # PEP 3333 lets it

    answer.wsgi({}, start_response)  # type: ignore[arg-type]
    assert ("X-Added", "by a server") not in answer.headers


def events(answer: Answer, scope: dict[str, Any]) -> list[dict[str, Any]]:
    """Give what the answer sends over ASGI; it may wait for one event, as every server has one."""
    waiting = [{"type": "websocket.connect" if scope["type"] == "websocket" else "http.request"}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(answer.asgi(scope, receive, send))
    return sent


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize(("answer", "status", "headers", "text"), ANSWERS)
def test_the_answer_over_asgi(answer: Answer, status: str, headers: dict[str, str], text: str, method: str) -> None:
    lower = [(name.lower().encode(), value.encode()) for name, value in whole(headers, text).items()]
    assert events(answer, {"type": "http", "method": method}) == [
        {"type": "http.response.start", "status": int(status[:3]), "headers": lower},
        {"type": "http.response.body", "body": b"" if method == "HEAD" else text.encode()},
    ]


@pytest.mark.parametrize(
    "extensions",
    [
        pytest.param({}, id="without extensions"),
        pytest.param({"extensions": None}, id="no extensions"),
        pytest.param({"extensions": {"http.response.push": {}}}, id="another extension"),
    ],
)
def test_a_websocket_is_closed_before_it_is_accepted(extensions: dict[str, Any]) -> None:
    assert events(not_found(), {"type": "websocket", **extensions}) == [{"type": "websocket.close"}]


@pytest.mark.parametrize(("answer", "status", "headers", "text"), ANSWERS)
def test_a_websocket_is_denied_where_the_server_can_do_it(
    answer: Answer, status: str, headers: dict[str, str], text: str
) -> None:
    lower = [(name.lower().encode(), value.encode()) for name, value in whole(headers, text).items()]
    assert events(answer, {"type": "websocket", "extensions": {"websocket.http.response": {}}}) == [
        {"type": "websocket.http.response.start", "status": int(status[:3]), "headers": lower},
        {"type": "websocket.http.response.body", "body": text.encode()},
    ]

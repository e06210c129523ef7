from __future__ import annotations

import asyncio
from typing import Any

import pytest

from multiserve.dispatch.absolute_form import find_authority
from multiserve.dispatch.answers import not_found
from multiserve.dispatch.asgi import ASGIDispatcher, ASGIMount
from multiserve.dispatch.lifespan import Lifespans
from multiserve.dispatch.wsgi import WSGIDispatcher
from multiserve.keys import parse_key
from multiserve.routing import Router

KEYS = ("/", "/admin", "example.com/x")
REFUSED = b"Bad Request: the request target has no valid host.\n"


def over_asgi(path: str, raw_path: bytes | None, kind: str = "http") -> tuple[Any, list[dict[str, Any]]]:
    """Dispatch a request; return the mount and the scope that it saw, or None, and what was sent."""
    seen: list[Any] = []
    sent: list[dict[str, Any]] = []

    def mount(key: str) -> ASGIMount:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            seen.append((key, scope))

        return ASGIMount(http=application, websocket=application)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    router = Router((parse_key(key), mount(key)) for key in KEYS)
    scope = {"type": kind, "path": path, "raw_path": raw_path, "method": "GET", "root_path": ""}
    scope["headers"] = [(b"accept", b"*/*"), (b"host", b"front.test")]
    asyncio.run(ASGIDispatcher(router, Lifespans([], [], 1), not_found(), 1)(scope, receive, send))
    return (seen[0] if seen else None), sent


def over_wsgi(path: str, target: str) -> tuple[Any, list[str]]:
    seen: list[Any] = []
    started: list[str] = []

    def mount(key: str) -> Any:
        def application(environ: Any, _: Any) -> list[bytes]:
            seen.append((key, environ))
            return []

        return application

    router = Router((parse_key(key), mount(key)) for key in KEYS)
    environ = {"PATH_INFO": path, "RAW_URI": target, "HTTP_HOST": "front.test", "REQUEST_METHOD": "GET"}
    dispatcher = WSGIDispatcher(router, not_found().wsgi)
    body = b"".join(dispatcher(environ, lambda status, *_: started.append(status)))  # type: ignore[arg-type,func-returns-value]
    return (seen[0] if seen else None), [*started, *([body.decode()] if body else [])]


TARGETS = [
    pytest.param("http://example.com/x/y", "example.com/x", "/x/y", id="a host"),
    pytest.param("http://localhost:8000/admin/secret", "/admin", "/admin/secret", id="a host without mounts"),
    pytest.param("http://localhost/a%2Fb", "/", "/a/b", id="an escape in the path"),
    pytest.param("http://localhost//admin", "/", "//admin", id="two slashes"),
    pytest.param("http://localhost/a:b@c", "/", "/a:b@c", id="an authority in the path"),
    pytest.param("HTTP://EXAMPLE.com:80/x", "example.com/x", "/x", id="capitals and a port"),
    pytest.param("http://[::1]:8000/admin", "/admin", "/admin", id="an address"),
]


@pytest.mark.parametrize(("target", "mount", "path"), TARGETS)
def test_the_authority_replaces_the_host_header(target: str, mount: str, path: str) -> None:
    authority, begin, rest = target.split("/", 3)[2:][0], target.split("/", 3)[:3], target.split("/", 3)[3]
    reached, _ = over_wsgi(path, target)
    assert (reached[0], reached[1]["HTTP_HOST"]) == (mount, authority)
    decoded = "/".join([*begin, path.removeprefix("/")])
    reached, _ = over_asgi(decoded, target.encode())
    assert (reached[0], reached[1]["path"], reached[1]["raw_path"]) == (mount, path, f"/{rest}".encode())
    assert reached[1]["headers"] == [(b"host", authority.encode()), (b"accept", b"*/*")]


WRONG = ["localhost%2fx", "localhost%3Fx", "user@localhost", "[::1", "", "localhost:abc", "a b", "evil\\.test"]


@pytest.mark.parametrize("authority", WRONG)
def test_an_authority_that_is_none_gets_400(authority: str) -> None:
    target = f"http://{authority}/admin/secret"
    assert over_wsgi("/admin/secret", target) == (None, ["400 Bad Request", REFUSED.decode()])
    reached, sent = over_asgi(target.replace("%2f", "/").replace("%3F", "?"), target.encode())
    assert (reached, sent[0]["status"], sent[1]["body"]) == (None, 400, REFUSED)
    reached, sent = over_asgi(target.replace("%2f", "/"), target.encode(), "websocket")
    assert (reached, sent) == (None, [{"type": "websocket.close"}])


def test_without_the_raw_target_the_decoded_one_is_split() -> None:
    reached, _ = over_asgi("http://localhost/admin/x", None)
    assert (reached[0], reached[1]["path"], reached[1]["raw_path"]) == ("/admin", "/admin/x", None)


@pytest.mark.parametrize(
    ("path", "raw_path"),
    [
        pytest.param("*", b"*", id="asterisk-form"),
        pytest.param("http://localhost/admin", b"http:%2f%2flocalhost/admin", id="slashes that are escaped"),
        pytest.param("admin/http://example.com", None, id="a URL that comes later"),
    ],
)
def test_what_is_no_absolute_form_stays_as_it_is(path: str, raw_path: bytes | None) -> None:
    reached, _ = over_asgi(path, raw_path)
    assert (reached[0], reached[1]["path"], reached[1]["raw_path"]) == ("/", path, raw_path)
    assert (b"host", b"front.test") in reached[1]["headers"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("HTTP://A.example:81/b?c", "A.example:81", id="as it is written"),
        pytest.param("http://[::1]?q", "[::1]", id="an address"),
        pytest.param("/a", None, id="a path"),
        pytest.param("http://a..b/", None, id="an empty label"),
        pytest.param("http://h:99999/", None, id="a port too high"),
        pytest.param("http://[1:2]/", None, id="half an address"),
    ],
)
def test_the_authority_of_a_target(target: str, expected: str | None) -> None:
    assert find_authority(target) == expected

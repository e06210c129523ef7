from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.mounts.stripping import strip_asgi, strip_wsgi

SEEN = """
seen = []
def app(environ, start_response):
    seen.append((environ["SCRIPT_NAME"], environ["PATH_INFO"]))
    start_response("200 OK", [])
    return []
async def asgi(scope, receive, send):
    seen.append((scope["type"], scope.get("root_path"), scope.get("path"), scope.get("raw_path")))
def make(name):
    return app
def outer(application):
    def watching(environ, start_response):
        seen.append(("outer", environ["SCRIPT_NAME"], environ["PATH_INFO"]))
        return application(environ, start_response)
    return watching
"""


@pytest.mark.parametrize(
    ("environ", "path"),
    [({"SCRIPT_NAME": "/a", "PATH_INFO": "/b"}, "/b"), ({"SCRIPT_NAME": "/a", "PATH_INFO": ""}, "/"), ({}, "/")],
    ids=["below", "bare", "nothing"],
)
def test_a_wsgi_application_sees_no_prefix(environ: dict[str, str], path: str) -> None:
    seen: list[Any] = []
    before = dict(environ)
    list(strip_wsgi(lambda given, _: seen.append(given) or [])(environ, lambda *_: lambda _: None))  # type: ignore[func-returns-value]
    assert (seen[0]["SCRIPT_NAME"], seen[0]["PATH_INFO"]) == ("", path)
    assert environ == before


@pytest.mark.parametrize(
    ("root_path", "path", "raw_path", "expected"),
    [
        pytest.param("/a", "/a/b", b"/a/b", ("/b", b"/b"), id="below"),
        pytest.param("/a", "/a", b"/a", ("/", b"/"), id="bare"),
        pytest.param("", "/a", b"/a", ("/a", b"/a"), id="no prefix"),
        pytest.param("/a", "/a/b c", b"/%61/b%20c", ("/b c", b"/b%20c"), id="escapes"),
        pytest.param("/caf\u00e9", "/caf\u00e9/x/y", b"/caf%C3%A9/x%2Fy", ("/x/y", b"/x%2Fy"), id="beyond ASCII"),
        pytest.param("/a", "/a/b", None, ("/b", None), id="no raw path"),
        pytest.param("/a", "/a/b c", b"/other", ("/b c", b"/b%20c"), id="another raw path"),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_an_asgi_application_sees_no_prefix(
    kind: str, root_path: str, path: str, raw_path: bytes | None, expected: tuple[str, bytes | None]
) -> None:
    seen: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    scope = {"type": kind, "root_path": root_path, "path": path, "raw_path": raw_path}
    before = dict(scope)
    asyncio.run(strip_asgi(application)(scope, None, None))  # type: ignore[arg-type]
    assert (seen[0]["root_path"], seen[0]["path"], seen[0]["raw_path"]) == ("", *expected)
    assert scope == before


def test_its_lifespan_is_as_it_was() -> None:
    seen: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    scope = {"type": "lifespan"}
    asyncio.run(strip_asgi(application)(scope, None, None))  # type: ignore[arg-type]
    assert seen == [scope]


@pytest.mark.usefixtures("clean_process")
def test_the_option_strips_below_the_middleware(write_config: Callable[[str], Path]) -> None:
    path = write_config(
        """
        [mounts]
        "/a" = { app = "seeing:app", strip = true, middleware = ["seeing:outer"] }
        "/b" = "seeing:app"
        "/u/{name}" = { app = "seeing:make", strip = true }
        """
    )
    (path.parent / "seeing.py").write_text(SEEN)
    composition = compose(load_config(path))
    assert composition.failures == ()
    for target in ("/a/x", "/b/x", "/u/ann/x"):
        list(composition.application({"PATH_INFO": target, "REQUEST_METHOD": "GET"}, lambda *_: lambda _: None))
    seen = composition.mounts[0].origin.__globals__["seen"]
    assert seen == [("outer", "/a", "/x"), ("", "/x"), ("/b", "/x"), ("", "/x")]

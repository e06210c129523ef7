"""What each kind of mount becomes, over either interface."""

from __future__ import annotations

import asyncio
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from multiserve._types import Interface
from multiserve.composition import Composition, compose
from multiserve.config.file import load_config
from multiserve.shortening import shorten_words

APPS = Path(__file__).parents[1] / "apps"

pytestmark = pytest.mark.usefixtures("clean_process")


@pytest.fixture
def composed(write_config: Callable[[str], Path]) -> Callable[..., Composition]:
    """Assemble the mounts of a text, beside the applications of the tests and a folder `web`."""

    def composed(text: str, **options: Any) -> Composition:
        path = write_config(text)
        for name in ("tenants.py", "middleware.py", "good.py", "asgi_app.py"):
            shutil.copy(APPS / name, path.parent)
        (path.parent / "web").mkdir(exist_ok=True)
        (path.parent / "web" / "page.txt").write_text("a page")
        return compose(load_config(path), **options)

    return composed


def get(composition: Composition, path: str, host: str = "localhost") -> tuple[int, str]:
    """Give status and body with the marks of middleware in front, over the interface that the set speaks."""
    if composition.interface == "asgi":
        return asyncio.run(_get_asgi(composition.application, path, host))
    told: list[Any] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SCRIPT_NAME": "", "HTTP_HOST": host}
    response = composition.application(environ, lambda *start: told.extend(start))
    body = b"".join(response)
    if hasattr(response, "close"):
        response.close()
    return int(told[0][:3]), _marks(told[1]) + body.decode()


def _marks(headers: list[tuple[str, str]]) -> str:
    return "".join(value for name, value in headers if name.lower() == "x-mark")


async def _get_asgi(application: Any, path: str, host: str) -> tuple[int, str]:
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": "GET",
        "http_version": "1.1",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", host.encode())],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(scope, receive, send)
    headers = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
    body = b"".join(message.get("body", b"") for message in sent[1:]).decode()
    return sent[0]["status"], _marks(headers) + body


MOUNTS = """
middleware = ["middleware:{mark}('1')"]

[mounts]
"/" = "{app}"
"/u/{{name}}" = {{ app = "tenants:{factory}", middleware = ["middleware:{mark}('2')"] }}
"{{name}}.example.com" = "tenants:{factory}"
"/static" = {{ static = "web", middleware = ["middleware:{mark}('3')", "middleware:{mark}('4')"] }}
"/old" = {{ redirect = "/new" }}
"""
WSGI = MOUNTS.format(mark="Mark", app="good:app", factory="create_app")
ASGI = MOUNTS.format(mark="ASGIMark", app="asgi_app:app", factory="asgi")


@pytest.mark.parametrize(
    ("text", "interface"),
    [
        pytest.param(WSGI, None, id="WSGI"),
        pytest.param(WSGI, "asgi", id="WSGI, behind the bridge"),
        pytest.param(ASGI, None, id="ASGI"),
    ],
)
@pytest.mark.parametrize(
    ("path", "host", "status", "body"),
    [
        pytest.param(
            "/u/ann/x", "localhost", 200, "12ann at /u/ann", id="a tenant, in the middleware of all and its own"
        ),
        pytest.param("/x", "ann.example.com", 200, "1ann at ", id="a tenant of a host"),
        pytest.param("/static/page.txt", "localhost", 200, "134a page", id="a file, in middleware outermost first"),
        pytest.param("/static/none", "localhost", 404, "134Not Found", id="no file"),
        pytest.param("/old/x", "localhost", 308, "1Permanent Redirect: /new/x", id="a redirect"),
    ],
)
def test_every_kind_of_mount_answers(
    composed: Callable[..., Composition],
    text: str,
    interface: Interface | None,
    path: str,
    host: str,
    status: int,
    body: str,
) -> None:
    composition = composed(text, interface=interface)
    assert [loaded.error for loaded in composition.mounts] == [None] * 5
    found, text = get(composition, path, host)
    assert (found, text[: len(body)]) == (status, body)


def test_middleware_that_is_wsgi_puts_a_folder_of_an_asgi_set_behind_the_bridge(
    composed: Callable[..., Composition],
) -> None:
    text = '[mounts]\n"/" = "asgi_app:app"\n"/static" = { static = "web", middleware = ["middleware:Mark"] }'
    composition = composed(text)
    assert [loaded.interface for loaded in composition.mounts] == ["asgi", "wsgi"]
    assert get(composition, "/static/page.txt") == (200, "ma page")


FAILURES = [
    pytest.param(
        '"/x" = { app = "good:app", middleware = ["middleware:ASGIMark"] }',
        ("wsgi",),
        'mounts."/x".middleware',
        'the middleware "middleware:ASGIMark" is ASGI, but what it wraps is WSGI',
        id="middleware of the other interface",
    ),
    pytest.param(
        '"/x" = { static = "web", middleware = ["middleware:ASGIMark"] }',
        ("wsgi",),
        'mounts."/x".middleware',
        'the middleware "middleware:ASGIMark" is ASGI, but what it wraps is WSGI',
        id="middleware of the other interface around a folder",
    ),
    pytest.param(
        '"/x/{name}" = { app = "tenants", middleware = ["middleware:Marc"] }',
        (None,),
        'mounts."/x/{name}".middleware',
        '"middleware" has no "Marc"',
        id="tenants with middleware that is not there",
    ),
    pytest.param(
        '"/x/{name}" = "tenants:create"',
        (None,),
        'mounts."/x/{name}"',
        '"tenants" has no "create"',
        id="tenants without a factory",
    ),
    pytest.param(
        '"/x" = { redirect = "/y", middleware = ["middleware:raises"] }',
        (None,),
        'mounts."/x".middleware',
        '"middleware:raises" raised LookupError: no middleware today',
        id="a redirect with middleware that raises",
    ),
]


@pytest.mark.parametrize(("entry", "interfaces", "key", "message"), FAILURES)
def test_a_mount_that_fails_answers_503_and_the_others_serve(
    composed: Callable[..., Composition], entry: str, interfaces: tuple[str | None, ...], key: str, message: str
) -> None:
    composition = composed(f'[mounts]\n"/" = "good:app"\n{entry}')
    (failed,) = composition.failures
    assert failed.error is not None
    assert [(each.key, each.message.partition(" (/")[0]) for each in failed.error.problems] == [(key, message)]
    assert get(composition, "/x/ann")[0] == 503
    assert get(composition, "/")[0] == 200


def test_a_folder_that_is_not_there_is_told(composed: Callable[..., Composition]) -> None:
    text = '[mounts]\n"/" = "good:app"\n"/a" = { static = "none" }\n"/b" = { static = "web", fallback = "none.html" }'
    composition = composed(text)
    folder = composition.config.folder
    problems = [problem for loaded in composition.failures if loaded.error for problem in loaded.error.problems]
    assert [(problem.key, problem.message) for problem in problems] == [
        ('mounts."/a"', f"there is no folder {folder / 'none'}"),
        ('mounts."/b".fallback', f'there is no file "none.html" in {folder / "web"}'),
    ]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('{ static = "NAME" }', "there is no folder FOLDER/NAME"),
        ('{ static = "web", fallback = "NAME" }', 'there is no file "NAME" in FOLDER/web'),
        ('"NAME.py:app"', "there is no file FOLDER/NAME.py"),
    ],
)
def test_a_name_that_is_too_long_is_that_of_nothing(
    composed: Callable[..., Composition], entry: str, message: str
) -> None:
    name = "x" * 300
    composition = composed(f'[mounts]\n"/" = "good:app"\n"/a" = {entry.replace("NAME", name)}')
    (failed,) = composition.failures
    assert failed.error is not None
    expected = message.replace("NAME", name).replace("FOLDER", str(composition.config.folder))
    expected = shorten_words(expected)  # what is too long to be read is cut
    assert "…" in expected
    assert [problem.message for problem in failed.error.problems] == [expected]


def test_tenants_that_speak_asgi_make_the_set_asgi(composed: Callable[..., Composition]) -> None:
    assert composed('[mounts]\n"/u/{name}" = "tenants:asynchronous"').interface == "asgi"
    declared = composed('[mounts]\n"/u/{name}" = { app = "tenants:asgi", interface = "asgi" }')
    assert declared.interface == "asgi"
    assert get(declared, "/u/ann/") == (200, "ann at /u/ann")


def test_a_tenant_that_speaks_asgi_is_the_failure_of_that_tenant_alone(
    composed: Callable[..., Composition], caplog: pytest.LogCaptureFixture
) -> None:
    composition = composed('[mounts]\n"/a/{name}" = "tenants:asgi"\n"/b/{name}" = "tenants"')
    assert composition.interface == "wsgi"
    assert get(composition, "/a/ann/")[0] == 500
    assert get(composition, "/b/ann/")[0] == 200
    assert 'interface = "asgi"' in caplog.text


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_the_slash_is_added_where_the_mount_says_so(composed: Callable[..., Composition], interface: Interface) -> None:
    text = '[mounts]\n"/" = "good:app"\n"/x" = { app = "good:app", slash = "redirect" }\n'
    text += '"/u/{name}" = { app = "tenants", slash = "redirect" }'
    composition = composed(text, interface=interface)
    assert get(composition, "/x") == (308, "Permanent Redirect: ./x/\n")
    assert get(composition, "/u/ann") == (308, "Permanent Redirect: ./ann/\n")
    assert get(composition, "/u/ann/") == (200, "ann at /u/ann|/")


STATEFUL = """
middleware = ["middleware:Pool"]

[mounts]
"/a" = "tenants:shared"
"/b" = "tenants:shared"
"/static" = { static = "web" }
"/old" = { redirect = "/a" }
"/own" = { app = "tenants:shared", middleware = ["middleware:ASGIMark(prefix)"] }
"""


def test_middleware_is_started_wherever_it_stands_and_once_where_it_is_the_same(
    composed: Callable[..., Composition],
) -> None:
    composition = composed(STATEFUL)
    assert composition.mounts[0].application is composition.mounts[1].application
    assert len(composition.application.lifespans.lifespans) == 4
    assert asyncio.run(_serve(composition, "/a", "/b", "/static/page.txt", "/old/x", "/own")) == [
        200,
        200,
        200,
        308,
        200,
    ]


async def _serve(composition: Composition, *paths: str) -> list[int]:
    lifespans = composition.application.lifespans
    await lifespans.start()
    statuses = [(await _get_asgi(composition.application, path, "localhost"))[0] for path in paths]
    await lifespans.stop()
    return statuses


def test_a_set_that_has_to_be_wsgi_refuses_tenants_that_speak_asgi(composed: Callable[..., Composition]) -> None:
    text = '[mounts]\n"/" = "good:app"\n"/u/{name}" = "tenants:asynchronous"'
    (failed,) = composed(text, interface="wsgi").failures
    assert (failed.interface, str(failed.error).partition("\n")[0]) == (
        "asgi",
        'mounts."/u/{name}": "tenants:asynchronous" is an ASGI application, which a WSGI server cannot serve',
    )


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_a_bound_on_requests_counts_for_all_tenants_of_a_mount(
    composed: Callable[..., Composition], interface: Interface
) -> None:
    composition = composed('[mounts]\n"/u/{name}" = { app = "tenants", max_concurrency = 1 }', interface=interface)
    route = composition.application.router.find("/u/ann")
    assert type(route.mount).__name__ == f"{interface.upper()}TenantsLimit"
    assert [get(composition, f"/u/{name}/") for name in "abc"] == [(200, f"{name} at /u/{name}|/") for name in "abc"]


def test_made_up_hosts_do_not_fill_the_memory(composed: Callable[..., Composition]) -> None:
    text = '[mounts]\n"{name}.example.com" = { app = "tenants:only_known", max_instances = 8 }'
    application = composed(text).application

    def ask(numbers: range) -> int:
        for number in numbers:
            environ = {"PATH_INFO": "/", "HTTP_HOST": f"name{number}.example.com", "REQUEST_METHOD": "GET"}
            application(environ, lambda *_: lambda _: None)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        few = ask(range(1_500))
        many = ask(range(1_500, 4_000))
    finally:
        tracemalloc.stop()
    assert many - few < 100_000  # bytes; 2500 applications or refusals more would take megabytes

from __future__ import annotations

import asyncio
import functools
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from multiserve._types import ASGIApplication, Interface, Loaded
from multiserve.api import create_app
from multiserve.composition import Composition, compose, may_refuse, refuse_failures
from multiserve.config.file import load_config
from multiserve.config.source import Source
from multiserve.errors import ConfigError, LoadError

APP = """
import os
made = []
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}|{os.environ.get('COLOUR')}".encode()]
def create_app(name):
    made.append(name)
    return lambda environ, start_response: app(environ, start_response)
async def asgi(scope, receive, send):
    if scope["type"] != "lifespan":
        await send(f"{scope['root_path']}|{scope['path']}")
def create_asgi():
    return lambda scope, receive, send: asgi(scope, receive, send)
class Neither:
    def __call__(self, *args):
        return asgi(*args)
neither = Neither()
"""

pytestmark = pytest.mark.usefixtures("clean_process")


@pytest.fixture
def write(write_config: Callable[[str], Path]) -> Callable[[str], Path]:
    """Write a configuration beside a module of applications."""

    def write_both(text: str) -> Path:
        path = write_config(text)
        path.with_name("assembled.py").write_text(APP)
        return path

    return write_both


def get(application: Callable[..., list[bytes]], path: str) -> str:
    """Give what a WSGI application answers."""
    return b"".join(application({"PATH_INFO": path, "SCRIPT_NAME": ""}, lambda *_: lambda _: None)).decode()


def ask(application: ASGIApplication, path: str, kind: str = "http") -> Any:
    """Give what an ASGI application sends: its only message, or the body of its response."""
    scope = {"type": kind, "method": "GET", "http_version": "1.1", "path": path, "headers": [], "query_string": b""}
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect" if kind == "websocket" else "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))  # type: ignore[arg-type]
    bodies = [message["body"] for message in sent if isinstance(message, dict) and "body" in message]
    return b"".join(bodies).decode() if bodies else sent[0]


def interfaces(composition: Composition) -> dict[str, str | None]:
    return {str(loaded.mount.key): loaded.interface for loaded in composition.mounts}


def test_the_mounts_become_one_application(write: Callable[[str], Path]) -> None:
    app = create_app(write('[mounts]\n"/" = "assembled:app"\n"/admin" = "assembled:create_app(prefix)"'))
    assert get(app, "/x") == "|/x|None"
    assert get(app, "/admin/x") == "/admin|/x|None"
    assert sys.modules["assembled"].made == ["/admin"]


def test_the_configuration_is_found_by_the_variable(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULTISERVE_CONFIG", str(write('[mounts]\n"/" = "assembled:app"')))
    assert get(create_app(), "/") == "|/|None"


def test_env_is_set_before_the_first_import_and_what_is_set_already_wins(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIZE", "mine")
    monkeypatch.delenv("COLOUR", raising=False)
    config = load_config(
        write('[mounts]\n"/" = "assembled:app"\n[env]\nCOLOUR = "from the file"\nSIZE = "from the file"')
    )
    composition = compose(config, environment={"COLOUR": "a default", "SHAPE": "a default"})
    assert get(composition.application, "/") == "|/|from the file"
    assert (os.environ["SIZE"], os.environ["SHAPE"]) == ("mine", "a default")


def test_the_folder_of_the_file_is_searched_first_and_once(write: Callable[[str], Path]) -> None:
    path = write('pythonpath = ["more"]\n[mounts]\n"/" = "assembled:app"')
    (path.parent / "more").mkdir()
    config = load_config(path)
    compose(config)
    compose(config)
    assert sys.path[:2] == [str(path.parent), str(path.parent / "more")]
    assert sys.path.count(str(path.parent)) == 1


BROKEN = """
[mounts]
"/" = "assembled:app"
"/typo" = "assembled:ap"
"""


TYPO = 'mounts."/typo": "assembled" has no "ap" (FOLDER/assembled.py)\n    Did you mean "app"?'


def short(text: object, path: Path) -> str:
    """Give a message with the folder of the configuration shortened."""
    return str(text).replace(f"({path.parent}{os.sep}", "(FOLDER/")


def test_one_broken_mount_does_not_take_the_others_down(write: Callable[[str], Path]) -> None:
    path = write(BROKEN)
    composition = compose(load_config(path))
    refuse_failures(composition)
    assert interfaces(composition) == {"/": "wsgi", "/typo": None}
    assert [short(loaded.error, path) for loaded in composition.failures] == [TYPO]
    assert get(composition.application, "/x") == "|/x|None"
    assert get(composition.application, "/typo/x") == (
        "Service Unavailable: the application at /typo could not be loaded.\n"
    )


def test_development_shows_clients_why(write: Callable[[str], Path]) -> None:
    path = write(BROKEN.replace('"/" = "assembled:app"\n', ""))
    composition = compose(load_config(path), development=True)
    assert short(get(composition.application, "/typo"), path) == (
        f"Service Unavailable: the application at /typo could not be loaded.\n\n{TYPO}\n"
    )
    assert (
        get(composition.application, "/")
        == "Not Found: no mount answers this URL.\n\nAsked for: /\n\nThe mounts are:\n    /typo  assembled:ap  FAILED\n"
    )


STRICTNESS = [
    pytest.param(BROKEN, False, False, id="one failure is served around"),
    pytest.param(f"{BROKEN}[server]\nstrict = true", True, True, id="strict refuses any failure"),
    pytest.param(
        '[mounts]\n"/" = "assembled:app"\n"/typo" = { app = "assembled:ap", required = true }', True, True,
        id="a required mount refuses its own failure",
    ),
    pytest.param(
        '[mounts]\n"/" = { app = "assembled:app", required = true }\n"/typo" = "assembled:ap"', True, False,
        id="a required mount does not refuse the failure of another",
    ),
    pytest.param('[mounts]\n"/typo" = "assembled:ap"', False, True, id="nothing is left to serve"),
    pytest.param('[mounts]\n"/" = "assembled:app"\n[server]\nstrict = true', True, False, id="strict without failure"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "may", "refused"), STRICTNESS)
def test_some_failures_keep_a_server_from_starting(
    write: Callable[[str], Path], text: str, may: bool, refused: bool
) -> None:
    config = load_config(write(text))
    composition = compose(config)
    assert may_refuse(config) is may
    if refused:
        with pytest.raises(LoadError) as caught:
            refuse_failures(composition)
        assert 'mounts."/typo"' in str(caught.value)
    else:
        refuse_failures(composition)


def test_create_app_refuses_a_wrong_file(write: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError):
        create_app(write('[mounts]\nadmin = "assembled:app"'))
    with pytest.raises(LoadError):
        create_app(write('[mounts]\n"/" = "assembled:ap"'))


MIXED = """
[mounts]
"/" = "assembled:app"
"/live" = "assembled:asgi"
"/typo" = "assembled:ap"
"""


def test_one_asgi_application_makes_an_asgi_application_of_all(write: Callable[[str], Path]) -> None:
    composition = compose(load_config(write(MIXED)))
    assert composition.interface == "asgi"
    assert interfaces(composition) == {"/": "wsgi", "/live": "asgi", "/typo": None}
    assert ask(composition.application, "/x") == "|/x|None"
    assert ask(composition.application, "/live/x") == "/live|/live/x"
    assert ask(composition.application, "/live/x", "websocket") == "/live|/live/x"
    assert ask(composition.application, "/x", "websocket") == {"type": "websocket.close"}
    assert ask(composition.application, "/typo/x", "websocket") == {"type": "websocket.close"}
    assert ask(composition.application, "/typo/x") == (
        "Service Unavailable: the application at /typo could not be loaded.\n"
    )


def test_development_shows_clients_why_over_asgi(write: Callable[[str], Path]) -> None:
    path = write(MIXED.replace('"/" = "assembled:app"\n', ""))
    composition = compose(load_config(path), development=True)
    assert short(ask(composition.application, "/typo"), path) == (
        f"Service Unavailable: the application at /typo could not be loaded.\n\n{TYPO}\n"
    )
    assert ask(composition.application, "/") == (
        "Not Found: no mount answers this URL.\n\nAsked for: /\n\n"
        "The mounts are:\n    /live  assembled:asgi  ok\n    /typo  assembled:ap    FAILED\n"
    )


WSGI_ONLY = '[mounts]\n"/" = "assembled:app"'
ASGI_ONLY = '[mounts]\n"/" = "assembled:asgi"'

COMPOSED = [
    pytest.param(WSGI_ONLY, None, "wsgi", id="WSGI alone"),
    pytest.param(ASGI_ONLY, None, "asgi", id="ASGI alone"),
    pytest.param(MIXED, None, "asgi", id="both"),
    pytest.param(WSGI_ONLY, "wsgi", "wsgi", id="WSGI for WSGI"),
    pytest.param(WSGI_ONLY, "asgi", "asgi", id="WSGI for ASGI"),
    pytest.param(ASGI_ONLY, "asgi", "asgi", id="ASGI for ASGI"),
    pytest.param(MIXED, "wsgi", "wsgi", id="both for WSGI"),
    pytest.param(WSGI_ONLY.replace("app", "ap"), None, "wsgi", id="what cannot be loaded"),
]


@pytest.mark.parametrize(("text", "asked", "interface"), COMPOSED)
def test_the_composition_speaks_what_its_mounts_need_or_what_is_asked_for(
    write: Callable[[str], Path], text: str, asked: Interface | None, interface: str
) -> None:
    assert compose(load_config(write(text)), interface=asked).interface == interface


def test_an_asgi_application_that_wsgi_shall_serve_is_a_failure_of_its_own(write: Callable[[str], Path]) -> None:
    path = write(MIXED)
    composition = compose(load_config(path), interface="wsgi")
    assert interfaces(composition) == {"/": "wsgi", "/live": "asgi", "/typo": None}
    assert [short(loaded.error, path) for loaded in composition.failures] == [ASGI_REFUSED, TYPO]
    assert get(composition.application, "/x") == "|/x|None"
    assert (
        get(composition.application, "/live") == "Service Unavailable: the application at /live could not be loaded.\n"
    )


DECLARED = """
[mounts]
"/told" = "assembled:neither"
"/asgi" = { app = "assembled:neither", interface = "asgi" }
"/wsgi" = { app = "assembled:neither", interface = "wsgi" }
"""


def test_the_interface_that_the_file_declares_counts(write: Callable[[str], Path]) -> None:
    composition = compose(load_config(write(DECLARED)))
    assert interfaces(composition) == {"/told": "wsgi", "/asgi": "asgi", "/wsgi": "wsgi"}
    assert ask(composition.application, "/asgi/x") == "/asgi|/asgi/x"


@pytest.mark.parametrize("text", [MIXED, WSGI_ONLY], ids=["mixed", "WSGI"])
def test_what_wraps_wraps_each_application(write: Callable[[str], Path], text: str) -> None:
    wrapped: list[Loaded] = []

    def wrap(loaded: Loaded) -> Loaded:
        wrapped.append(loaded)
        if loaded.interface == "asgi":
            return Loaded(functools.partial(loaded.application), "asgi")
        return Loaded(lambda *given: [b"wrapped ", *loaded.application(*given)], "wsgi")

    composition = compose(load_config(write(text)), wrap=wrap)
    module = sys.modules["assembled"]
    found = [each.application if each.interface == "asgi" else each.application.__wrapped__ for each in wrapped]
    assert found == ([module.app, module.asgi] if composition.interface == "asgi" else [module.app])
    assert composition.mounts[0].application is not wrapped[0].application
    if composition.interface == "wsgi":
        assert get(composition.application, "/") == "wrapped |/|None"


ASGI_REFUSED = (
    'mounts."/live": "assembled:asgi" is an ASGI application, which a WSGI server cannot serve\n'
    "    Serve multiserve.asgi:application with an ASGI server instead; it serves the WSGI mounts, too."
)

REFUSALS = [
    pytest.param(MIXED, "wsgi", ASGI_REFUSED, id="ASGI among others, for WSGI"),
    pytest.param('[mounts]\n"/live" = "assembled:asgi"', "wsgi", ASGI_REFUSED, id="ASGI alone, for WSGI"),
    pytest.param(
        f"{MIXED}[server]\nstrict = true", "wsgi", f"{ASGI_REFUSED}\n{TYPO}", id="ASGI and a failure, both refused"
    ),
    pytest.param(
        '[mounts]\n"/live" = { app = "assembled:neither", interface = "asgi" }',
        "wsgi",
        ASGI_REFUSED.replace("assembled:asgi", "assembled:neither"),
        id="declared ASGI, for WSGI",
    ),
    pytest.param('[mounts]\n"/typo" = "assembled:ap"', None, TYPO, id="nothing to serve"),
    pytest.param('[mounts]\n"/typo" = "assembled:ap"', "wsgi", TYPO, id="nothing to serve over WSGI"),
    pytest.param('[mounts]\n"/typo" = "assembled:ap"', "asgi", TYPO, id="nothing to serve over ASGI"),
    pytest.param(f"{MIXED}[server]\nstrict = true", "asgi", TYPO, id="strict"),
]


@pytest.mark.parametrize(("text", "interface", "message"), REFUSALS)
def test_create_app_refuses_what_it_cannot_serve(
    write: Callable[[str], Path], text: str, interface: Interface | None, message: str
) -> None:
    path = write(text)
    with pytest.raises(LoadError) as caught:
        create_app(path, interface=interface)
    assert short(caught.value, path) == message


@pytest.mark.parametrize("interface", [None, "asgi"])
def test_create_app_gives_what_the_mounts_need(write: Callable[[str], Path], interface: Interface | None) -> None:
    application = create_app(write(MIXED), interface=interface)
    assert ask(application, "/live") == "/live|/live"
    assert ask(application, "/x") == "|/x|None"


def test_create_app_gives_wsgi_applications_to_an_asgi_server(write: Callable[[str], Path]) -> None:
    assert ask(create_app(write(WSGI_ONLY), interface="asgi"), "/x") == "|/x|None"


@pytest.mark.parametrize(("door", "ask_door"), [("wsgi", get), ("asgi", ask)])
def test_the_doors_serve_the_configuration_that_is_found(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, door: str, ask_door: Callable[..., str]
) -> None:
    monkeypatch.setenv("MULTISERVE_CONFIG", str(write(WSGI_ONLY)))
    assert ask_door(importlib.import_module(f"multiserve.{door}").application, "/x") == "|/x|None"


def test_the_door_for_wsgi_says_why_it_cannot_serve_asgi(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULTISERVE_CONFIG", str(write(MIXED)))
    with pytest.raises(LoadError) as caught:
        importlib.import_module("multiserve.wsgi")
    assert str(caught.value) == ASGI_REFUSED


def test_a_target_that_fails_is_loaded_once(write: Callable[[str], Path]) -> None:
    path = write('[mounts]\n"/" = "noting:app"\n"/again" = "noting:app"\n"/other" = "noting:other"')
    (path.parent / "noted").touch()
    (path.parent / "noting.py").write_text(
        f"with open({str(path.parent / 'noted')!r}, 'a') as file: file.write('x')\n1 / 0\n"
    )
    failures = compose(load_config(path)).failures
    assert [str(loaded.error).partition(": ")[0] for loaded in failures] == [
        'mounts."/"',
        'mounts."/again"',
        'mounts."/other"',
    ]
    assert failures[0].error is not None
    assert failures[1].error is not None
    assert failures[1].error.__cause__ is failures[0].error.__cause__
    assert (path.parent / "noted").read_text() == "xx"  # once for each target


def test_a_bare_module_passes_over_a_submodule(write: Callable[[str], Path]) -> None:
    path = write('[mounts]\n"/" = "packaged"')
    package = path.parent / "packaged"
    package.mkdir()
    (package / "app.py").write_text("")
    (package / "__init__.py").write_text(
        "from . import app\nfrom assembled import app as create_app_of\ndef create_app(): return create_app_of\n"
    )
    assert get(create_app(path), "/x") == "|/x|None"


AROUND = """
seen = []
def wsgi(application, name="wsgi"):
    def around(environ, start_response):
        seen.append((name, environ.get("SCRIPT_NAME", ""), environ["PATH_INFO"], environ.get("REMOTE_ADDR")))
        return application(environ, start_response)
    return around
def asgi(application):
    async def around(scope, receive, send):
        seen.append(("asgi", scope.get("root_path"), scope.get("path"), scope["type"]))
        await application(scope, receive, send)
    return around
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"app"]
async def asynchronous(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"app"})
"""


TENANTS = """
closed = []
class Tenant:
    def __init__(self, user):
        self.user = user
    def __call__(self, environ, start_response):
        return app(environ, start_response)
    def close(self):
        closed.append(self.user)
def make(user):
    return Tenant(user)
"""


@pytest.mark.usefixtures("clean_process")
def test_server_middleware_goes_around_everything(write_config):
    path = write_config(
        """
        [mounts]
        "/shop" = "around:app"
        [server]
        trusted_proxies = 1
        middleware = ["around:wsgi('outer')", "around:wsgi"]
        """
    )
    (path.parent / "around.py").write_text(AROUND)
    composition = compose(load_config(path))
    statuses = []
    for target in ("/shop/a", "/nowhere"):
        environ = {"PATH_INFO": target, "REQUEST_METHOD": "GET", "HTTP_X_FORWARDED_FOR": "203.0.113.1"}
        list(composition.application(environ, lambda status, *_: statuses.append(status)))
    assert statuses == ["200 OK", "404 Not Found"]
    seen = composition.mounts[0].origin.__globals__["seen"]
    assert seen == [
        (name, "", target, "203.0.113.1") for target in ("/shop/a", "/nowhere") for name in ("outer", "wsgi")
    ]


@pytest.mark.usefixtures("clean_process")
def test_server_middleware_goes_around_an_asgi_set_but_not_its_lifespans(write_config):
    path = write_config(
        '[mounts]\n"/shop" = "around:asynchronous"\n"/old" = "around:app"\n[server]\nmiddleware = ["around:asgi"]'
    )
    (path.parent / "around.py").write_text(AROUND)
    composition = compose(load_config(path))
    sent = []

    async def ask():
        async def send(message):
            sent.append(message)

        async def receive():
            return {"type": "http.request"}

        assert await composition.application.lifespans.start() == ""
        for target in ("/shop/a", "/nowhere"):
            scope = {"type": "http", "method": "GET", "path": target, "headers": []}
            await composition.application(scope, receive, send)
        await composition.application.lifespans.stop()

    asyncio.run(ask())
    assert [message["status"] for message in sent if "status" in message] == [200, 404]
    seen = composition.mounts[0].origin.__globals__["seen"]
    assert seen == [("asgi", None, target, "http") for target in ("/shop/a", "/nowhere")]


@pytest.mark.usefixtures("clean_process")
def test_an_asgi_server_has_the_wsgi_middleware_of_wsgi_mounts(write_config):
    path = write_config(
        """
        [mounts]
        "/shop" = "around:app"
        "/u/{user}" = "around:make"
        "/gone" = "around:missing"
        [server]
        trusted_proxies = 1
        middleware = ["around:wsgi('outer')", "around:wsgi"]
        """
    )
    (path.parent / "around.py").write_text(AROUND + TENANTS)
    composition = compose(load_config(path), interface="asgi")
    assert composition.interface == "asgi"
    module = composition.mounts[0].origin.__globals__
    statuses = []

    async def ask(target, kind="http"):
        async def send(message):
            if "status" in message:
                statuses.append(message["status"])

        async def receive():
            return {"type": "http.request" if kind == "http" else "websocket.connect"}

        headers = [(b"host", b"localhost"), (b"x-forwarded-for", b"203.0.113.1")]
        scope = {"type": kind, "method": "GET", "path": target, "headers": headers, "query_string": b""}
        scope["extensions"] = {"websocket.http.response": {}}
        await composition.application({**scope, "http_version": "1.1"} if kind == "http" else scope, receive, send)

    async def serve():
        assert await composition.application.lifespans.start() == ""
        for target in ("/shop/a", "/nowhere", "/u/anna", "/gone"):
            await ask(target)
        await ask("/shop/a", "websocket")
        assert module["closed"] == []
        await composition.application.lifespans.stop()

    asyncio.run(serve())
    assert statuses == [200, 404, 200, 503, 404]
    assert module["closed"] == ["anna"]
    assert module["seen"] == [
        (name, "", target, "203.0.113.1")
        for target in ("/shop/a", "/nowhere", "/u/anna", "/gone")
        for name in ("outer", "wsgi")
    ]


@pytest.mark.usefixtures("clean_process")
def test_a_mount_that_fails_does_not_make_asgi_middleware_wrong(write_config):
    path = write_config(
        '[mounts]\n"/shop" = "around:app"\n"/gone" = "around:missing"\n[server]\nmiddleware = ["around:asgi"]'
    )
    (path.parent / "around.py").write_text(AROUND)
    assert len(compose(load_config(path), interface="asgi").failures) == 1


@pytest.mark.usefixtures("clean_process")
@pytest.mark.parametrize("interface", [None, "asgi"])
@pytest.mark.parametrize(
    ("middleware", "message"),
    [
        ("around:none", '"around" has no "none" (FOLDER/around.py)'),
        ("around:asgi", 'the middleware "around:asgi" is ASGI, but what it wraps is WSGI'),
    ],
)
def test_without_its_middleware_nothing_is_served(write_config, middleware, message, interface):
    path = write_config(f'[mounts]\n"/shop" = "around:app"\n[server]\nmiddleware = ["{middleware}"]')
    (path.parent / "around.py").write_text(AROUND)
    with pytest.raises(LoadError) as raised:
        compose(load_config(path), interface=interface)
    found = [(problem.key, short(problem.message, path)) for problem in raised.value.problems]
    assert found == [("server.middleware", message)]


def test_failures_of_targets_are_worded_for_the_command_line(tmp_path, clean_process):
    (tmp_path / "unset_secret.py").write_text("import os\nos.environ['NO_SUCH_SECRET']\n")
    sys.path.insert(0, str(tmp_path))
    targets = ("unset_secret:app", "/a=gone.py:app", "/b=./gone")
    composition = compose(load_config(Source(tmp_path, targets)), development=True)
    assert [each.error.problems[0].hint for each in composition.failures if each.error] == [
        "The environment variable NO_SUCH_SECRET is not set. Set it.",
        "Paths are relative to the current folder.",
        "Paths are relative to the current folder.",
    ]

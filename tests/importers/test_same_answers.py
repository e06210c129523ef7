"""What a file of another tool served, and what its multiserve.toml serves: the same answers."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import shutil
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest

from multiserve import create_app
from multiserve.drafts import to_toml
from multiserve.importers.formats import read_file

HERE = Path(__file__).parent
pytestmark = pytest.mark.usefixtures("clean_process")


def ask_wsgi(application, url, host="localhost"):
    """Return the status and the body; the body of an answer that is none of an application's does not count."""
    path, _, query = url.partition("?")
    environ = {"PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": query, "HTTP_HOST": host}
    setup_testing_defaults(environ)
    status = []
    result = application(environ, lambda given, headers, exc_info=None: status.append(given))
    body = b"".join(result)
    if hasattr(result, "close"):
        result.close()
    return status[0][:3], body if status[0].startswith("200") else b""


async def _ask_asgi(application, questions):
    outgoing, incoming = asyncio.Queue(), asyncio.Queue()
    lifespan = asyncio.create_task(application({"type": "lifespan", "state": {}}, incoming.get, outgoing.put))
    await incoming.put({"type": "lifespan.startup"})
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(outgoing.get(), 20)
    answers = [await _get(application, url, host) for url, host in questions]
    await incoming.put({"type": "lifespan.shutdown"})
    await lifespan
    return answers


async def _get(application, url, host):
    path, _, query = url.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", host.encode())],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "state": {},
    }
    sent, messages = [], asyncio.Queue()
    messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    async def send(message):
        sent.append(message)

    await application(scope, messages.get, send)
    status = sent[0]["status"]
    body = b"".join(each.get("body", b"") for each in sent[1:])
    return str(status), body if status == 200 else b""


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """Import a case in a folder of its own, and return that folder and the composed application."""
    monkeypatch.syspath_prepend(HERE / "applications")

    def imported(case, name):
        folder = shutil.copytree(HERE / "files" / case, tmp_path / case)
        (folder / "multiserve.toml").write_text(to_toml(read_file(folder / name)), "utf-8")
        monkeypatch.chdir(folder)
        monkeypatch.syspath_prepend(folder)
        return folder, create_app(folder / "multiserve.toml")

    return imported


WSGI_URLS = [
    "/",
    "/x?q=1",
    "/admin",
    "/admin/",
    "/admin/users?q=1",
    "/administrator",
    "/admin//users",
    "//admin",
    "/shop",
    "/shop/admin",
    "/shop/admin/x",
    "/shop/x",
    "/office",
    "/office/x",
    "/office/production/x",
    "/office/productions",
    "/secret/x",
    "/tools/x",
    "/tools/deep/x",
    "/tools/deeper",
    "/metrics",
    "/metrics/x",
    "/caf\u00c3\u00a9/x",
]


@pytest.mark.parametrize(
    ("case", "module", "attribute"),
    [
        ("dispatcher_two_applications", "run_both", "application"),
        ("dispatcher_factories", "serve", "app"),
        ("dispatcher_nested", "wsgi", "application"),
        ("dispatcher_in_a_function", "combined", "create_app"),
        ("dispatcher_metrics", "web", "app"),
    ],
)
def test_dispatcher_middleware(imported, case, module, attribute):
    _, after = imported(case, f"{module}.py")
    before = getattr(importlib.import_module(module), attribute)
    before = before() if attribute == "create_app" else before
    answers = [(url, ask_wsgi(after, url)) for url in WSGI_URLS]
    assert answers == [(url, ask_wsgi(before, url)) for url in WSGI_URLS]
    assert len({body for _, (_, body) in answers}) > 3


PASTE_URLS = [
    "/",
    "/x?q=1",
    "/blog",
    "/blog/",
    "/blog/x",
    "/blogs",
    "/blog/archive",
    "/blog/archive/x",
    "/api",
    "/api/x",
]


@pytest.mark.parametrize(("case", "name"), [("paste_urlmap", "development.ini"), ("paste_pipeline", "production.ini")])
def test_paste(imported, case, name):
    deploy = pytest.importorskip("paste.deploy", reason="PasteDeploy comes with Pyramid")
    folder, after = imported(case, name)
    before = deploy.loadapp(f"config:{folder / name}")
    answers = [(url, ask_wsgi(after, url)) for url in PASTE_URLS]
    assert answers == [(url, ask_wsgi(before, url)) for url in PASTE_URLS]
    assert len({body for _, (_, body) in answers}) > 3


def test_a_section_that_pastedeploy_loads(tmp_path, monkeypatch):
    pytest.importorskip("paste.deploy", reason="PasteDeploy comes with Pyramid")
    monkeypatch.syspath_prepend(HERE / "applications")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "site.ini"
    file.write_text(
        "[pipeline:main]\npipeline = word shop\n\n"
        "[filter:word]\npaste.filter_factory = shop.paste:filter_factory\n\n"
        "[app:shop]\npaste.app_factory = shop.paste:make_app\nsqlalchemy.url = sqlite://\n"
    )
    (tmp_path / "multiserve.toml").write_text(to_toml(read_file(file)), "utf-8")
    after = create_app(tmp_path / "multiserve.toml")
    seen = {"SCRIPT_NAME": "", "PATH_INFO": "/x", "QUERY_STRING": "&seen"}
    assert ask_wsgi(after, "/x") == ("200", f"shop None [('sqlalchemy.url', 'sqlite://')] {seen}".encode())


@pytest.mark.parametrize(
    ("url", "name", "script_name", "path_info"),
    [
        ("/", "storefront", "", "/"),
        ("/x", "storefront", "", "/x"),
        ("/shop", "shop", "/shop", ""),
        ("/shop/x", "shop", "/shop", "/x"),
        ("/shopping", "storefront", "", "/shopping"),
        ("/office/x", "backoffice production False", "/office", "/x"),
    ],
)
def test_uwsgi_as_it_documents_manage_script_name(imported, url, name, script_name, path_info):
    _, after = imported("uwsgi_mounts", "uwsgi.ini")
    seen = {"SCRIPT_NAME": script_name, "PATH_INFO": path_info, "QUERY_STRING": ""}
    assert ask_wsgi(after, url) == ("200", f"{name} {seen}".encode())


STARLETTE_URLS = [
    ("/", "localhost"),
    ("/x?q=1", "localhost"),
    ("/chat/", "localhost"),
    ("/chat/x/y?q=1", "localhost"),
    ("/chatter", "localhost"),
    ("/v1/news/x", "localhost"),
    ("/v1/old/x", "localhost"),
    ("/static/style.css", "localhost"),
    ("/static/", "localhost"),
    ("/static/nothing.css", "localhost"),
    ("/any/x", "api.example.com"),
    ("/u/ann/x", "localhost"),
    ("/items", "localhost"),
    ("/admin/users", "localhost"),
]


@pytest.mark.parametrize(("case", "module"), [("starlette_mounts", "main"), ("starlette_with_routes", "site_main")])
def test_starlette(imported, case, module):
    pytest.importorskip("starlette", reason="what is imported")
    _, after = imported(case, f"{module}.py")
    before = importlib.import_module(module).app
    answers = asyncio.run(_ask_asgi(after, STARLETTE_URLS))
    assert list(zip(STARLETTE_URLS, answers, strict=True)) == list(
        zip(STARLETTE_URLS, asyncio.run(_ask_asgi(before, STARLETTE_URLS)), strict=True)
    )
    assert len({body for _, body in answers}) > 3


@pytest.mark.parametrize(
    ("url", "host", "answer"),
    [
        ("/", "localhost", "shop {'SCRIPT_NAME': '', 'PATH_INFO': '/', 'QUERY_STRING': ''}"),
        (
            "/admin/x",
            "localhost",
            "backoffice production False {'SCRIPT_NAME': '/admin', 'PATH_INFO': '/x', 'QUERY_STRING': ''}",
        ),
        ("/x", "chat.example.com", "chat {'root_path': '', 'path': '/x', 'query_string': b''}"),
    ],
)
def test_unit_as_it_documents_prefix(imported, url, host, answer):
    _, after = imported("unit_routes", "unit.json")
    assert asyncio.run(_ask_asgi(after, [(url, host)])) == [("200", answer.encode())]


def test_a_redirect_of_unit_keeps_its_status(imported):
    _, after = imported("unit_routes", "unit.json")
    assert asyncio.run(_ask_asgi(after, [("/old/x", "localhost")])) == [("301", b"")]

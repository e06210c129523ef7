"""In development the static files of installed apps are below the mount, as `runserver` has them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("django")

ASK = """
import asyncio, sys
from wsgiref.util import setup_testing_defaults
from multiserve.composition import compose
from multiserve.config.file import load_config

composition = compose(load_config(sys.argv[1]), development=sys.argv[2] == "development")
for loaded in composition.failures:
    print(loaded.error)

def over_wsgi(path):
    environ = {"PATH_INFO": path}
    setup_testing_defaults(environ)
    statuses = []
    answer = composition.application(environ, lambda status, *_: statuses.append(status))
    body = b"".join(answer)
    answer.close()
    return statuses[0][:3], body.decode()

def over_asgi(path):
    sent, requests = [], [{"type": "http.request"}]
    async def receive():
        return requests.pop() if requests else await asyncio.Event().wait()  # the client stays
    async def send(message):
        sent.append(message)
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
             "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
             "headers": [(b"host", b"localhost")]}
    asyncio.run(composition.application(scope, receive, send))
    return str(sent[0]["status"]), b"".join(each.get("body", b"") for each in sent[1:]).decode()

ask = over_wsgi if composition.interface == "wsgi" else over_asgi
for path in sys.argv[3:]:
    status, body = ask(path)
    kind = "stylesheet" if body.startswith("/*") else body if len(body) < 60 else "page"
    print(path, status, kind)
"""
URLS = """
from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import path
urlpatterns = [path("", lambda request: HttpResponse(static("admin/css/base.css")))]
"""


@pytest.fixture
def ask(tmp_path: Path, start_project):
    """Ask a fresh project, with some more settings, for paths."""

    def run(key: str, settings: str, *paths: str, module: str = "wsgi", mode: str = "development") -> list[str]:
        start_project()
        (tmp_path / "shop" / "urls.py").write_text(URLS, "utf-8")
        with (tmp_path / "shop" / "settings.py").open("a", encoding="utf-8") as file:
            file.write(f'\nALLOWED_HOSTS = ["*"]\n{settings}\n')
        config = tmp_path / "multiserve.toml"
        config.write_text(f'[mounts]\n"{key}" = "shop.{module}"\n', "utf-8")
        command = [sys.executable, "-W", "ignore", "-c", ASK, str(config), mode, *paths]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.splitlines()

    return run


SERVED = [
    pytest.param("/staff", "", "/staff/static/", id="below a prefix"),
    pytest.param("/", "", "/static/", id="at the root"),
    pytest.param("/staff", 'STATIC_URL = "/staff/files/"', "/staff/files/", id="a URL that has the prefix itself"),
    pytest.param("/staff", 'FORCE_SCRIPT_NAME = "/staff"', "/staff/static/", id="a prefix that is forced"),
    pytest.param("/café", "", "/café/static/", id="a prefix that is not ASCII"),
]


@pytest.mark.parametrize("module", ["wsgi", "asgi"])
@pytest.mark.parametrize(("key", "settings", "url"), SERVED)
def test_the_files_are_where_the_links_lead(ask, module: str, key: str, settings: str, url: str) -> None:
    # Paths over WSGI are bytes, each of them one character.
    path, home = (
        text if module == "asgi" else text.encode().decode("latin-1") for text in (url, f"{key.rstrip('/')}/")
    )
    found = ask(key, settings, f"{path}admin/css/none.css", home, f"{path}admin/css/base.css", home, module=module)
    # A page for what is not there shows all settings, and reading STATIC_URL keeps it: links must be right afterwards.
    assert found == [
        f"{path}admin/css/none.css 404 page",
        f"{home} 200 {url}admin/css/base.css",
        f"{path}admin/css/base.css 200 stylesheet",
        f"{home} 200 {url}admin/css/base.css",
    ]


WITHOUT = 'INSTALLED_APPS.remove("django.contrib.staticfiles")'
NOT_SERVED = [
    pytest.param("DEBUG = False", "development", id="not in debug mode"),
    pytest.param("", "production", id="not in production"),
    pytest.param(WITHOUT, "development", id="without staticfiles"),
    pytest.param('STATIC_URL = "https://cdn.example.com/"', "development", id="from another host"),
    pytest.param("STATIC_URL = None", "development", id="without a URL"),
    pytest.param(
        'INSTALLED_APPS.insert(0, "whitenoise.runserver_nostatic")', "development", id="if WhiteNoise shall serve"
    ),
]


@pytest.mark.parametrize("module", ["wsgi", "asgi"])
@pytest.mark.parametrize(("settings", "mode"), NOT_SERVED)
def test_nothing_is_served_where_runserver_would_not(ask, module: str, settings: str, mode: str) -> None:
    if "whitenoise" in settings:
        pytest.importorskip("whitenoise")
    path = "/staff/static/admin/css/base.css"
    assert [line[: len(path) + 4] for line in ask("/staff", settings, path, module=module, mode=mode)] == [
        f"{path} 404"
    ]

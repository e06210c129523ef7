"""Mounts that list the applications of a folder."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config

WSGI = """\
def app(environ, start_response):
    start_response("200 OK", [])
    return [environ["SCRIPT_NAME"].encode()]
"""
LIVE = """\
async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "Traceback\\nno database"})
"""
FILES = {
    "sales.py": WSGI,
    "broken.py": f"1 / 0\n{WSGI}",
    "a&b.py": WSGI,
    "slow.py": "async def create_app():\n    ...\n",
}


@pytest.fixture
def config(tmp_path, clean_process):
    folder = tmp_path / "fleet_apps"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "slow.py").write_text("from flask import Flask\nasync def create_app():\n    return Flask(__name__)\n")
    path = tmp_path / "multiserve.toml"
    path.write_text('[mounts]\n"/data" = { fleet = "fleet_apps" }\n')
    return load_config(path)


def get(config, path, accept="", **options):
    started = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SCRIPT_NAME": "", "HTTP_ACCEPT": accept}
    application = compose(config, **options).application
    body = b"".join(application(environ, lambda status, headers, *_: started.append((status, dict(headers)))))
    return started[0][0], started[0][1], body.decode()


def test_development_says_why_something_is_missing(config):
    status, headers, text = get(config, "/data/", development=True)
    place = f"({config.folder}/fleet_apps/broken.py, line 1)"
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (
        "200 OK",
        "text/plain; charset=utf-8",
        "no-cache",
    )
    assert (
        text
        == f"""\
Applications in fleet_apps

    a&b
    broken
        It could not be loaded:
        importing "fleet_apps.broken" failed: ZeroDivisionError: division by zero {place}
    sales

Not mounted:
    slow
        An async factory: write a plain function.
"""
    )


def test_production_says_no_more_than_that_something_is_missing(config):
    assert (
        get(config, "/data/")[2]
        == """\
Applications in fleet_apps

    a&b
    broken
        It could not be loaded.
    sales
"""
    )


@pytest.mark.parametrize("development", [True, False])
def test_the_page_links_what_is_served_and_escapes_every_name(config, development):
    _, headers, page = get(config, "/data/", "text/html", development=development)
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert '<li><a href="./sales/">sales</a></li>' in page
    assert '<li><a href="./a%26b/">a&amp;b</a></li>' in page
    assert "a&b" not in page
    assert ('href="./broken/"' in page) is development
    assert ("division by zero" in page) is development


def test_a_failure_names_the_application_and_its_file(config):
    (failed,) = compose(config).failures
    assert str(failed.error).startswith('/data/broken (fleet_apps/broken.py): importing "fleet_apps.broken" failed: ')
    page = get(config, "/data/broken/", "text/html", development=True)[2]
    assert "<p>/data/broken (fleet_apps/broken.py): importing" in page


@pytest.mark.parametrize(
    ("development", "expected"),
    [
        pytest.param(True, "    live\n        It could not be started:\n        no database\n", id="development"),
        pytest.param(False, "    live\n        It could not be started.\n", id="production"),
    ],
)
def test_the_list_is_that_of_now_with_start_ups_that_have_failed(config, development, expected):
    (config.folder / "fleet_apps" / "live.py").write_text(LIVE)
    application = compose(load_config(config.path), development=development).application
    sent = []

    async def send(message):
        sent.append(message)

    async def ask():
        scope = {"type": "http", "method": "GET", "path": "/data/", "headers": []}
        await application(dict(scope), None, send)
        await application.lifespans.start()
        await application(dict(scope), None, send)

    asyncio.run(ask())
    before, after = [message["body"].decode() for message in sent[1::2]]
    assert "    live\n    sales\n" in before
    assert f"{expected}    sales\n" in after


def test_other_paths_get_404_and_applications_their_prefix(config):
    assert get(config, "/data/nope")[0] == "404 Not Found"
    assert get(config, "/data/nope")[2] == "Not Found: no mount answers this URL.\n"
    assert get(config, "/data/sales/x")[2] == "/data/sales"
    assert get(config, "/data")[1]["Location"] == "./data/"


def test_an_application_that_is_not_loaded_is_no_link(config):
    page = get(replace(config, mounts=config.mounts[:1]), "/data/", "text/html")[2]
    assert "<li>sales</li>" in page


def test_an_empty_folder_says_so(tmp_path):
    (tmp_path / "none").mkdir()
    path = tmp_path / "multiserve.toml"
    path.write_text('[mounts]\n"/" = { fleet = "none" }\n')
    assert get(load_config(path), "/")[2] == "Applications in none\n\n    There is none yet.\n"


def test_a_folder_that_is_not_there_is_a_failure_of_the_mount(tmp_path):
    path = tmp_path / "multiserve.toml"
    path.write_text('[mounts]\n"/" = { fleet = "none" }\n')
    (loaded,) = compose(load_config(path)).mounts
    message = f"there is no folder {tmp_path}/none"
    assert str(loaded.error) == f'mounts."/": {message}\n    Paths are relative to the folder of the configuration.'

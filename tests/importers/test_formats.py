from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from multiserve.config.file import load_config
from multiserve.drafts import to_toml
from multiserve.errors import ConfigError
from multiserve.importers.formats import FORMATS, read_file
from multiserve.inspection import problems_of_settings

FILES = Path(__file__).parent / "files"
APPLICATIONS = Path(__file__).parent / "applications"
CASES = {
    "dispatcher_factories": "serve.py",
    "dispatcher_in_a_function": "combined.py",
    "dispatcher_metrics": "web.py",
    "dispatcher_nested": "wsgi.py",
    "dispatcher_old_style": "server.py",
    "dispatcher_two_applications": "run_both.py",
    "dispatcher_with_django": "combine.py",
    "fastapi_mounts": "api.py",
    "paste_entry_points": "site.ini",
    "paste_pipeline": "production.ini",
    "paste_pyramid": "production.ini",
    "paste_threads": "waitress.ini",
    "paste_urlmap": "development.ini",
    "procfile_heroku": "Procfile",
    "procfile_logs": "Procfile",
    "procfile_many": "Procfile",
    "procfile_threads": "Procfile",
    "procfile_variables": "Procfile",
    "procfile_servers": "Procfile.dev",
    "starlette_middleware": "gateway.py",
    "starlette_mounts": "main.py",
    "starlette_with_routes": "site_main.py",
    "unit_named_routes": "unit-config.json",
    "unit_one_application": "config.json",
    "unit_routes": "unit.json",
    "unit_share_first": "unit.json",
    "uwsgi_addresses": "uwsgi.ini",
    "uwsgi_flask": "wsgi.ini",
    "uwsgi_mounts": "uwsgi.ini",
    "uwsgi_one_module": "app.ini",
}


def test_every_case_is_in_the_table():
    assert sorted(CASES) == sorted(path.name for path in FILES.iterdir())
    assert len(CASES) >= 20


@pytest.mark.parametrize("case", CASES)
def test_a_file_comes_to_what_is_written_beside_it(case, monkeypatch):
    monkeypatch.chdir(FILES)
    monkeypatch.syspath_prepend(APPLICATIONS)
    before = set(sys.modules)
    assert to_toml(read_file(Path(case, CASES[case]))) == (FILES / case / "expected.toml").read_text("utf-8")
    new = {name.partition(".")[0] for name in set(sys.modules) - before}
    assert new.isdisjoint({"storefront", "backoffice", "chat", "shop", "middleware", "flask", "fastapi", "paste"})


@pytest.mark.parametrize("case", CASES)
def test_what_is_printed_is_what_multiserve_takes(case, tmp_path):
    folder = shutil.copytree(FILES / case, tmp_path / case)
    (folder / "multiserve.toml").write_text(to_toml(read_file(folder / CASES[case])), "utf-8")
    config = load_config(folder / "multiserve.toml")
    assert config.mounts
    assert list(problems_of_settings(config)) == []


UNDERSTOOD = """What is understood:
    - a Python file with werkzeug's DispatcherMiddleware
    - a Python file with Starlette's Mount or Host, or mount() of Starlette or FastAPI
    - an INI file of PasteDeploy with app, composite (urlmap) or pipeline sections
    - an INI file of uWSGI with mount, module or wsgi-file
    - a JSON file of NGINX Unit with listeners, routes and applications
    - a Procfile with gunicorn, uvicorn, hypercorn, daphne, granian, waitress-serve, flask or fastapi"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("notes.txt", "a list of things", id="a text"),
        pytest.param("plain.py", "import os\n", id="Python that composes nothing"),
        pytest.param("mentions.py", "# DispatcherMiddleware, Starlette, Mount\n", id="a comment alone"),
        pytest.param("tox.ini", "[tox]\nenvlist = py311\n", id="another INI file"),
        pytest.param("package.json", '{"name": "site"}', id="another JSON file"),
        pytest.param("list.json", '["listeners", "routes"]', id="a JSON list"),
        pytest.param("Procfile", "\n# nothing\n", id="an empty Procfile"),
    ],
)
def test_a_file_of_no_known_format_is_refused(name, text, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_file(path)
    assert str(caught.value) == f"{path}:\nthis is none of the files that can be imported\n    {UNDERSTOOD}"


COMMA = (
    (":2:18", "not valid JSON: Illegal trailing comma before end of object")
    if sys.version_info >= (3, 13)
    else (":3:1", "not valid JSON: Expecting property name enclosed in double quotes")
)


@pytest.mark.parametrize(
    ("name", "text", "place", "message"),
    [
        pytest.param("a.py", "x = 1\nmount(", ":2:6", "not valid Python: '(' was never closed", id="Python"),
        pytest.param(
            "a.json",
            '{\n  "listeners": {},\n}',
            *COMMA,
            id="JSON with a comma at the end",
        ),
        pytest.param("a.json", '{"listeners": ', ":1:15", "not valid JSON: Expecting value", id="half of some JSON"),
    ],
)
def test_what_is_not_valid_is_refused_with_its_place(name, text, place, message, tmp_path):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_file(path)
    assert str(caught.value) == f"{path}{place}: {message}"


def test_a_file_that_is_nearly_there_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("uwsgi.ini").touch()
    with pytest.raises(ConfigError) as caught:
        read_file(Path("uwgsi.ini"))
    assert str(caught.value) == 'uwgsi.ini:\nno such file\n    Did you mean "uwsgi.ini"?'


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        pytest.param(
            lambda path: None,
            "no such file\n    Write its path, relative to this folder or absolute.",
            id="not there",
        ),
        pytest.param(
            lambda path: path.mkdir(), 'this is a folder\n    For a folder there is "multiserve init".', id="a folder"
        ),
        pytest.param(
            lambda path: path.write_bytes(b"\xff\xfe\xfa"), "not UTF-8\n    Save the file as UTF-8.", id="not UTF-8"
        ),
        pytest.param(
            lambda path: path.write_text("worker: celery -A shop worker\nrelease: python manage.py migrate"),
            "nothing in it can be mounted\n"
            "line 1: worker: celery -A shop worker\n"
            "    It starts no server of a Python application that is known: let something else start it.\n"
            "line 2: release: python manage.py migrate\n"
            "    It starts no server of a Python application that is known: let something else start it.",
            id="nothing to mount",
        ),
    ],
)
def test_a_file_that_comes_to_nothing_is_refused(prepare, message, tmp_path):
    path = tmp_path / "Procfile"
    prepare(path)
    with pytest.raises(ConfigError) as caught:
        read_file(path)
    assert str(caught.value) == f"{path}:\n{message}"


def test_the_header_says_where_to_save_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    package = Path("project", "shop", "web")
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package.parent / "__init__.py").touch()
    file = package / "serve.py"
    file.write_text(
        "from werkzeug.middleware.dispatcher import DispatcherMiddleware\n"
        "from .site import app\n"
        "from ..api import app as api\n"
        "application = DispatcherMiddleware(app, {'/api': api})\n"
    )
    assert to_toml(read_file(file)).splitlines() == [
        '# From project/shop/web/serve.py, as "multiserve import" reads it.',
        '# Save it as project/multiserve.toml; then run "multiserve check", which loads everything.',
        "",
        "[mounts]",
        '"/"    = "shop.web.site:app"',
        '"/api" = "shop.api:app"',
    ]


def test_each_format_has_a_name_of_its_own():
    assert len({each.name for each in FORMATS}) == len(FORMATS) == 6

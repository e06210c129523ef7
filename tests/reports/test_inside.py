"""What is said about the composition in apps/inside, asked of real frameworks."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.frameworks import Facts
from multiserve.reports import inside
from multiserve.routes.inside import Contents, read_contents

pytest.importorskip("flask")
pytest.importorskip("starlette.applications")
FILE = Path(__file__).parents[1] / "apps" / "inside" / "multiserve.toml"
FOLDER = FILE.parent
FLASK, STARLETTE = f"Flask {version('flask')}", f"Starlette {version('starlette')}"

CONTENTS = f"""\
HOST                PREFIX     KIND      INTERFACE  TARGET                     FRAMEWORK
api.example.com:81  /          app       ASGI       api_inside:app             {STARLETTE}
    GET, PUT   api.example.com:81/items/{{number}}  item   api_inside:item
    WEBSOCKET  api.example.com:81/talk/           talk   api_inside:talk
    GET        inner.example.com:81/inner         inner  api_inside:item  (hidden: / answers)
*.example.com       /café      app       WSGI       site_inside:app            {FLASK}
    GET  *.example.com/café/              home   site_inside:home
    GET  *.example.com/café/admin/login   login  site_inside:login
    GET  *.example.com/café/admin/<page>  page   site_inside:page
    GET  *.example.com/café/u/me          me     site_inside:me
    GET  *.example.com/café/<path:rest>   rest   site_inside:rest
any                 /u/{{user}}  tenants   auto       bare_inside:make_tenant
    the factory makes an application for each tenant, so nothing inside can be known
any                 /admin     app       WSGI       staff_inside:create_app()  {FLASK}
    GET, POST  /admin/users/  users  staff_inside:create_app.<locals>.users
any                 /api       app       ASGI       api_inside:app             {STARLETTE}
    GET, PUT   /api/items/{{number}}          item   api_inside:item
    WEBSOCKET  /api/talk/                   talk   api_inside:talk
    GET        inner.example.com/api/inner  inner  api_inside:item
any                 /bare      app       WSGI       bare_inside:app
    multiserve cannot see inside this application
any                 /files     static    either     files
    the files of {FOLDER / "files"}
any                 /gone      app       FAILED     no_such_module:app
    there is no module "no_such_module"
    Install the package that has it, or add the folder that has it to pythonpath.
any                 /old       redirect  either     /new
    307 to /new, with the rest of the path
any                 /wrapped   app       WSGI       staff_inside:wrapped       {FLASK}
    GET, POST  /wrapped/users/  users  staff_inside:create_app.<locals>.users
any                 /          app       WSGI       site_inside:app            {FLASK}
    GET  /              home   site_inside:home
    GET  /admin/login   login  site_inside:login  (hidden: /admin answers)
    GET  /admin/<page>  page   site_inside:page  (hidden: /admin answers)
    GET  /u/me          me     site_inside:me  (may be hidden: /u/{{user}} answers if its factory does)
    GET  /<path:rest>   rest   site_inside:rest"""


@pytest.fixture
def contents(clean_process):
    return read_contents(compose(load_config(FILE)))


def test_the_contents_are_told(contents):
    assert inside.contents_as_text(contents) == CONTENTS


def test_no_contents_are_told_in_words():
    assert inside.contents_as_text([]) == "Nothing contains this text."
    assert inside.contents_as_json([]) == {"mounts": []}


def test_the_contents_are_values_for_json(contents):
    by_mount = {each["mount"]: each for each in inside.contents_as_json(contents)["mounts"]}
    assert by_mount["api.example.com:81"] == {
        "mount": "api.example.com:81",
        "host": "api.example.com",
        "port": 81,
        "prefix": "",
        "kind": "app",
        "target": "api_inside:app",
        "interface": "asgi",
        "group": "",
        "ok": True,
        "problems": [],
        "framework": "Starlette",
        "version": version("starlette"),
        "routes": [
            {
                "url": "api.example.com:81/items/{number}",
                "methods": ["GET", "PUT"],
                "name": "item",
                "view": "api_inside:item",
                "file": str(FOLDER / "api_inside.py"),
                "line": 7,
                "answered_by": "api.example.com:81",
                "tenants": None,
            },
            {
                "url": "api.example.com:81/talk/",
                "methods": ["WEBSOCKET"],
                "name": "talk",
                "view": "api_inside:talk",
                "file": str(FOLDER / "api_inside.py"),
                "line": 11,
                "answered_by": "api.example.com:81",
                "tenants": None,
            },
            {
                "url": "inner.example.com:81/inner",
                "methods": ["GET"],
                "name": "inner",
                "view": "api_inside:item",
                "file": str(FOLDER / "api_inside.py"),
                "line": 7,
                "answered_by": "/",
                "tenants": None,
            },
        ],
        "reason": None,
    }
    nothing = {"interface": None, "framework": None, "version": None, "routes": None, "reason": None}
    hint = "Install the package that has it, or add the folder that has it to pythonpath."
    problem = {"key": 'mounts."/gone"', "message": 'there is no module "no_such_module"', "hint": hint, "excerpt": ""}
    place = {"host": "", "port": None, "group": ""}
    assert by_mount["/gone"] == {
        "mount": "/gone", "prefix": "/gone", "kind": "app", "target": "no_such_module:app", "ok": False,
        "problems": [problem], **place, **nothing,
    }  # fmt: skip
    assert by_mount["/files"] == {
        "mount": "/files", "prefix": "/files", "kind": "static", "target": "files", "ok": True,
        "problems": [], **place, **nothing, "reason": f"the files of {FOLDER / 'files'}",
    }  # fmt: skip


def test_an_application_without_routes_has_none(contents):
    facts = Facts(application=None, framework="Bottle", version="", routes=())
    loaded = next(each.loaded for each in contents if str(each.loaded.mount.key) == "/bare")
    assert inside.contents_as_text([Contents(loaded=loaded, facts=facts, routes=())]).splitlines() == [
        "HOST  PREFIX  KIND  INTERFACE  TARGET           FRAMEWORK",
        "any   /bare   app   WSGI       bare_inside:app  Bottle",
        "    the application has no routes",
    ]


def test_the_reason_is_told_where_routes_cannot_be_imported(contents):
    facts = Facts(application=None, framework="Django", version="5.2", routes_error="E (urls.py, line 1)")
    bare = next(each for each in contents if str(each.loaded.mount.key) == "/bare")
    reason = "its URL configuration cannot be imported: E (urls.py, line 1)"
    text = inside.contents_as_text([Contents(loaded=bare.loaded, facts=facts)])
    assert text.splitlines()[-1] == f"    {reason}"

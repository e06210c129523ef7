"""`multiserve routes`."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

APPS = Path(__file__).parents[1] / "apps"
EXAMPLES = Path(__file__).parents[2] / "examples"
ROUTES = """
[mounts]
"/" = "storefront:app"
"/admin" = "backoffice:app"
"*.example.com/blog" = { app = "blog:app", interface = "wsgi" }
"/api" = { app = "api:app", interface = "asgi" }
"""


def test_routes_lists_the_mounts_and_imports_none(run, write_config):
    write_config(ROUTES)
    assert run("routes") == (
        0,
        (
            "HOST           PREFIX  KIND  INTERFACE  TARGET\n"
            "*.example.com  /blog   app   WSGI       blog:app\n"
            "any            /admin  app   auto       backoffice:app\n"
            "any            /api    app   ASGI       api:app\n"
            "any            /       app   auto       storefront:app\n"
        ),
        "",
    )


def test_routes_waits_for_nothing_that_looks_inside(write_config):
    code = "import sys; from multiserve.cli import main; main(['routes'], standalone_mode=False); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    out = subprocess.run(command, cwd=write_config(ROUTES).parent, capture_output=True, text=True, check=True).stdout
    heavy = {"multiserve.frameworks", "multiserve.routes.inside", "multiserve.routes.arrival", "multiserve.composition"}
    assert "multiserve.reports.routes" in out.split()
    assert not heavy & set(out.split())


def test_routes_gives_json(run, write_config):
    write_config(ROUTES)
    code, out, err = run("routes", "--format", "json")
    assert (code, err) == (0, "")
    [blog, admin, api, root] = json.loads(out)["mounts"]
    assert blog == {
        "mount": "*.example.com/blog",
        "host": "*.example.com",
        "port": None,
        "prefix": "/blog",
        "kind": "app",
        "target": "blog:app",
        "interface": "wsgi",
        "group": "",
    }
    assert [(each["mount"], each["interface"]) for each in (admin, api, root)] == [
        ("/admin", None),
        ("/api", "asgi"),
        ("/", None),
    ]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        pytest.param(
            "/admin/users?x=1",
            "mount        /admin  (backoffice:app)\n"
            'because      "/admin" is the longest prefix that matches\n'
            'SCRIPT_NAME  "/admin"\n'
            'PATH_INFO    "/users"\n'
            'root_path    "/admin"\n'
            'path         "/admin/users"\n'
            "runner-up    /  (storefront:app)\n",
            id="a path",
        ),
        pytest.param(
            "https://shop.example.com/blog",
            "mount        *.example.com/blog  (blog:app)\n"
            'because      the host matches "*.example.com", and "/blog" is the only prefix under it that matches\n'
            'SCRIPT_NAME  "/blog"\n'
            'PATH_INFO    ""\n'
            "runner-up    /  (storefront:app)\n",
            id="a whole URL, of a WSGI mount",
        ),
        pytest.param(
            "/api/users",
            "mount      /api  (api:app)\n"
            'because    "/api" is the longest prefix that matches\n'
            'root_path  "/api"\n'
            'path       "/api/users"\n'
            "runner-up  /  (storefront:app)\n",
            id="an ASGI mount",
        ),
        pytest.param(
            "/administrator",
            "mount        /  (storefront:app)\n"
            "because      the root is the only prefix that matches\n"
            'SCRIPT_NAME  ""\n'
            'PATH_INFO    "/administrator"\n'
            'root_path    ""\n'
            'path         "/administrator"\n'
            "runner-up    none: 404\n",
            id="no runner-up",
        ),
    ],
)
def test_routes_explains_a_url(run, write_config, url, text):
    write_config(ROUTES)
    assert run("routes", "--explain", url) == (0, text, "")


def test_routes_explains_a_url_that_no_mount_takes(run, write_config):
    write_config('[mounts]\n"/admin" = "backoffice:app"')
    text = "mount    none\nbecause  no mount has a prefix of this path, so the answer is 404\n"
    assert run("routes", "--explain", "/x") == (0, text, "")


def test_routes_explains_in_json(run, write_config):
    write_config(ROUTES)
    code, out, err = run("routes", "--explain", "/admin/users", "--format", "json")
    result = json.loads(out)
    assert (code, err) == (0, "")
    assert result.pop("mount")["mount"] == "/admin"
    assert result.pop("runner_up")["mount"] == "/"
    assert result == {
        "url": "/admin/users",
        "method": "GET",
        "reason": '"/admin" is the longest prefix that matches',
        "script_name": "/admin",
        "path_info": "/users",
        "root_path": "/admin",
        "path": "/admin/users",
        "values": {},
        "location": None,
        "upstream": None,
    }


@pytest.mark.parametrize(
    ("text", "mounts"),
    [
        pytest.param("ADMIN", ["/admin"], id="a key, in capitals"),
        pytest.param("storefront:", ["/"], id="a target"),
        pytest.param("example.com", ["*.example.com/blog"], id="a host"),
        pytest.param("qqq", [], id="none"),
    ],
)
def test_routes_keeps_the_mounts_that_contain_a_text(run, write_config, text, mounts):
    write_config(ROUTES)
    code, out, err = run("routes", text, "--format", "json")
    assert (code, [each["mount"] for each in json.loads(out)["mounts"]], err) == (0, mounts, "")


@pytest.mark.usefixtures("clean_process")
def test_routes_says_that_nothing_contains_a_text(run, write_config):
    write_config(ROUTES)
    assert run("routes", "qqq") == (0, "Nothing contains this text.\n", "")
    assert run("routes", "--all", "qqq") == (0, "Nothing contains this text.\n", "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        pytest.param(["--method", "POST"], "--method needs --explain.", id="a method without a URL"),
        pytest.param(
            ["--explain", "/", "text"],
            "--explain takes one URL and nothing to filter: leave out TEXT.",
            id="a text beside a URL",
        ),
    ],
)
def test_routes_refuses_what_does_not_belong_together(run, write_config, args, message):
    write_config(ROUTES)
    code, out, err = run("routes", *args)
    assert (code, out) == (2, "")
    assert err.endswith(f"\n\nError: {message}\n")


@pytest.mark.usefixtures("clean_process")
def test_routes_looks_inside_and_what_fails_to_load_or_prints_does_not_matter(run, write_config):
    write_config(f'pythonpath = ["{APPS}"]\n[mounts]\n"/" = "prints"\n"/gone" = "qqqq:app"')
    code, out, err = run("routes", "--all")
    assert (code, err) == (0, "hello from the import\nhello from the factory\n")
    assert out == (
        "HOST  PREFIX  KIND  INTERFACE  TARGET    FRAMEWORK\n"
        "any   /gone   app   FAILED     qqqq:app\n"
        '    there is no module "qqqq"\n'
        "    Install the package that has it, or add the folder that has it to pythonpath.\n"
        "any   /       app   WSGI       prints\n"
        "    multiserve cannot see inside this application\n"
    )


@pytest.mark.usefixtures("clean_process")
def test_routes_shows_tracebacks_of_what_it_loads_if_asked(run, write_config):
    write_config(f'pythonpath = ["{APPS}"]\n[mounts]\n"/exits" = "exits:app"')
    for args in ([], ["--explain", "/exits"]):
        code, out, err = run("routes", "--all", *args, "--traceback")
        assert (code, bool(out)) == (0, True)
        assert err.endswith("SystemExit: 4\n\n")


def test_routes_explains_a_url_that_no_mount_takes_without_loading_any(run, write_config):
    write_config('[mounts]\n"/admin" = "backoffice:app"')
    text = "mount    none\nbecause  no mount has a prefix of this path, so the answer is 404\n"
    assert run("routes", "--all", "--explain", "/x") == (0, text, "")


def look_inside(example, *args):
    """Run `routes --all` in a process of its own, for what Django makes of a process."""
    command = [sys.executable, "-m", "multiserve", "routes", "--all", "-c", str(EXAMPLES / example / "multiserve.toml")]
    return subprocess.run([*command, *args], capture_output=True, text=True, check=True).stdout


def version_of(framework):
    pytest.importorskip(framework.lower(), exc_type=ImportError)
    return f"{framework} {importlib.metadata.version(framework)}"


def test_routes_looks_into_flask_and_pyramid():
    flask, pyramid = version_of("Flask"), version_of("Pyramid")
    version_of("Django")
    assert look_inside("three-frameworks", "site.views") == (
        f"HOST  PREFIX  KIND  INTERFACE  TARGET                                                     FRAMEWORK\n"
        f"any   /flask  app   WSGI       flask_site:create_app()                                    {flask}\n"
        "    GET        /flask/        site.home      flask_site.views:home\n"
        "    GET, POST  /flask/login   site.login     flask_site.views:login\n"
        "    POST       /flask/logout  site.logout    flask_site.views:logout\n"
        "    POST       /flask/notes   site.add_note  flask_site.views:add_note\n"
        "    POST       /flask/upload  site.upload    flask_site.views:upload\n"
        f"any   /       app   WSGI       pyramid_site:make_app(neighbours=['/django/', '/flask/'])  {pyramid}\n"
        "    POST  /                 home    pyramid_site.views:greet\n"
        "    GET   /                 home    pyramid_site.views:home\n"
        "    GET   /hello/{name:.+}  hello   pyramid_site.views:hello\n"
        "    GET   /visits.json      visits  pyramid_site.views:visits\n"
    )


def test_routes_explains_what_django_does_with_a_url():
    django = version_of("Django")
    version_of("Flask")
    version_of("Pyramid")
    text = look_inside("three-frameworks", "--explain", "http://localhost:8000/django/add")
    assert text == (
        "mount        /django  (django_site.wsgi)\n"
        'because      "/django" is the longest prefix that matches\n'
        'SCRIPT_NAME  "/django"\n'
        'PATH_INFO    "/add"\n'
        f"framework    {django}\n"
        "route        /django/add/  (guestbook:add)\n"
        "methods      GET, POST, PUT\n"
        "view         django_site.guestbook.views:EntryCreate\n"
        "defined      django_site/guestbook/views.py:26\n"
        "answer       301 to /django/add/\n"
        "runner-up    /  (pyramid_site:make_app(neighbours=['/django/', '/flask/']))\n"
    )


def test_routes_explains_what_fastapi_does_with_a_websocket():
    fastapi = version_of("FastAPI")
    version_of("Django")
    version_of("Flask")
    inside = json.loads(look_inside("mixed", "--explain", "ws://localhost/api/talk", "--format", "json"))["inside"]
    assert inside == {
        "outcome": "view",
        "ok": True,
        "problems": [],
        "framework": "FastAPI",
        "version": fastapi.split()[1],
        "through": [],
        "status": None,
        "location": None,
        "methods": [],
        "file": None,
        "content_type": None,
        "route": {
            "url": "/api/talk",
            "methods": ["WEBSOCKET"],
            "name": "talk",
            "view": "chat.main:talk",
            "file": str(EXAMPLES / "mixed" / "chat" / "main.py"),
            "line": line_of(EXAMPLES / "mixed" / "chat" / "main.py", '@app.websocket("/talk")'),
        },
    }


def line_of(path, text):
    return path.read_text().splitlines().index(text) + 1


@pytest.mark.parametrize("url", ["http://[::1", "/\udcff", "", "//", "*", "http://", "http://example.com:x/", "é"])
def test_no_text_to_explain_ends_in_a_traceback(run, write_config, url):
    write_config(ROUTES)
    code, out, err = run("routes", "--explain", url)
    assert (code, bool(out), bool(err)) in ((0, True, False), (1, False, True))


def test_routes_lists_and_explains_what_the_command_line_says(run):
    assert run("routes", "storefront:app", "/admin=backoffice:app") == (
        0,
        (
            "HOST  PREFIX  KIND  INTERFACE  TARGET\n"
            "any   /admin  app   auto       backoffice:app\n"
            "any   /       app   auto       storefront:app\n"
        ),
        "",
    )
    code, out, err = run("routes", "storefront:app", "/admin=backoffice:app", "--explain", "/admin/x")
    assert (code, out.splitlines()[0], err) == (0, "mount        /admin  (backoffice:app)", "")


def test_routes_filters_what_the_command_line_says(run):
    code, out, err = run("routes", "storefront:app", "/admin=backoffice:app", "back", "--format", "json")
    assert (code, [each["mount"] for each in json.loads(out)["mounts"]], err) == (0, ["/admin"], "")


def test_routes_takes_one_text(run):
    code, out, err = run("routes", "storefront", "backoffice")
    assert (code, out) == (2, "")
    assert err.endswith(
        "Error: there is one TEXT to filter by, and not storefront and backoffice: a target has a key or a colon.\n"
    )


@pytest.mark.usefixtures("clean_process")
def test_routes_lists_and_explains_a_fleet(run, tmp_path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "sales.py").write_text("def app(environ, start_response): ...\n")
    code, out, _ = run("routes", "reports/", "--all")
    assert (code, out.splitlines()[-2:]) == (
        0,
        [
            "any   /       fleet  either     reports/",
            f"    the list of the applications in {tmp_path / 'reports'}",
        ],
    )
    code, out, _ = run("routes", "reports/", "--all", "--explain", "/")
    assert (code, out.splitlines()[2]) == (0, "answer     200 with the list of the applications")

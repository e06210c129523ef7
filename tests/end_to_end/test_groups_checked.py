"""`check` and `routes` of two Django projects, of Flask, and of an application in another virtual environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from multiserve.interpreters.command import command
from multiserve.interpreters.interpreter import find_interpreter
from multiserve.reports.schemas import output_schema
from multiserve.testing import assert_no_findings

pytest.importorskip("django")
pytest.importorskip("flask")

DJANGO = {
    "__init__.py": "",
    "settings.py": """\
SECRET_KEY = "of {name}, and of nobody else"
ROOT_URLCONF = "{name}.urls"
ALLOWED_HOSTS = ["*"]
DEBUG = False
TIME_ZONE = "UTC"
INSTALLED_APPS = ["django.contrib.sessions"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
SESSION_COOKIE_NAME = "{cookie}"
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
""",
    "urls.py": """\
from django.http import HttpResponse
from django.urls import path


def index(request):
    request.session["seen"] = "{name}"
    return HttpResponse("<a href='/shop/cart'>cart</a>")


urlpatterns = [path("", index), path("{name}s/<int:number>", index, name="{name}")]
""",
    "wsgi.py": """\
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "{name}.settings"

from django.core.wsgi import get_wsgi_application

print("loading {name}")
application = get_wsgi_application()
""",
}
SHOP = """\
from flask import Flask

app = Flask(__name__)
app.secret_key = "of the shop"


@app.get("/")
def index():
    return "<a href='/blog/'>blog</a>"


@app.get("/cart")
def cart():
    return "cart"
"""
FILE = """\
ignore = ["MS164"]

[mounts]
"/blog" = {{ app = "blog.wsgi", group = "blog" }}
"/shop" = "shop:app"
"/wiki" = {{ app = "wiki.wsgi"{wiki} }}

[groups.blog]
[groups.wiki]
"""


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Path]:
    """Write two Django projects and an application of Flask; both projects have the session cookie that is given."""

    def write(wiki: str = ', group = "wiki"', cookies: Sequence[str] = ("blog_session", "wiki_session")) -> Path:
        (tmp_path / "shop.py").write_text(SHOP)
        for name, cookie in zip(("blog", "wiki"), cookies, strict=True):
            (tmp_path / name).mkdir()
            for file, text in DJANGO.items():
                (tmp_path / name / file).write_text(text.replace("{name}", name).replace("{cookie}", cookie))
        path = tmp_path / "multiserve.toml"
        text = FILE.format(wiki=wiki)
        path.write_text(text if wiki else text.replace("[groups.wiki]\n", ""))
        return path

    return write


@pytest.fixture
def call(tmp_path: Path) -> Callable[..., CompletedProcess[str]]:
    """Run a command of multiserve in the folder of the site, whatever it is started from."""

    def call(*arguments: str) -> CompletedProcess[str]:
        environ = {**os.environ, "TZ": "UTC"}
        line = [sys.executable, "-m", "multiserve", arguments[0], "-c", str(tmp_path / "multiserve.toml")]
        return subprocess.run(
            [*line, *arguments[1:]], env=environ, capture_output=True, text=True, check=False, timeout=120
        )

    return call


def document(done: CompletedProcess[str], name: str) -> Any:
    """Read what a command prints, which has to fit its schema."""
    read = json.loads(done.stdout)
    jsonschema.validate(read, output_schema(name))
    return read


def test_two_projects_of_django_in_two_groups_are_no_mistake(site, call):
    site()
    done = call("check", "--probe", "--format", "json")
    found = document(done, "check")
    assert (done.returncode, found["ok"], found["findings"]) == (0, True, [])
    assert [(each["mount"], each["ok"], each["group"]) for each in found["mounts"]] == [
        ("/blog", True, "blog"),
        ("/shop", True, ""),
        ("/wiki", True, "wiki"),
    ]
    assert [(each["mount"], each["status"], each["content_type"]) for each in found["probes"]] == [
        ("/blog", 200, "text/html; charset=utf-8"),
        ("/shop", 200, "text/html; charset=utf-8"),
        ("/wiki", 200, "text/html; charset=utf-8"),
    ]


def test_two_in_one_process_are_and_a_group_is_the_cure(site, call):
    path = site(wiki=', group = "blog"')
    path.write_text(path.read_text().replace("[groups.wiki]\n", ""))
    done = call("check", "--format", "json")
    [finding] = document(done, "check")["findings"]
    assert (done.returncode, finding["code"], finding["mounts"]) == (1, "MS110", ["/wiki", "/blog"])
    assert finding["message"] == "it needs the settings wiki.settings, but the process has blog.settings"
    assert finding["cure"] == 'Run it in a process of its own: group = "wiki" on the mount and a table [groups.wiki].'


def test_sessions_clash_on_one_origin_whatever_process_they_are_in(site, call):
    site(cookies=("sessionid", "sessionid"))
    done = call("check", "--format", "json")
    [finding] = document(done, "check")["findings"]
    assert (done.returncode, finding["code"], finding["mounts"]) == (0, "MS121", ["/wiki", "/blog"])
    assert finding["message"] == 'both set the cookie "sessionid" for the path /'


def test_annotations_are_at_the_lines_of_the_mounts(site, call, tmp_path):
    site()
    (tmp_path / "wiki" / "wsgi.py").write_text("import os\nos._exit(7)\n")
    done = call("check", "--format", "github")
    assert done.returncode == 3
    assert done.stdout == (
        f"::error file={tmp_path}/multiserve.toml,line=6,title=cannot be loaded::"
        'the process of the group "wiki" has ended with exit code 7 while it loaded this mount\n'
    )


def test_code_scanning_and_reports_of_tests_have_what_all_processes_find(site, call, tmp_path):
    path = site(wiki=', group = "blog"')
    (tmp_path / "shop.py").write_text("import os\nos._exit(7)\n")
    path.write_text(path.read_text().replace('"shop:app"', '{ app = "shop:app", group = "wiki" }'))
    done = call("check", "--format", "sarif")
    found = [
        (each["ruleId"], each["level"], each["locations"][0]["physicalLocation"]["region"]["startLine"])
        for each in json.loads(done.stdout)["runs"][0]["results"]
    ]
    assert (done.returncode, found) == (3, [("MS301", "error", 5), ("MS110", "error", 6)])
    cases = ET.fromstring(call("check", "--format", "junit").stdout).iter("testcase")
    failed = {each.get("name"): [failure.get("type") for failure in each.iter("failure")] for each in cases}
    assert failed == {"/blog": [], "/shop": ["MS301"], "/wiki": ["MS110"], "the whole file": []}


def test_routes_of_all_processes_are_listed(site, call, tmp_path):
    site()
    listed = document(call("routes", "--all", "--format", "json"), "routes-all")
    assert {each["mount"]: [route["url"] for route in each["routes"]] for each in listed["mounts"]} == {
        "/blog": ["/blog/", "/blog/blogs/<int:number>"],
        "/shop": ["/shop/static/<path:filename>", "/shop/", "/shop/cart"],
        "/wiki": ["/wiki/", "/wiki/wikis/<int:number>"],
    }
    explained = call("routes", "--all", "--explain", "/wiki/wikis/3")
    assert (
        explained.stdout.splitlines()
        == [
            "mount        /wiki  (wiki.wsgi)",
            'because      "/wiki" is the only prefix that matches',
            'process      that of the group "wiki"',
            'SCRIPT_NAME  "/wiki"',
            'PATH_INFO    "/wikis/3"',
            f"framework    Django {_version('django')}",
            "route        /wiki/wikis/<int:number>  (wiki)",
            "methods",
            "view         wiki.urls:index",
            "defined      wiki/urls.py:5",
            "runner-up    none: 404",
        ]
        or explained.stdout
    )
    assert document(call("routes", "--explain", "/blog/", "--format", "json"), "explain")["mount"]["group"] == "blog"


def _version(name: str) -> str:
    from importlib.metadata import version

    return version(name)


def test_the_assertion_of_tests_asks_all_processes(site):
    assert_no_findings(site())


def test_the_assertion_of_tests_fails_for_what_one_process_finds(site):
    path = site(cookies=("sessionid", "sessionid"))
    with pytest.raises(AssertionError, match="warning MS121 /wiki, /blog: both set the cookie"):
        assert_no_findings(path)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a virtual environment with a package that nobody else has, and with a Flask of its own."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    if not command(find_interpreter(folder), "os:getcwd", ())[0].startswith(str(folder)):
        pytest.skip("only the interpreter of multiserve can be started")
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "only_there.py").write_text("name = 'only there'\n")
    (packages / "flask.py").write_text("class Flask: ...\n\n\n__version__ = '0.1'\n")
    return folder


APP = """\
import flask
import only_there


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{only_there.name} {flask.__version__}".encode()]
"""


def test_an_application_sees_the_packages_of_its_own_environment(environment, call, tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "theirs.py").write_text(APP)
    (tmp_path / "multiserve.toml").write_text(
        'ignore = ["MS164"]\n[mounts]\n"/shop" = "shop:app"\n"/theirs" = { app = "theirs:app", group = "old" }\n'
        f'"/lost" = {{ app = "shop:app", group = "old" }}\n[groups.old]\npython = "{environment}"\n'
    )
    done = call("check", "--probe", "--format", "json")
    found = document(done, "check")
    assert done.returncode == 3
    assert [(each["mount"], each["ok"]) for each in found["mounts"]] == [
        ("/shop", True),
        ("/theirs", True),
        ("/lost", False),
    ]
    [problem] = found["mounts"][2]["problems"]
    assert problem["message"].startswith('importing "shop" failed: TypeError: Flask() takes no arguments')
    assert [each["status"] for each in found["probes"]] == [200, 200, None]


def test_settings_of_a_group_are_checked_in_its_own_environment(environment, call, tmp_path):
    (tmp_path / "theirs.py").write_text(APP)
    (tmp_path / "multiserve.toml").write_text(
        f'[mounts]\n"/theirs" = {{ app = "theirs:app", group = "old" }}\n[groups.old]\npython = "{environment}"\n'
        "[groups.old.gunicorn]\ntimeuot = 3\n"
    )
    done = call("check", "--format", "json")
    found = document(done, "check")
    assert (done.returncode, [each["key"] for each in found["problems"]]) == (1, ["groups.old.gunicorn.timeuot"])

"""The functions that Python programs call, and what a type checker makes of them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

import multiserve
from multiserve import Config, ConfigError, Finding, LoadError, Problem, check, create_app, explain, load_config
from multiserve.findings import Edit

ROOT = Path(__file__).parents[1]
APPS = Path(__file__).parent / "apps"
GOOD = f'pythonpath = ["{APPS}"]\n[mounts]\n"/" = "good:app"\n'

pytestmark = pytest.mark.usefixtures("clean_process")


def test_the_types_of_the_public_api_are_what_they_should_be():
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", "tests/typing/public_api.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "Success: no issues found in 1 source file\n")


def test_every_public_name_is_there():
    assert set(multiserve.__all__) <= set(dir(multiserve))
    assert [name for name in multiserve.__all__ if getattr(multiserve, name, None) is None] == []
    with pytest.raises(AttributeError, match="has no attribute 'frobnicate'"):
        multiserve.frobnicate()


@pytest.mark.parametrize("name", [name for name in multiserve.__all__ if name != "__version__"])
def test_a_public_name_is_documented(name):
    assert getattr(multiserve, name).__doc__
    assert f"`{name}" in (ROOT / "docs" / "api.md").read_text("utf-8")


def test_a_configuration_is_found_as_the_commands_find_it(write_config, monkeypatch):
    path = write_config(GOOD)
    monkeypatch.setenv("MULTISERVE_CONFIG", str(path))
    assert load_config() == load_config(path) == load_config(str(path))
    assert isinstance(load_config(), Config)
    assert load_config().path == path


def test_every_mistake_of_a_file_is_in_the_error(write_config):
    with pytest.raises(ConfigError) as caught:
        load_config(write_config('[mounts]\n"/" = 1\n[servre]\n'))
    assert caught.value.problems == (
        Problem(key="servre", message="no such key", hint='Did you mean "server"?'),
        Problem(
            key='mounts."/"',
            message="expected a target, found a whole number",
            hint='Write "module:attribute" in quotes.',
        ),
    )


def test_a_configuration_that_is_read_already_is_composed(write_config):
    app = create_app(load_config(write_config(GOOD)), interface="wsgi")
    answered = []
    b"".join(app({"PATH_INFO": "/", "SCRIPT_NAME": ""}, lambda status, _: answered.append(status)))
    assert answered == ["200 OK"]


def test_check_finds_nothing_in_a_good_composition(write_config):
    assert check(write_config(GOOD)) == []
    assert check(load_config(write_config(GOOD)), probe=True) == []


def test_check_finds_what_cannot_be_loaded_and_what_is_wrong_with_the_rest(write_config):
    path = write_config(f'ignore = ["MS999"]\n{GOOD}"/gone" = "qqqq:app"')
    assert check(path) == [
        Finding(
            code="MS301",
            severity="error",
            mounts=("/gone",),
            key='mounts."/gone"',
            message='there is no module "qqqq"',
            consequence="Requests to this mount are answered with 503.",
            cure="Install the package that has it, or add the folder that has it to pythonpath.",
        ),
        Finding(
            code="MS100",
            severity="warning",
            mounts=(),
            key="ignore",
            message='no check has the code "MS999"',
            consequence="It has no effect.",
            cure='Remove "MS999" from ignore.',
            edit=Edit(key="ignore", old="MS999"),
        ),
    ]


RAISES = """
def app(environ, start_response):
    raise ValueError("no")
"""


def test_check_finds_what_probing_finds_if_that_is_asked_for(write_config):
    path = write_config('[mounts]\n"/" = "raises:app"')
    (path.parent / "raises.py").write_text(RAISES)
    assert check(path) == []
    [finding] = check(path, probe=True)
    assert asdict(finding) == {
        "code": "MS207",
        "severity": "error",
        "mounts": ("/",),
        "key": 'mounts."/"',
        "message": f"ValueError: no ({path.parent / 'raises.py'}:3, in app)",
        "consequence": "Users get an error.",
        "cure": "multiserve run shows the traceback at this URL, "
        "and multiserve check --alone whether another mount is the cause.",
        "url": "http://localhost:8000/",
        "edit": None,
    }


def test_check_looks_at_production_if_that_is_asked_for(write_config):
    flask = pytest.importorskip("flask")
    path = write_config('[mounts]\n"/" = "debugging:app"')
    (path.parent / "debugging.py").write_text("import flask\napp = flask.Flask(__name__)\napp.debug = True\n")
    assert flask
    assert [(each.code, each.severity) for each in check(path)] == [("MS150", "note")]
    assert ("MS150", "warning") in [(each.code, each.severity) for each in check(path, production=True)]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        pytest.param(
            "[gunicorn]\nworkesr = 2",
            Problem(key="gunicorn.workesr", message="gunicorn has no such setting", hint='Did you mean "workers"?'),
            id="a setting of gunicorn",
        ),
        pytest.param(
            '"/asgi" = "asgi_app:app"\n[gunicorn]\nworker_class = "gthread"',
            Problem(
                key="gunicorn.worker_class",
                message="this worker cannot serve the ASGI applications among the mounts",
                hint="Leave worker_class out, or name one for ASGI, such as uvicorn_worker.UvicornWorker.",
            ),
            id="a worker that does not fit the mounts",
        ),
    ],
)
def test_check_raises_for_settings_that_a_server_refuses(write_config, settings, problem):
    path = write_config(GOOD + settings)
    with pytest.raises(ConfigError) as caught:
        check(path)
    assert (caught.value.problems, caught.value.source) == ((problem,), str(path))


@pytest.mark.parametrize(
    ("args", "mount", "method"),
    [
        pytest.param(("/admin/users",), "/admin", "GET", id="a path"),
        pytest.param(("http://example.com/x", "post"), "/", "POST", id="a URL and a method"),
        pytest.param(("ws://example.com/admin",), "/admin", "WEBSOCKET", id="a WebSocket"),
    ],
)
def test_a_url_is_explained_without_an_import(write_config, args, mount, method):
    path = write_config('[mounts]\n"/" = "no_such:app"\n"/admin" = "no_such:app"')
    explanation = explain(path, *args)
    assert (str(explanation.mount.key), explanation.method) == (mount, method)


def test_a_url_that_no_mount_answers_is_explained(write_config):
    assert explain(write_config('[mounts]\n"/admin" = "no_such:app"'), "/x").mount is None


GROUPED = """
[mounts]
"/" = "good:app"
"/blog" = { app = "good:app", group = "blog" }
"/files" = { static = "files", group = "blog" }
[groups.blog]
"""


NEEDS_RUN = [
    Problem(
        key=f'mounts."{mount}".group',
        message='only multiserve run starts the process of the group "blog"',
        hint="Serve it with multiserve run, or multiserve run --production, or take the option out.",
    )
    for mount in ("/blog", "/files")
]


def test_under_other_servers_a_mount_of_a_group_is_one_that_cannot_be_loaded(write_config, caplog):
    app = create_app(write_config(f"pythonpath = ['{APPS}']\n{GROUPED}"), interface="wsgi")
    assert [record.getMessage() for record in caplog.records] == [
        f"/blog answers 503:\n{NEEDS_RUN[0]}",
        f"/files answers 503:\n{NEEDS_RUN[1]}",
    ]
    statuses = []
    for path in ("/", "/blog", "/files/x"):
        environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": path, "HTTP_HOST": "localhost"}
        list(app(environ, lambda status, *_: statuses.append(status)))
    assert statuses == ["200 OK", "503 Service Unavailable", "503 Service Unavailable"]


@pytest.mark.parametrize(
    ("more", "taken_out"),
    [
        pytest.param("[server]\nstrict = true", "", id="all mounts are wanted"),
        pytest.param("", '"/" = "good:app"\n', id="nothing else is there"),
    ],
)
def test_other_servers_refuse_to_start_without_what_is_required(write_config, more, taken_out):
    with pytest.raises(LoadError) as caught:
        create_app(write_config(f"pythonpath = ['{APPS}']\n{GROUPED.replace(taken_out, '')}{more}"))
    assert list(caught.value.problems) == NEEDS_RUN


def test_groups_are_checked_in_their_own_processes(write_config, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "leaves.py").write_text("import os\nos._exit(3)\n")
    text = GROUPED.replace('{ app = "good:app"', '{ app = "leaves:app"')
    found = check(write_config(f"pythonpath = ['{APPS}']\n{text}"))
    ended = 'the process of the group "blog" has ended with exit code 3 while it loaded'
    assert [(each.code, each.key, each.message) for each in found] == [
        ("MS301", 'mounts."/blog"', f"{ended} this mount"),
        ("MS301", 'mounts."/files"', f"{ended} /blog"),
    ]

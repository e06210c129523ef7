"""`multiserve config`."""

from __future__ import annotations

import json
import re

import pytest

FILE = """
[mounts]
"/" = "storefront:app"
"/api" = { app = "api.main:app", threads = 2 }
[env]
SECRET = "hidden"
COLOUR = "red"
[server]
port = 9000
[gunicorn]
timeout = 10
"""


@pytest.fixture
def origins(run, write_config):
    """Run the command and return the value and the origin of each key."""
    path = str(write_config(FILE))

    def origins(*args):
        code, out, err = run("config", "--format", "json", *args)
        assert (code, err) == (0, "")
        found = json.loads(out)
        assert found["file"] == path
        return {
            each["key"]: (each["value"], "FILE" if each["origin"] == path else each["origin"])
            for each in found["values"]
        }

    return origins


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param('mounts."/"', ("storefront:app", "FILE"), id="a mount"),
        pytest.param('mounts."/api".threads', (2, "FILE"), id="an option of a mount"),
        pytest.param("server.port", (9000, "FILE"), id="an option"),
        pytest.param("server.host", ("127.0.0.1", "default"), id="a default"),
        pytest.param("development.debugger", (None, "default"), id="a default that depends"),
        pytest.param("gunicorn.timeout", (10, "FILE"), id="a setting of gunicorn"),
        pytest.param("gunicorn.bind", (["127.0.0.1:9000"], "server.host and server.port"), id="its address"),
        pytest.param("env.SECRET", (None, "FILE"), id="a variable"),
    ],
)
def test_a_value_comes_from_the_file_or_is_the_default(origins, key, expected):
    assert origins()[key] == expected


@pytest.mark.parametrize(
    ("args", "variables", "key", "expected"),
    [
        pytest.param(["-p", "1"], {"MULTISERVE_PORT": "2"}, "server.port", (1, "--port"), id="an option"),
        pytest.param([], {"MULTISERVE_PORT": "2"}, "server.port", (2, "MULTISERVE_PORT"), id="a variable"),
        pytest.param([], {"PORT": "3", "MULTISERVE_PORT": "2"}, "server.port", (2, "MULTISERVE_PORT"), id="ours first"),
        pytest.param([], {"PORT": "3", "MULTISERVE_PORT": ""}, "server.port", (3, "PORT"), id="that of a platform"),
        pytest.param(["-p", "1"], {"PORT": "3"}, "server.port", (1, "--port"), id="an option before a platform's"),
        pytest.param(["--no-reload"], {}, "development.reload", (False, "--no-reload"), id="a switch"),
        pytest.param(["--workers", "3"], {}, "gunicorn.workers", (3, "--workers"), id="an option of gunicorn"),
        pytest.param([], {"MULTISERVE_WORKERS": "3"}, "gunicorn.workers", (3, "MULTISERVE_WORKERS"), id="its variable"),
        pytest.param([], {"WEB_CONCURRENCY": "5"}, "gunicorn.workers", (5, "WEB_CONCURRENCY"), id="another variable"),
        pytest.param([], {"COLOUR": "blue"}, "env.COLOUR", (None, "environment"), id="a variable that is set"),
    ],
)
def test_what_was_given_beats_the_file(origins, monkeypatch, args, variables, key, expected):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert origins(*args)[key] == expected


def test_the_port_of_a_platform_is_in_the_addresses_of_the_file(origins, tmp_path, monkeypatch):
    (tmp_path / "multiserve.toml").write_text(f'{FILE}bind = ["0.0.0.0:80", "unix:a"]\n')
    monkeypatch.setenv("PORT", "3")
    assert origins()["gunicorn.bind"] == (["0.0.0.0:3", "unix:a"], "PORT")


def test_a_variable_of_an_env_file_names_that_file(origins, tmp_path):
    path = tmp_path / ".env"
    path.write_text("COLOUR=green\n", "utf-8")
    assert origins()["env.COLOUR"] == (None, str(path))


def test_only_the_mounts_that_are_wanted_are_shown(origins):
    assert [key for key in origins("--only", "/api") if key.startswith("mounts")] == [
        'mounts."/api".app',
        'mounts."/api".threads',
    ]


def test_the_text_has_a_row_for_each_value_and_no_secret(run, write_config):
    path = write_config(FILE)
    code, out, err = run("config", "-p", "1")
    assert (code, err) == (0, "")
    rows = [line.split(maxsplit=2) for line in out.splitlines()]
    assert rows[:3] == [[str(path)], [], ["KEY", "FROM", "VALUE"]]
    assert ["server.port", "--port", "1"] in rows
    assert ["env.SECRET", "multiserve.toml", "(not", "shown)"] in [line.split() for line in out.splitlines()]
    assert "hidden" not in out


def test_a_wrong_file_is_reported(run, write_config):
    path = write_config("[mounts]\n[server]\nport = 0.5")
    message = (
        f'Error: {path}:\nmounts: there are no mounts\n    Write at least one, such as "/" = "module:app".\n'
        "server.port: expected a whole number, found a number with a fraction\n    Write a number such as 1.\n"
    )
    assert run("config") == (1, "", message)


def test_what_the_file_takes_from_variables_is_shown_as_it_is_written(run, write_config, monkeypatch):
    monkeypatch.setenv("SHOP_SECRET", "hunter2")
    path = write_config(
        '[mounts]\n"/" = "shop:create_app(\'${SHOP_SECRET}\')"\n[gunicorn]\nproc_name = "${SHOP_SECRET}"\n'
    )
    code, out, _ = run("config", "-c", str(path))
    assert (code, "hunter2" in out, out.count("${SHOP_SECRET}")) == (0, False, 2)


def test_a_switch_that_is_turned_off_is_named(run, write_config):
    code, out, _ = run("config", "-c", str(write_config('[mounts]\n"/" = "shop:app"\n')), "--no-reload")
    assert code == 0
    assert re.search(r"^development\.reload +--no-reload +false$", out, re.MULTILINE)

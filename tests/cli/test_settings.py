"""What the options of `run` and `config` say."""

from __future__ import annotations

import pytest

from multiserve.cli.settings import gunicorn_overrides, read_config

VALUES = {"only": (), "host": None, "port": None, "extra_files": ()}
VALUES |= {"bind": (), "workers": None, "threads": None, "pidfile": None}


@pytest.mark.parametrize(
    ("level", "accesslog", "kept"),
    [
        pytest.param(None, "-", True, id="no level"),
        pytest.param("debug", "-", True, id="debug"),
        pytest.param("warning", "-", False, id="a quiet terminal"),
        pytest.param("warning", "access.log", True, id="a file stays"),
    ],
)
def test_a_quiet_production_server_prints_no_line_for_a_request(write_config, level, accesslog, kept):
    path = write_config(f'[mounts]\n"/" = "good:app"\n[gunicorn]\naccesslog = "{accesslog}"')
    config = read_config(path, {**VALUES, "log_level": level}, ())
    assert ("accesslog" in config.gunicorn) is kept


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"log_level": "error"}, {"loglevel": "error"}, id="a level"),
        pytest.param({"bind": ("a:1", "b:2"), "workers": 2}, {"bind": ["a:1", "b:2"], "workers": 2}, id="the others"),
    ],
)
def test_options_become_settings_of_gunicorn(given, expected):
    assert gunicorn_overrides({**VALUES, **given}) == expected

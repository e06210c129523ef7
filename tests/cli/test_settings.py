"""What the options of the production server say."""

from __future__ import annotations

import pytest

from multiserve.cli.settings import gunicorn_overrides

VALUES = {"bind": (), "workers": None, "threads": None, "pidfile": None}


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

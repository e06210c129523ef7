"""What the command line and the environment say over the file."""

from __future__ import annotations

import logging

import pytest

from multiserve.config.model import Development, Server
from multiserve.errors import ConfigError
from multiserve.servers.configuration import number_of, override, read_config

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


PLATFORM = [
    pytest.param("", {}, 5000, None, id="the port alone"),
    pytest.param("[server]\nport = 9000", {}, 5000, None, id="before that of the file"),
    pytest.param("", {"port": 1}, 1, None, id="behind an option"),
    pytest.param('[gunicorn]\nbind = "0.0.0.0:8000"', {}, 5000, "0.0.0.0:5000", id="in an address"),
    pytest.param('[gunicorn]\nbind = "0.0.0.0:${PORT:-8000}"', {}, 5000, "0.0.0.0:5000", id="in one that names it"),
    pytest.param(
        '[gunicorn]\nbind = ["[::]:80", "localhost", ":1", "unix:a:1", "fd://3"]',
        {},
        5000,
        ["[::]:5000", "localhost:5000", ":5000", "unix:a:1", "fd://3"],
        id="in each that has one",
    ),
    pytest.param(
        '[gunicorn]\nbind = ["0.0.0.0:80", "unix:a", "0.0.0.0:81", "unix:b"]',
        {},
        5000,
        ["0.0.0.0:5000", "unix:a", "unix:b"],
        id="two ports of one host are one",
    ),
    pytest.param('[gunicorn]\nbind = "0.0.0.0:8000"', {"host": "::1"}, 5000, None, id="with a host"),
    pytest.param("[gunicorn]\nbind = [1]", {}, 5000, [1], id="what is no address is refused later"),
]


@pytest.mark.parametrize(("text", "given", "port", "bind"), PLATFORM)
def test_a_platform_says_in_port_where_to_listen(write_config, monkeypatch, text, given, port, bind):
    monkeypatch.setenv("PORT", "5000")
    config = read_config(write_config(f'[mounts]\n"/" = "good:app"\n{text}'), {**VALUES, **given}, ())
    assert (config.server.port, config.gunicorn.get("bind")) == (port, bind)


@pytest.mark.parametrize("text", ["tcp://10.0.0.1:80", "65536", "-1", "\u0661", "1" * 5000])
def test_a_platform_s_port_that_is_not_one_is_an_error(write_config, monkeypatch, text):
    monkeypatch.setenv("PORT", text)
    with pytest.raises(ConfigError) as caught:
        read_config(write_config('[mounts]\n"/" = "good:app"'), VALUES, ())
    assert str(caught.value) == (
        f"PORT: the environment variable is not a port: {text[:40]!r}\n"
        "    Write a number from 0 to 65535, or set MULTISERVE_PORT, which counts first."
    )


@pytest.mark.parametrize("kind", [Server, Development])
def test_nothing_given_changes_nothing(kind):
    nothing = dict.fromkeys(("host", "port", "strict", "reload", "debugger", "threaded"))
    settings = kind()
    assert override(settings, {**nothing, "extra_files": (), "exclude_patterns": (), "other": 1}) == settings


def test_zero_and_false_are_values():
    assert override(Server(port=8000, strict=True), {"port": 0, "strict": False}) == Server(port=0, strict=False)


@pytest.mark.parametrize(
    ("level", "number"), [(None, logging.INFO), ("debug", logging.DEBUG), ("error", logging.ERROR)]
)
def test_a_level_has_the_number_of_logging(level, number):
    assert number_of(level) == number

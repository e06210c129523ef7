"""gunicorn's logger, as multiserve has it."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest

pytest.importorskip("gunicorn", reason="gunicorn does not run on Windows")

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.instrument.statsd import Statsd

from multiserve.servers.production.loggers import logger_class_for, path_of, refuse_formats

ENVIRON = {
    "REMOTE_ADDR": "192.0.2.7",
    "REQUEST_METHOD": "GET",
    "RAW_URI": "/shop/caf%C3%A9?q=1",
    "PATH_INFO": "/caf\xc3\xa9",
    "SCRIPT_NAME": "/shop",
    "QUERY_STRING": "q=1",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "multiserve.mount": "/shop",
    "multiserve.request_id": "id-1",
}
RESPONSE = SimpleNamespace(status="200 OK", headers=[], sent=9)


def settings(**given):
    made = Config()
    for name, value in {"accesslog": "-", "statsd_host": "127.0.0.1:9", **given}.items():
        made.set(name, value)
    return made


def config(log):
    return SimpleNamespace(server=SimpleNamespace(log=log), group="", mounts=[])


@pytest.fixture(autouse=True)
def handlers():
    """The handlers of gunicorn's loggers as they were, after the test."""
    names = ("gunicorn.access", "gunicorn.error")
    before = {name: logging.getLogger(name).handlers[:] for name in names}
    yield
    for name, found in before.items():
        logging.getLogger(name).handlers[:] = found


@pytest.fixture(params=[Logger, Statsd], ids=["gunicorn", "statsd"])
def make(request):
    """Make a logger over each of gunicorn's classes."""
    made = []

    def make(log, **given):
        made.append(logger_class_for(config(log), request.param)(settings(**given)))
        return made[-1]

    yield make
    for log in made:
        if hasattr(log, "sock"):
            log.sock.close()


def test_text(capsys, make):
    log = make("text", access_log_format="%(h)s %(U)s %(s)s")
    log.access(RESPONSE, [], ENVIRON, timedelta(seconds=0.25))
    assert capsys.readouterr().out == "192.0.2.7 /shop/caf%C3%A9 200\n"


def test_text_is_written_by_one_class_so_that_a_reload_keeps_the_logger():
    assert logger_class_for(config("text"), Logger) is logger_class_for(config("text"), Logger)


def test_json(capsys, make):
    log = make("json")
    log.access(RESPONSE, [], ENVIRON, timedelta(seconds=0.25))
    log.error("two\nlines")
    out, err = capsys.readouterr()
    line, errors = json.loads(out), map(json.loads, err.splitlines())  # no statsd answers, which is a warning
    assert [each["message"] for each in errors if each["level"] == "error"] == ["two\nlines"]
    assert {name: line[name] for name in line.keys() - {"time", "pid"}} == {
        "level": "info",
        "logger": "multiserve.access",
        "message": "GET /shop/caf%C3%A9 200",
        "mount": "/shop",
        "request_id": "id-1",
        "client": "192.0.2.7",
        "method": "GET",
        "path": "/shop/caf%C3%A9",
        "query": "q=1",
        "protocol": "HTTP/1.1",
        "status": 200,
        "duration": 0.25,
        "bytes": 9,
    }


def test_json_of_a_status_that_is_a_number(capsys):
    log = logger_class_for(config("json"), Logger)(settings())
    log.access(SimpleNamespace(status=204, headers=[]), [], ENVIRON, timedelta())
    assert json.loads(capsys.readouterr().out)["status"] == 204


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"RAW_URI": "/a%20b?c=/d", "PATH_INFO": "/x"}, "/a%20b"),
        ({"RAW_URI": "http://example.com/a/b?c"}, "/a/b"),
        ({"RAW_URI": "http://example.com"}, "/"),
        ({"RAW_URI": "/a?next=http://example.com/b"}, "/a"),
        ({"RAW_URI": "/a/http://example.com/b"}, "/a/http://example.com/b"),
        ({"RAW_URI": "*"}, "*"),
        ({"PATH_INFO": "/a"}, "/a"),
        ({}, ""),
    ],
    ids=["query", "absolute", "absolute-root", "url-in-query", "url-in-path", "asterisk", "without-target", "nothing"],
)
def test_path_of(environ, expected):
    assert path_of(environ) == expected


def test_settings_that_say_how_lines_are_written_are_refused_with_json():
    given = {"access_log_format": "gunicorn.{}", "accesslog": "gunicorn.{}", "logconfig_dict": "groups.a.gunicorn.{}"}
    found = [(problem.key, problem.message, problem.hint) for problem in refuse_formats(config("json"), given)]
    what, hint = 'log = "json" under [server] says how lines are written', 'Leave it out, or write log = "text".'
    assert found == [("gunicorn.access_log_format", what, hint), ("groups.a.gunicorn.logconfig_dict", what, hint)]
    assert not list(refuse_formats(config("text"), given))

"""What a server says while it serves, as text and as JSON."""

from __future__ import annotations

import contextlib
import json
import logging
from types import SimpleNamespace

import pytest

from multiserve.cli.messages import JSONMessages, TextMessages, messages_for
from multiserve.errors import ConfigError, Problem
from multiserve.servers.development.access_line import Answered

ANSWERED = Answered("::1", "GET", "/a?b", 200, "/a", 0.5, "HTTP/1.1", 9, "id")


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """Loggers and warnings as they were, after the test."""
    for name in ("multiserve", "werkzeug", "py.warnings"):
        log = logging.getLogger(name)
        monkeypatch.setattr(log, "handlers", log.handlers[:])
        monkeypatch.setattr(log, "propagate", log.propagate)
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    yield
    logging.captureWarnings(capture=False)


def reading(log):
    config = SimpleNamespace(server=SimpleNamespace(log=log), group="", mounts=[])
    return SimpleNamespace(read=lambda: config)


def test_text(capsys):
    messages = messages_for(reading("text"), logging.INFO)
    messages.say("ready")
    messages.fail("Traceback")
    messages.log_access(ANSWERED)
    ready, traceback, empty, line = capsys.readouterr().err.splitlines()
    assert (ready, traceback, empty) == ("ready", "Traceback", "")
    assert line.endswith("200   500 ms  GET /a?b  (/a)")


def test_json(capsys):
    messages = messages_for(reading("json"), logging.INFO)
    messages.say("\x1b[1mready\x1b[0m\n  /  front")
    messages.fail("Traceback\n  ...\n")
    messages.log_access(ANSWERED)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line["logger"], line["message"]) for line in lines] == [
        ("info", "multiserve", "ready\n  /  front"),
        ("error", "multiserve", "Traceback\n  ..."),
        ("info", "multiserve.access", "GET /a 200"),
    ]
    assert (lines[2]["query"], lines[2]["request_id"], lines[2]["bytes"]) == ("b", "id", 9)


def test_no_progress_is_shown_between_lines_of_json():
    assert isinstance(messages_for(reading("json"), logging.DEBUG), JSONMessages)
    assert messages_for(reading("json"), logging.DEBUG).progress is contextlib.nullcontext


def test_a_file_that_is_wrong_is_left_to_the_server():
    def read():
        raise ConfigError(Problem(key="mounts", message="missing"))

    assert isinstance(messages_for(SimpleNamespace(read=read), logging.INFO), TextMessages)

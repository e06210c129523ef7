"""The log as JSON: whatever is in a record, its line is one object."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from types import SimpleNamespace

import pytest

from multiserve.dispatch.request_ids import REQUEST
from multiserve.servers.json_log import AccessLine, JSONFormatter, use_json

MOUNTS = [SimpleNamespace(name="/", group=""), SimpleNamespace(name="/blog", group="blog")]
ACCESS = AccessLine("::1", "GET", "/blog/%0A", "q=1", "HTTP/1.1", 200, 0.25, 9, "/blog", "id-1")


def config(group=""):
    return SimpleNamespace(group=group, mounts=MOUNTS)


def record(message, *arguments, error=None, **more):
    exc_info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("shop", logging.WARNING, __file__, 1, message, arguments, exc_info)
    made.created = 1_800_000_000.0426
    vars(made).update(more)
    return made


def fields(made, group=""):
    line = JSONFormatter(config(group)).format(made)
    assert line.isascii()
    assert "\n" not in line
    found = json.loads(line)
    json.dumps(found, ensure_ascii=False).encode()  # no half of a character
    return found


EXPECTED = {"time": "2027-01-15T08:00:00.042Z", "level": "warning", "logger": "shop", "pid": os.getpid()}


@pytest.mark.parametrize(
    ("made", "message"),
    [
        pytest.param(record("low stock: %s of %d", "tea", 3), "low stock: tea of 3", id="arguments"),
        pytest.param(record("%(a)s", {"a": 1}), "1", id="mapping"),
        pytest.param(record("two\nlines\r\x1b[2J\0"), "two\nlines\r\x1b[2J\0", id="control"),
        pytest.param(record(b"\xff".decode("utf-8", "surrogateescape")), "\\udcff", id="bytes-that-are-not-utf-8"),
        pytest.param(record("café \u2028 %s", "é"), "café \u2028 é", id="text"),
        pytest.param(record("%d", "x"), "%d ('x',)", id="arguments-that-do-not-fit"),
        pytest.param(record(5), "5", id="no-text"),
    ],
)
def test_the_message(made, message):
    assert fields(made) == {**EXPECTED, "message": message}


def test_a_character_outside_the_basic_plane_stays():
    assert json.loads(JSONFormatter(config()).format(record("\U0001f6d2")))["message"] == "\U0001f6d2"


def test_an_exception_is_one_field():
    try:
        raise ValueError("no\nway")  # noqa: TRY301
    except ValueError as error:
        found = fields(record("failed", error=error))
    assert found["message"] == "failed"
    assert found["exception"].startswith("Traceback (most recent call last):\n")
    assert found["exception"].endswith("ValueError: no\nway")


@pytest.mark.parametrize(
    ("request_", "group", "expected"),
    [
        pytest.param(None, "", {}, id="outside"),
        pytest.param({"multiserve.request_id": "id"}, "", {"request_id": "id"}, id="no-mount"),
        pytest.param(
            {"multiserve.request_id": "id", "multiserve.mount": "/"}, "", {"request_id": "id", "mount": "/"}, id="mount"
        ),
        pytest.param(
            {"multiserve.request_id": "id", "multiserve.mount": "/blog"},
            "",
            {"request_id": "id", "mount": "/blog", "group": "blog"},
            id="mount-of-a-group",
        ),
        pytest.param(None, "blog", {"group": "blog"}, id="process-of-a-group"),
    ],
)
def test_what_is_known_of_the_request(request_, group, expected):
    token = REQUEST.set(request_)
    try:
        assert fields(record("x"), group) == {**EXPECTED, "message": "x", **expected}
    finally:
        REQUEST.reset(token)


@pytest.mark.parametrize(
    ("access", "message", "more"),
    [
        pytest.param(ACCESS, "GET /blog/%0A 200", {"status": 200, "bytes": 9}, id="request"),
        pytest.param(
            ACCESS._replace(method="WEBSOCKET", status=101, code=1001),
            "WEBSOCKET /blog/%0A closed 1001",
            {"status": 101, "close_code": 1001, "method": "WEBSOCKET"},
            id="end-of-a-websocket",
        ),
        pytest.param(ACCESS._replace(method="", status=400), "/blog/%0A 400", {"method": "", "status": 400}, id="bad"),
    ],
)
def test_access(access, message, more):
    # Whatever request the process answers meanwhile, it is not the one of this line.
    token = REQUEST.set({"multiserve.request_id": "another", "multiserve.mount": "/"})
    try:
        found = fields(record("%(multiserve)s", {"multiserve": access}))
    finally:
        REQUEST.reset(token)
    assert found == {
        **EXPECTED,
        "logger": "multiserve.access",
        "message": message,
        "mount": "/blog",
        "group": "blog",
        "request_id": "id-1",
        "client": "::1",
        "method": "GET",
        "path": "/blog/%0A",
        "query": "q=1",
        "protocol": "HTTP/1.1",
        "status": 200,
        "duration": 0.25,
        "bytes": 9,
        **more,
    }


@pytest.fixture
def restored():
    """Loggers and warnings as they were, after the test."""
    names = ("multiserve", "werkzeug", "py.warnings")
    before = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).propagate) for name in names}
    last = logging.lastResort
    yield
    logging.captureWarnings(capture=False)
    logging.lastResort = last
    for name, (handlers, propagate) in before.items():
        logging.getLogger(name).handlers[:] = handlers
        logging.getLogger(name).propagate = propagate


@pytest.mark.usefixtures("restored")
def test_whoever_has_set_up_no_logging_writes_json(capsys, monkeypatch):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    messages = use_json(config())
    messages.info("ready")
    logging.getLogger("werkzeug").error("from werkzeug")
    logging.getLogger("multiserve").error("ours")
    logging.getLogger("shop").warning("of an application")
    logging.getLogger("shop").info("below a warning, which is not printed without a configuration")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)  # in place of what pytest has for the block
        warnings.warn("old", stacklevel=1)
        logging.captureWarnings(capture=False)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["logger"] for line in lines] == ["multiserve", "werkzeug", "multiserve", "shop", "py.warnings"]
    assert [line["message"] for line in lines[:4]] == ["ready", "from werkzeug", "ours", "of an application"]
    assert "UserWarning: old\n" in lines[4]["message"]


@pytest.mark.usefixtures("restored")
def test_logging_that_an_application_has_set_up_stays_as_it_is(capsys, monkeypatch):
    use_json(config())
    own = logging.StreamHandler(sys.stdout)
    monkeypatch.setattr(logging.getLogger(), "handlers", [own])
    logging.getLogger("shop").warning("as I like it")
    assert capsys.readouterr() == ("as I like it\n", "")

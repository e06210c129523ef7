"""The access log of production has gunicorn's format, with the mount and the client that the dispatcher knows."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace

import pytest

pytest.importorskip("gunicorn", reason="gunicorn does not run on Windows")

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.instrument.statsd import Statsd

from multiserve.servers.engine.access import Access
from multiserve.servers.production.access_log import ACCESS_LOG_FORMAT, access_writer, log_access
from multiserve.servers.production.loggers import logger_class_for

SCOPE = {
    "method": "GET",
    "path": "/shop/é",
    "raw_path": b"/shop/%C3%A9",
    "query_string": b"q=1",
    "http_version": "1.1",
    "client": ("192.0.2.7", 80),
    "headers": [(b"user-agent", b"curl"), (b"x-id", b"7")],
    "multiserve.mount": "/shop",
    "multiserve.request_id": "id-1",
}


ACCESS = Access(SCOPE, 200, [(b"X-B", b"c")], 9, 1.5)


@pytest.mark.parametrize("base", [Logger, Statsd], ids=["at-once", "through-gunicorn"])
@pytest.mark.parametrize(
    ("access", "expected"),
    [
        pytest.param(ACCESS, {"method": "GET", "status": 200}, id="request"),
        pytest.param(
            ACCESS._replace(status=101, code=1006),
            {"method": "WEBSOCKET", "status": 101, "close_code": 1006},
            id="end-of-a-websocket",
        ),
    ],
)
def test_json(capsys, base, access, expected):
    cfg = Config()
    for name, value in {"accesslog": "-", "statsd_host": "127.0.0.1:9"}.items():
        cfg.set(name, value)
    config = SimpleNamespace(server=SimpleNamespace(log="json"), group="", mounts=[])
    log = logger_class_for(config, base)(cfg)
    try:
        access_writer(log)(access)
    finally:
        if base is Statsd:
            log.sock.close()
    line = json.loads(capsys.readouterr().out)
    assert {name: line[name] for name in line.keys() - {"time", "pid", "message", "level"}} == {
        "logger": "multiserve.access",
        "mount": "/shop",
        "request_id": "id-1",
        "client": "192.0.2.7",
        "path": "/shop/%C3%A9",
        "query": "q=1",
        "protocol": "HTTP/1.1",
        "duration": 1.5,
        "bytes": 9,
        **expected,
    }


@pytest.mark.parametrize(
    ("access", "form", "expected"),
    [
        (
            ACCESS,
            "%(h)s %(r)s %(s)s %(B)s %({multiserve.mount}e)s",
            "192.0.2.7 GET /shop/%C3%A9?q=1 HTTP/1.1 200 9 /shop",
        ),
        (ACCESS, "%(U)s %(q)s %(a)s %({x-id}i)s %({x-b}o)s %(M)s", "/shop/%C3%A9 q=1 curl 7 c 1500"),
        (ACCESS, "%({multiserve.request_id}e)s", "id-1"),
        (ACCESS._replace(status=101, code=1006), "%(r)s %(s)s %(M)s", "WEBSOCKET /shop/%C3%A9?q=1 HTTP/1.1 1006 1500"),
    ],
)
def test_a_line_is_made_by_gunicorns_logger(caplog, access, form, expected):
    cfg = Config()
    cfg.set("accesslog", "-")
    cfg.set("access_log_format", form)
    log = logger_class_for(SimpleNamespace(server=SimpleNamespace(log="text")), Logger)(cfg)
    logging.getLogger("gunicorn.access").addHandler(caplog.handler)
    try:
        log_access(log, access)
    finally:
        logging.getLogger("gunicorn.access").removeHandler(caplog.handler)
    assert caplog.messages == [expected]
    assert ACCESS_LOG_FORMAT.endswith('"%({multiserve.mount}e)s"')

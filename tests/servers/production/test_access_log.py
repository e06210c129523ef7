"""The access log of production has gunicorn's format, with the mount and the client that the dispatcher knows."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

pytest.importorskip("gunicorn", reason="gunicorn does not run on Windows")

from gunicorn.config import Config
from gunicorn.glogging import Logger

from multiserve.servers.engine.access import Access
from multiserve.servers.production.access_log import ACCESS_LOG_FORMAT, log_access
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

"""The access log of production has gunicorn's format, with the mount and the client that the dispatcher knows."""

from __future__ import annotations

import logging

import pytest

pytest.importorskip("gunicorn", reason="gunicorn does not run on Windows")

from gunicorn.config import Config
from gunicorn.glogging import Logger

from multiserve.servers.engine.access import Access
from multiserve.servers.production.access_log import ACCESS_LOG_FORMAT, log_access

SCOPE = {
    "method": "GET",
    "path": "/shop/é",
    "raw_path": b"/shop/%C3%A9",
    "query_string": b"q=1",
    "http_version": "1.1",
    "client": ("192.0.2.7", 80),
    "headers": [(b"user-agent", b"curl"), (b"x-id", b"7")],
    "multiserve.mount": "/shop",
}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("%(h)s %(r)s %(s)s %(B)s %({multiserve.mount}e)s", "192.0.2.7 GET /shop/%C3%A9?q=1 HTTP/1.1 200 9 /shop"),
        ("%(U)s %(q)s %(a)s %({x-id}i)s %({x-b}o)s %(M)s", "/shop/é q=1 curl 7 c 1500"),
    ],
)
def test_a_line_is_made_by_gunicorns_logger(caplog, form, expected):
    cfg = Config()
    cfg.set("accesslog", "-")
    cfg.set("access_log_format", form)
    log = Logger(cfg)
    logging.getLogger("gunicorn.access").addHandler(caplog.handler)
    try:
        log_access(log, Access(SCOPE, 200, [(b"X-B", b"c")], 9, 1.5))
    finally:
        logging.getLogger("gunicorn.access").removeHandler(caplog.handler)
    assert caplog.messages == [expected]
    assert ACCESS_LOG_FORMAT.endswith('"%({multiserve.mount}e)s"')

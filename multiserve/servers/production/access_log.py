"""Writes the access log: in gunicorn's format, by gunicorn's own logger, or as JSON."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from multiserve.dispatch.environ_keys import MOUNT_KEY, REQUEST_ID_KEY
from multiserve.servers.engine.access import Access
from multiserve.servers.json_log import AccessLine
from multiserve.servers.production.loggers import CLOSE_CODE

ACCESS_LOG_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" "%({multiserve.mount}e)s"'


def access_writer(log: Any) -> Callable[[Access], None]:
    """Return what writes one line; `log` is gunicorn's logger."""
    if getattr(log, "writes_json_alone", False):
        return partial(_write_json, log.access_log)
    return partial(log_access, log)


def _write_json(log: logging.Logger, access: Access) -> None:
    AccessLine(
        client=access.client,
        method="WEBSOCKET" if access.status == HTTPStatus.SWITCHING_PROTOCOLS else access.method,
        path=access.path,
        query=access.query,
        protocol=access.protocol,
        status=int(access.status),
        seconds=access.seconds,
        sent=access.sent,
        mount=access.mount,
        request_id=access.request_id,
        code=access.code,
    ).write(log)


def log_access(log: Any, access: Access) -> None:
    """Write one line; `log` is gunicorn's logger."""
    fields = access.fields()
    environ: dict[str, Any] = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields.items()}
    environ |= {
        "REQUEST_METHOD": "WEBSOCKET" if access.code else access.method,
        "RAW_URI": access.target,
        "PATH_INFO": access.scope["path"],
        "QUERY_STRING": access.query,
        "SERVER_PROTOCOL": access.protocol,
        "REMOTE_ADDR": access.client,
    }
    if access.mount:
        environ[MOUNT_KEY] = access.mount
    if access.request_id:
        environ[REQUEST_ID_KEY] = access.request_id
    if access.code:
        environ[CLOSE_CODE] = access.code
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in access.headers]
    response = SimpleNamespace(status=access.code or access.status, headers=headers, sent=access.sent)
    request = SimpleNamespace(headers=list(fields.items()))
    log.access(response, request, environ, timedelta(seconds=access.seconds))

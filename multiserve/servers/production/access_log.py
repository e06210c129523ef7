"""Writes the access log in gunicorn's format, by gunicorn's own logger."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from multiserve.dispatch.environ_keys import MOUNT_KEY, REQUEST_ID_KEY
from multiserve.servers.engine.access import Access
from multiserve.servers.production.loggers import CLOSE_CODE

ACCESS_LOG_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" "%({multiserve.mount}e)s"'


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

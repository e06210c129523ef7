"""Writes the access log in gunicorn's format, by gunicorn's own logger."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from multiserve.dispatch.environ_keys import MOUNT_KEY
from multiserve.servers.engine.access import Access

ACCESS_LOG_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" "%({multiserve.mount}e)s"'


def log_access(log: Any, access: Access) -> None:
    """Write one line; `log` is gunicorn's logger."""
    fields = access.fields()
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields.items()}
    environ |= {
        "REQUEST_METHOD": access.method,
        "RAW_URI": access.target,
        "PATH_INFO": access.scope["path"],
        "QUERY_STRING": access.query,
        "SERVER_PROTOCOL": f"HTTP/{access.scope['http_version']}",
        "REMOTE_ADDR": access.client,
    }
    if access.mount:
        environ[MOUNT_KEY] = access.mount
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in access.headers]
    response = SimpleNamespace(status=access.status, headers=headers, sent=access.sent)
    request = SimpleNamespace(headers=list(fields.items()))
    log.access(response, request, environ, timedelta(seconds=access.seconds))

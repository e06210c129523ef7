"""The log as JSON: one object a line, whatever is in it, of the server and of whoever has set up no logging."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from multiserve.config.model import Config
from multiserve.dispatch.environ_keys import MOUNT_KEY, REQUEST_ID_KEY
from multiserve.dispatch.request_ids import REQUEST

ACCESS = "multiserve.access"
"""The logger that the lines of the access log name, in both servers."""

LINE = "multiserve"
"""Where the arguments of a record have its AccessLine."""

_NAMED_ELSEWHERE = ("multiserve", "werkzeug", "py.warnings")  # loggers that otherwise find handlers of their own

_encode = json.JSONEncoder(default=str).encode  # json.dumps would make one for each line


class AccessLine(NamedTuple):
    """One request that has been answered, or a WebSocket that has been opened or closed.

    Attributes:
        client: The address of the client; empty on a unix socket.
        method: The method; `WEBSOCKET` for a WebSocket, and empty where the request could not be read.
        path: The path with the prefix, as the client wrote it.
        query: The query, as the client wrote it.
        protocol: Such as HTTP/1.1.
        status: The status of the response; 101 for a WebSocket that was accepted.
        seconds: How long it took.
        sent: Bytes of the body; None where they are not known.
        mount: The key of the mount; empty if none has answered.
        request_id: The id of the request.
        code: The code with which a WebSocket was closed; 0 where this is no end of one.
    """

    client: str
    method: str
    path: str
    query: str
    protocol: str
    status: int
    seconds: float
    sent: int | None
    mount: str
    request_id: str
    code: int = 0

    def __str__(self) -> str:
        """Return it for people."""
        outcome = f"closed {self.code}" if self.code else str(self.status)
        return f"{self.method} {self.path} {outcome}".lstrip()

    def write(self, log: logging.Logger) -> None:
        """Write it."""
        log.info("%(multiserve)s", {LINE: self})

    def fields(self) -> dict[str, Any]:
        """Return what the line has beside the fields of every line."""
        code = {"close_code": self.code} if self.code else {}
        return {
            "client": self.client,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "protocol": self.protocol,
            "status": self.status,
            **code,
            "duration": round(self.seconds, 6),
            "bytes": self.sent,
        }


class JSONFormatter(logging.Formatter):
    """Formats each record as one JSON object, in ASCII."""

    def __init__(self, config: Config) -> None:
        """Format records of the process that has this configuration."""
        super().__init__()
        self._group = config.group
        self._groups = {mount.name: mount.group for mount in config.mounts if mount.group}

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line."""
        access = record.args.get(LINE) if isinstance(record.args, Mapping) else None
        if not isinstance(access, AccessLine):
            access = None
        mount, request_id = (access.mount, access.request_id) if access else _request()
        fields: dict[str, Any] = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "logger": ACCESS if access else record.name,
            "message": str(access) if access else _message(record),
            "mount": mount,
            "group": self._group or self._groups.get(mount, ""),
            "request_id": request_id,
        }
        fields = {name: value for name, value in fields.items() if value}
        fields["pid"] = record.process
        if access:
            fields |= access.fields()
        if record.exc_info and record.exc_info[0]:
            fields["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            fields["stack"] = self.formatStack(record.stack_info)
        return _as_line(fields)


def _request() -> tuple[str, str]:
    """Return the mount and the id of the request that is being answered; empty texts outside of one."""
    request: Mapping[str, Any] = REQUEST.get() or {}
    return request.get(MOUNT_KEY, ""), request.get(REQUEST_ID_KEY, "")


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 (logging would print a traceback, which is no JSON)
        return f"{record.msg} {record.args}"


def _as_line(fields: dict[str, Any]) -> str:
    line = _encode(fields)
    if "\\ud" in line:  # half a character, which is no JSON to most readers: bytes that were not UTF-8
        fields = {name: _whole(value) if isinstance(value, str) else value for name, value in fields.items()}
        line = _encode(fields)
    return line


def _whole(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def use_json(config: Config) -> logging.Logger:
    """Have this process write JSON where it would write text: its own records, warnings, and what nobody handles.

    Loggers that an application has set up itself stay as they are.

    Returns:
        A logger for messages to the user, which no configuration of an application's can switch off.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JSONFormatter(config))
    for name in _NAMED_ELSEWHERE:
        log = logging.getLogger(name)
        log.handlers[:] = [handler]
        log.propagate = False
    logging.captureWarnings(capture=True)
    last = logging.StreamHandler()
    last.setLevel(logging.WARNING)
    last.setFormatter(handler.formatter)
    logging.lastResort = last
    messages = logging.Logger("multiserve")  # noqa: LOG001 (no other code shares it)
    messages.addHandler(handler)
    return messages

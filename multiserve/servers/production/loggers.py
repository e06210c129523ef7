"""gunicorn's logger, as multiserve has it: `%(U)s` is the whole path, and lines may be JSON."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from gunicorn.glogging import Logger

from multiserve.config.model import Config
from multiserve.dispatch.environ_keys import MOUNT_KEY, REQUEST_ID_KEY
from multiserve.errors import Problem
from multiserve.servers.json_log import LINE, AccessLine, JSONFormatter

CLOSE_CODE = "multiserve.close_code"
"""Where the environ has the code with which a WebSocket was closed."""

# What says how lines are written, and has no place where they are JSON.
_FORMATS = ("access_log_format", "logger_class", "logconfig", "logconfig_dict", "logconfig_json")


def logger_class_for(config: Config, base: type) -> type:
    """Return the class of the logger.

    Args:
        config: The configuration.
        base: gunicorn's class for its settings, such as the one that talks to statsd.
    """
    return _text_logger(base) if config.server.log == "text" else _json_logger(base, JSONFormatter(config))


@functools.cache
def _text_logger(base: Any) -> type:
    class TextLogger(base):  # type: ignore[misc]
        """Writes text."""

        def atoms(self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: Any) -> dict[str, Any]:
            """Return what stands in a line; gunicorn has PATH_INFO for %(U)s, which differs from worker to worker."""
            found: dict[str, Any] = super().atoms(resp, req, environ, request_time)
            return {**found, "U": path_of(environ)}

    return TextLogger


def _json_logger(base: Any, formatter: JSONFormatter) -> type:
    class JSONLogger(_text_logger(base)):  # type: ignore[misc]
        """Writes JSON.

        Attributes:
            writes_json_alone: Nobody else, such as statsd, has to be told of a request.
        """

        writes_json_alone = base is Logger

        def setup(self, cfg: Any) -> None:
            """Set up all handlers; each of them writes JSON."""
            super().setup(cfg)
            for handler in (*self.error_log.handlers, *self.access_log.handlers):
                handler.setFormatter(formatter)

        def atoms(self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: Any) -> dict[str, Any]:
            """Return what the formatter makes a line of."""
            del req
            return {LINE: line_of(resp, environ, request_time.total_seconds())}

    return JSONLogger


def line_of(resp: Any, environ: Mapping[str, Any], seconds: float) -> AccessLine:
    """Return the line for a response of one of gunicorn's own workers."""
    code = environ.get(CLOSE_CODE, 0)
    status = "101" if code else str(resp.status).split(None, 1)[0]
    return AccessLine(
        client=environ.get("REMOTE_ADDR") or "",
        method="WEBSOCKET" if status == "101" else environ["REQUEST_METHOD"],
        path=path_of(environ),
        query=environ.get("QUERY_STRING", ""),
        protocol=environ.get("SERVER_PROTOCOL", ""),
        status=int(status) if status.isdigit() else 0,
        seconds=seconds,
        sent=getattr(resp, "sent", None),
        mount=environ.get(MOUNT_KEY, ""),
        request_id=environ.get(REQUEST_ID_KEY, ""),
        code=code,
    )


def path_of(environ: Mapping[str, Any]) -> str:
    """Return the whole path as the client wrote it, without the query."""
    target: str = environ.get("RAW_URI") or environ.get("PATH_INFO") or ""
    if not target.startswith("/") and "://" in target:  # the absolute form, whose path begins behind the authority
        target = "/" + target.partition("://")[2].partition("?")[0].partition("/")[2]
    return target.partition("?")[0]


def refuse_formats(config: Config, given: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each setting that says how lines are written, where they are JSON.

    Args:
        config: The configuration.
        given: The settings that were given, and what their key paths are made of.
    """
    if config.server.log == "json":
        problem = partial(Problem, message='log = "json" under [server] says how lines are written')
        for name in _FORMATS:
            if name in given:
                yield problem(key=given[name].format(name), hint='Leave it out, or write log = "text".')

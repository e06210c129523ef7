"""What ends a process that an application has forked and that came back: it would answer a second time, and live on."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable

from multiserve._types import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("multiserve")


def leave_if_forked(pid: int) -> None:
    """End this process at once, without any clean-up, if it is not the one with the given id.

    Args:
        pid: The process id when the request began.
    """
    if os.getpid() != pid:
        log.warning("The process %d was forked in a request, and ends: only its parent answers.", os.getpid())
        os._exit(0)


def leaving_after_fork(application: WSGIApplication) -> WSGIApplication:
    """Wrap a WSGI application so that a process which it has forked ends where the call ends."""

    def leaving(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        pid = os.getpid()
        try:
            return application(environ, start_response)
        finally:
            leave_if_forked(pid)

    leaving.__wrapped__ = application  # type: ignore[attr-defined]
    return leaving

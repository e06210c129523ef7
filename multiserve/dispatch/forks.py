"""What ends a process that an application has forked and that came back: it would answer a second time, and live on."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from typing import NoReturn

from multiserve._types import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("multiserve")


class ForkCounter:
    """How many forks lie between this process and the one that imported this module.

    It is compared before and after each call of an application. To ask the system for the process id each time would
    cost as much as half of the dispatch.

    Attributes:
        count: The number of forks.
    """

    def __init__(self) -> None:
        """Count from now on; Windows does not fork."""
        self.count = 0
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._add)

    def _add(self) -> None:
        self.count += 1


FORKS = ForkCounter()


def leave() -> NoReturn:
    """End this process, which was forked in a request, at once and without any clean-up."""
    log.warning("The process %d was forked in a request, and ends: only its parent answers.", os.getpid())
    os._exit(0)


def leaving_after_fork(application: WSGIApplication) -> WSGIApplication:
    """Wrap a WSGI application so that a process which it has forked ends where the call ends."""

    def leaving(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        __traceback_hide__ = True  # of werkzeug's debugger: this frame is not the application's
        forks = FORKS.count
        try:
            return application(environ, start_response)
        finally:
            if FORKS.count != forks:
                leave()

    leaving.__wrapped__ = application  # type: ignore[attr-defined]
    return leaving

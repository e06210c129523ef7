"""Requests to a WSGI application in this process, each in a thread of its own, so that it can be abandoned."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Self

from multiserve._types import Scope, WSGIApplication
from multiserve.dispatch.environ import build_environ
from multiserve.probing.exchange import Received, build_scope, too_slow


class WSGIClient:
    """Sends requests to a WSGI application (PEP 3333), each in a new thread."""

    def __init__(self, application: WSGIApplication) -> None:
        """Create a client of `application`."""
        self._application = application

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def ask(self, method: str, url: str, accept: str, seconds: float) -> Received:
        """Send one request; a thread that does not return in time is abandoned."""
        received = Received()
        thread = threading.Thread(
            target=self._run, args=(build_scope(method, url, accept), received), name=f"probe of {url}", daemon=True
        )
        began = time.perf_counter()
        thread.start()
        thread.join(seconds)
        received.seconds = time.perf_counter() - began
        if thread.is_alive():  # it may still write to its `Received`
            return Received(received.status, received.headers, seconds=received.seconds, error=too_slow(seconds))
        return received

    def _run(self, scope: Scope, received: Received) -> None:
        try:
            self._respond(scope, received)
        except BaseException as error:  # noqa: BLE001 (whatever an application raises belongs to the result)
            received.error = error

    def _respond(self, scope: Scope, received: Received) -> None:
        def write(chunk: bytes) -> None:
            if not isinstance(chunk, bytes):
                raise TypeError(f"a response consists of bytes, not of {type(chunk).__name__}")
            received.body += chunk

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
            if exc_info is not None and received.body:
                raise exc_info[1].with_traceback(exc_info[2])
            received.status = int(status[:3])
            received.headers = [(name.lower(), value) for name, value in headers]
            return write

        response = self._application(build_environ(scope, bytes), start_response)
        try:
            for chunk in response:
                write(chunk)
                if received.is_large:
                    break
            if received.status is None:
                raise AssertionError("the application did not call start_response")
        finally:
            if hasattr(response, "close"):
                response.close()

"""Counts what a WSGI dispatcher answers, in whatever threads call it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from time import perf_counter_ns
from typing import Any

from multiserve._types import StartResponse, WSGIApplication, WSGIEnvironment
from multiserve.dispatch.counting.counts import ACTIVE, FAILED, UNMATCHED, Counts
from multiserve.dispatch.environ_keys import MOUNT_KEY
from multiserve.dispatch.wsgi import WSGIDispatcher, requested_host


class WSGICounting:
    """Wraps what answers all requests."""

    def __init__(self, dispatcher: WSGIDispatcher, counts: Counts, answer: WSGIApplication) -> None:
        """Count what `answer` does for a dispatcher."""
        self._dispatcher = dispatcher
        self._counts = counts
        self._answer = answer
        self._lock = Lock()  # the threads of a worker write the same cells

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, and count that."""
        began, method = perf_counter_ns(), environ.get("REQUEST_METHOD", "")
        found = self._find(environ)
        active = self._counts.offset_of(found) + ACTIVE
        status, is_open, is_gone = 0, True, False

        def finish(code: int | None = None) -> None:
            nonlocal is_open
            if is_open:
                is_open = False
                name, duration = environ.get(MOUNT_KEY, found), perf_counter_ns() - began
                with self._lock:
                    self._counts.add(active, -1)
                    self._counts.finish(name, method, status if code is None or is_gone else code, duration)

        def start_counted(line: str, *rest: Any) -> Any:
            nonlocal status
            status = int(line[:3]) if line[:3].isdigit() else 0
            write = start_response(line, *rest)

            def write_counted(block: bytes) -> None:
                nonlocal is_gone
                try:
                    write(block)
                except OSError:  # the client has gone, which is no failure of the application
                    is_gone = True
                    raise

            return write_counted

        with self._lock:
            self._counts.add(active, 1)
        try:
            body = self._answer(environ, start_counted)
        except BaseException:
            finish(FAILED)
            raise
        return _counted(body, environ, finish)

    def _find(self, environ: WSGIEnvironment) -> str:
        """Return the name of the mount that will answer, if its factory does not refuse the tenant.

        It counts where the dispatcher has named none: middleware has given it a copy of the environ, or has answered.
        """
        router = self._dispatcher.router
        host = requested_host(environ) if router.has_hosts else ""
        route = router.find(environ.get("PATH_INFO", ""), host, environ.get("wsgi.url_scheme", "http"))
        return UNMATCHED if route is None else route.name


def _counted(body: Iterable[bytes], environ: WSGIEnvironment, finish: Callable[..., None]) -> Iterable[bytes]:
    """Return a body whose end is counted; a file stays one, which servers send in a way of their own."""
    wrapper = environ.get("wsgi.file_wrapper")
    if isinstance(wrapper, type) and isinstance(body, wrapper):
        close = getattr(body, "close", None)

        def close_counted() -> None:
            finish()
            if close is not None:
                close()

        body.close = close_counted  # type: ignore[attr-defined]
        return body
    return _Body(body, finish)


class _Body:
    """A body whose end is counted."""

    def __init__(self, body: Iterable[bytes], finish: Callable[..., None]) -> None:
        self._body = body
        self._finish = finish

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._body
        except Exception:
            self._finish(FAILED)
            raise

    def close(self) -> None:
        """Count the end, and close the body of the application."""
        self._finish()
        if (close := getattr(self._body, "close", None)) is not None:
            close()

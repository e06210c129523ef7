"""Dispatch alone, in this process: nanoseconds over a direct call of the application."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from hello import bare_asgi, bare_wsgi
from rounds import Contender, Effort, Sample, compare
from starlette.routing import Mount
from starlette.routing import Router as StarletteRouter
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from multiserve._types import ASGIApplication
from multiserve.dispatch.asgi import ASGIDispatcher, ASGIMount
from multiserve.dispatch.lifespan import Lifespans
from multiserve.dispatch.wsgi import WSGIDispatcher
from multiserve.keys import parse_key
from multiserve.mounts.answers import not_found
from multiserve.routing import Router

_SIZES = (3, 100, 1000)
_LONG = "/a" * 2048
_PATHS = {"": "/hello", ", deep path": "/users/42/orders/7", ", 4 KB path": _LONG}
_MISSING = not_found()


def run(effort: Effort) -> Iterator[str]:
    """Measure the dispatchers, and yield their lines of the table."""
    for interface, name, wanted in (
        ("WSGI", "DispatcherMiddleware", "<= 0.60"),
        ("ASGI", "starlette Mount", "<= 0.20"),
    ):
        for size in _SIZES:
            prefixes = [f"/app{number}" for number in range(size)]
            for kind, rest in _PATHS.items():
                path = prefixes[size // 2] + rest
                direct, ours, peer = (_wsgi if interface == "WSGI" else _asgi)(prefixes, path)
                contenders = [
                    Contender(label, partial(_overhead, call, direct, _calls(effort, path, size)))
                    for label, call in ((name, peer), (f"{interface} dispatch, {size} mounts{kind}", ours))
                ]
                yield from compare(contenders[0], contenders[1:], effort.rounds, wanted)


def _calls(effort: Effort, path: str, size: int) -> int:
    """Give fewer calls where the peers take long: one looks at each segment, the other at each mount."""
    return effort.calls // (100 if path.endswith(_LONG) else 1 + size // 50)


def _overhead(call: Callable[[], object], direct: Callable[[], object], calls: int) -> Sample:
    return Sample((_seconds(call, calls) - _seconds(direct, calls)) / calls * 1e9)


def _seconds(call: Callable[[], object], calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        call()
    return time.process_time() - began


def _wsgi(prefixes: list[str], path: str) -> list[Callable[[], object]]:
    """Give the calls: of the application, of multiserve's dispatcher, of werkzeug's."""
    ours = WSGIDispatcher(Router((parse_key(prefix), bare_wsgi) for prefix in prefixes), _MISSING.wsgi)
    peer = DispatcherMiddleware(_MISSING.wsgi, dict.fromkeys(prefixes, bare_wsgi))
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": path}
    return [lambda app=app: app(environ.copy(), _start_response) for app in (bare_wsgi, ours, peer)]  # type: ignore[misc]


def _start_response(*_: object) -> Callable[[bytes], object]:
    return bytes


def _asgi(prefixes: list[str], path: str) -> list[Callable[[], object]]:
    """Give the calls: of the application, of multiserve's dispatcher, of starlette's router."""
    mounted = ASGIMount(http=bare_asgi, websocket=bare_asgi)
    router = Router((parse_key(prefix), mounted) for prefix in prefixes)
    ours = ASGIDispatcher(router, Lifespans([], [], 0), _MISSING, 0)
    peer = StarletteRouter(routes=[Mount(prefix, bare_asgi) for prefix in prefixes])
    # As gunicorn makes it, with the headers of a browser left out: nobody here looks at them.
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "extensions": {},
    }
    return [partial(_await, app, scope) for app in (bare_asgi, ours, peer)]


def _await(application: ASGIApplication, scope: dict[str, Any]) -> None:
    """Call an application that waits for nothing."""
    try:
        application(scope.copy(), _receive, _send).__await__().__next__()
    except StopIteration:
        return
    raise RuntimeError("the application waits")


async def _receive() -> dict[str, Any]:
    return {}


async def _send(message: object) -> None:
    pass

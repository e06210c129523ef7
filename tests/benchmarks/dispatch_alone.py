"""Dispatch alone, in this process: nanoseconds over a direct call of the application."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import peers
from hello import bare_asgi, bare_wsgi
from processes import table_of
from rounds import Contender, Effort, Goal, Row, Sample, at_most, measure_in_turn, row

from multiserve import create_app
from multiserve._types import ASGIApplication, WSGIApplication
from multiserve.dispatch.answers import not_found
from multiserve.dispatch.asgi import ASGIDispatcher, ASGIMount
from multiserve.dispatch.lifespan import Lifespans
from multiserve.dispatch.wsgi import WSGIDispatcher
from multiserve.keys import parse_key
from multiserve.routing import Router

_PATHS = {"short path": "/users/1", "deep path": "/users/1/orders/42/items/7", "4 KB path": "/a" * 2048}
_GROUPS = [(3, "short path"), (3, "deep path"), (3, "4 KB path"), (100, "short path"), (1000, "short path")]
_SLICE = 5e-4  # seconds that one case takes at most, if a single call does not take longer
_FLAT = at_most(1.3)
_MISSING = not_found()


class Case(NamedTuple):
    """One request to one dispatcher.

    Attributes:
        name: What the table calls it.
        call: Makes the request.
        direct: Makes the same request to the application itself.
        goal: What ours over this one should be, if this is a peer.
    """

    name: str
    call: Callable[[], object]
    direct: Callable[[], object]
    goal: Goal | None = None


def run(effort: Effort) -> Iterator[Row]:
    """Measure the dispatchers, each of ours together with all that it is compared with."""
    for ours, *others in (*_wsgi_by_path(), *_wsgi_by_host(), *_asgi_by_path(), *_asgi_by_host()):
        yield from _compare(ours, others, effort)


def _compare(ours: Case, others: Iterable[Case], effort: Effort) -> Iterator[Row]:
    cases = [ours, *others]
    contenders = [Contender(each.name, partial(_overhead, each, _calls(each, effort))) for each in cases]
    mine, *measured = measure_in_turn(contenders, effort.rounds, effort.slices)
    for case, contender, samples in zip(cases[1:], contenders[1:], measured, strict=True):
        yield row(contenders[0], mine, contender, samples, case.goal)


def overhead_of(application: WSGIApplication, path: str, effort: Effort) -> Callable[[], Sample]:
    """Give what measures the overhead of a composed application once."""
    case = _wsgi_case("", application, environ_of(path))
    return partial(_overhead, case, _calls(case, effort))


def _calls(case: Case, effort: Effort) -> int:
    """Give fewer calls where they take long: some peers look at each segment, and others at each mount."""
    _seconds(case.call, 3)
    return min(effort.calls, max(1, int(_SLICE / _seconds(case.call, 3) * 3)))


def _overhead(case: Case, calls: int) -> Sample:
    return Sample((_seconds(case.call, calls) - _seconds(case.direct, calls)) / calls * 1e9)


def _seconds(call: Callable[[], object], calls: int) -> float:
    began = time.process_time()
    for _ in range(calls):
        call()
    return time.process_time() - began


def _prefixes(size: int) -> list[str]:
    return [f"/app{number:04}" for number in range(size)]


def _wsgi_by_path() -> Iterator[list[Case]]:
    for size, kind in _GROUPS:
        mounts = dict.fromkeys(_prefixes(size), bare_wsgi)
        case = partial(_wsgi_case, environ=environ_of(f"/app{size // 2:04}{_PATHS[kind]}"))
        yield [
            case(f"WSGI, {size} mounts, {kind}", _wsgi(mounts)),
            case("werkzeug DispatcherMiddleware", peers.werkzeug(mounts), goal=at_most(0.6)),
            case("Paste URLMap", peers.paste(mounts)),
            case("cheroot PathInfoDispatcher", peers.cheroot(mounts)),
            *([case("a hand-written if chain", peers.wsgi_chain, goal=at_most(1.5))] if size == 3 else ()),
        ]
    few, many = (_wsgi(dict.fromkeys(_prefixes(size), bare_wsgi)) for size in (3, 1000))
    short, long = (environ_of("/app0001" + _PATHS[kind]) for kind in ("short path", "4 KB path"))
    itself = _wsgi_case("itself, 3 mounts, short path", few, short, _FLAT)
    yield [_wsgi_case("WSGI, 1000 mounts, short path", many, short), itself]
    yield [_wsgi_case("WSGI, 1000 mounts, 4 KB path", many, long), itself]


def _wsgi_by_host() -> Iterator[list[Case]]:
    environ = environ_of("/users/1", host="app0001.example.com:8000")
    plain = _wsgi_case(
        "itself by path alone", _wsgi(dict.fromkeys(_prefixes(3), bare_wsgi)), environ_of("/app0001/users/1")
    )
    hosts = {f"app{number:04}.example.com": bare_wsgi for number in range(3)}
    yield [
        _wsgi_case("WSGI, 3 hosts", _wsgi(hosts), environ),
        _wsgi_case("Paste URLMap", peers.paste(hosts), environ),
        plain,
    ]
    wildcards = {"*.example.com": bare_wsgi, "*.example.org": bare_wsgi, "/": bare_wsgi}
    yield [_wsgi_case("WSGI, wildcard hosts", _wsgi(wildcards), environ), plain]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "multiserve.toml"
        file.write_text(table_of({"{tenant}.example.com": "make_tenant"}), "utf-8")
        yield [_wsgi_case("WSGI, tenants by host", create_app(file), environ), plain]


def _wsgi(mounts: peers.WSGIMounts) -> WSGIApplication:
    return WSGIDispatcher(Router((parse_key(key), application) for key, application in mounts.items()), _MISSING.wsgi)


def _wsgi_case(name: str, application: WSGIApplication, environ: dict[str, Any], goal: Goal | None = None) -> Case:
    def call(application: WSGIApplication) -> object:
        return application(environ.copy(), nothing)

    return Case(name, partial(call, application), partial(call, bare_wsgi), goal)


def nothing(*_: object) -> Callable[[bytes], object]:
    """Start a response that nobody gets."""
    return bytes


def environ_of(path: str, host: str = "127.0.0.1:8000") -> dict[str, Any]:
    """Make the environ of a small request, as large as gunicorn makes it."""
    headers = ("USER_AGENT", "ACCEPT", "ACCEPT_ENCODING", "ACCEPT_LANGUAGE", "CONNECTION", "COOKIE", "REFERER")
    gateway = ("version", "errors", "multithread", "multiprocess", "run_once", "input", "input_terminated")
    return {
        **{f"HTTP_{name}": "x" for name in headers},
        **{f"wsgi.{name}": "x" for name in gateway},
        "wsgi.url_scheme": "http",
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": "",
        "RAW_URI": path,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "gunicorn",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "HTTP_HOST": host,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
    }


def _asgi_by_path() -> Iterator[list[Case]]:
    for size, kind in _GROUPS:
        mounts = dict.fromkeys(_prefixes(size), bare_asgi)
        case = partial(_asgi_case, scope=_scope(f"/app{size // 2:04}{_PATHS[kind]}"))
        yield [
            case(f"ASGI, {size} mounts, {kind}", _asgi(mounts)),
            case("starlette Mount", peers.starlette(mounts), goal=at_most(0.2)),
            case("hypercorn DispatcherMiddleware", peers.hypercorn(mounts)),
            *([case("a hand-written if chain", peers.asgi_chain, goal=at_most(1.5))] if size == 3 else ()),
        ]
    few, many = (_asgi(dict.fromkeys(_prefixes(size), bare_asgi)) for size in (3, 1000))
    short, long = (_scope("/app0001" + _PATHS[kind]) for kind in ("short path", "4 KB path"))
    itself = _asgi_case("itself, 3 mounts, short path", few, short, _FLAT)
    yield [_asgi_case("ASGI, 1000 mounts, short path", many, short), itself]
    yield [_asgi_case("ASGI, 1000 mounts, 4 KB path", many, long), itself]


def _asgi_by_host() -> Iterator[list[Case]]:
    scope = _scope("/users/1", host=b"app0001.example.com:8000")
    hosts = {f"app{number:04}.example.com": bare_asgi for number in range(3)}
    yield [
        _asgi_case("ASGI, 3 hosts", _asgi(hosts), scope),
        _asgi_case("starlette Host", peers.starlette(hosts), scope, at_most(0.2)),
    ]
    yield [
        _asgi_case("ASGI, wildcard hosts", _asgi({"*.example.com": bare_asgi, "*.example.org": bare_asgi}), scope),
        _asgi_case("starlette Host", peers.starlette({"{name}.example.com": bare_asgi}), scope, at_most(0.2)),
    ]


def _asgi(mounts: peers.ASGIMounts) -> ASGIApplication:
    composed = ((parse_key(key), ASGIMount(http=each, websocket=each)) for key, each in mounts.items())
    return ASGIDispatcher(Router(composed), Lifespans([], [], 0), _MISSING, 0)


def _asgi_case(name: str, application: ASGIApplication, scope: dict[str, Any], goal: Goal | None = None) -> Case:
    return Case(name, partial(_await, application, scope), partial(_await, bare_asgi, scope), goal)


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
    raise RuntimeError(f"the application is not found: {message}")


def _scope(path: str, host: bytes = b"127.0.0.1:8000") -> dict[str, Any]:
    """Make the scope of a small request, as gunicorn makes it."""
    names = (b"user-agent", b"accept", b"accept-encoding", b"accept-language", b"connection", b"cookie", b"referer")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", host), *((name, b"x") for name in names)],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "extensions": {},
    }

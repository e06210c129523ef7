from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiserve.dispatch.answers import not_found
from multiserve.dispatch.asgi import ASGIDispatcher, ASGIMount
from multiserve.dispatch.lifespan import Lifespan, Lifespans
from multiserve.dispatch.tenants import ASGITenantMount
from multiserve.keys import parse_key
from multiserve.routing import Router

KEYS = ["/", "/admin", "/admin/users", "/café", "example.com", "example.com:8443/x"]


def scope(path: str, kind: str = "http", **changes: Any) -> dict[str, Any]:
    host = changes.pop("host", None)
    headers = [] if host is None else [(b"host", host.encode())]
    scheme = "ws" if kind == "websocket" else "http"
    return {"type": kind, "path": path, "scheme": scheme, "headers": headers, "method": "GET", **changes}


class Composition:
    """A dispatcher over applications that note their scope; the WSGI ones stand behind a bridge."""

    def __init__(self, keys: list[str], wsgi: tuple[str, ...] = (), startup_timeout: float = 0.2) -> None:
        self.reached: list[tuple[str, dict[str, Any]]] = []
        missing = not_found()
        mounts = []
        self.lifespans: dict[str, Lifespan] = {}
        for key in keys:
            application = self._application(key)
            self.lifespans[key] = lifespan = Lifespan(application, key)
            mount = (
                ASGIMount(http=application, websocket=missing.asgi)
                if key in wsgi
                else ASGIMount(http=application, websocket=application, lifespan=lifespan)
            )
            mounts.append((parse_key(key), mount))
        supervisor = Lifespans([self.lifespans[key] for key in keys if key not in wsgi], [], 1)
        self.dispatcher = ASGIDispatcher(Router(mounts), supervisor, missing, startup_timeout)

    def _application(self, key: str) -> Any:
        async def application(scope: Any, receive: Any, send: Any) -> None:
            self.reached.append((key, dict(scope)))

        return application

    def call(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.dispatcher(request, receive, send))
        return sent


def dispatch(request: dict[str, Any], keys: list[str] = KEYS) -> tuple[str | None, dict[str, Any]]:
    composition = Composition(keys)
    composition.call(request)
    return composition.reached[0] if composition.reached else (None, {})


MOVES = [
    # path, root_path, raw_path -> mount, root_path, path, raw_path
    pytest.param("/", "", b"/", "/", "", "/", b"/", id="the root"),
    pytest.param("/admin", "", b"/admin", "/admin", "/admin", "/admin", b"/admin", id="a bare prefix"),
    pytest.param("/admin/x", "", b"/admin/x", "/admin", "/admin", "/admin/x", b"/admin/x", id="below a prefix"),
    pytest.param("/administrator", "", None, "/", "", "/administrator", None, id="a longer segment"),
    pytest.param("/admin/users/1", "", None, "/admin/users", "/admin/users", "/admin/users/1", None, id="nested"),
    pytest.param("//admin", "", None, "/", "", "//admin", None, id="two slashes"),
    pytest.param("/admin/a b", "", b"/admin/a%20b", "/admin", "/admin", "/admin/a b", b"/admin/a%20b", id="escaped"),
    pytest.param("/café/x", "", b"/caf%C3%A9/x", "/café", "/café", "/café/x", b"/caf%C3%A9/x", id="beyond ASCII"),
    pytest.param("/\udcff", "", b"/%ff", "/", "", "/\udcff", b"/%ff", id="not UTF-8, by surrogates"),
    pytest.param("*", "", b"*", "/", "", "*", b"*", id="OPTIONS *"),
    pytest.param("", "", b"", "/", "", "", b"", id="an empty path"),
    pytest.param(
        "/api/admin/x", "/api", b"/api/admin/x", "/admin", "/api/admin", "/api/admin/x", b"/api/admin/x",
        id="an incoming root_path comes off first",
    ),
    pytest.param("/api", "/api", b"/api", "/", "/api", "/api", b"/api", id="the path is the root_path"),
    pytest.param("/api/", "/api/", b"/api/", "/", "/api", "/api/", b"/api/", id="a root_path with a slash at its end"),
    pytest.param(
        "/apix/admin", "/api", b"/apix/admin", "/", "/api", "/api/apix/admin", b"/api/apix/admin",
        id="a root_path is whole segments",
    ),
    pytest.param(
        "/admin/x", "/api", b"/admin/x", "/admin", "/api/admin", "/api/admin/x", b"/api/admin/x",
        id="a root_path that a proxy took off is put back",
    ),
    pytest.param(
        "/admin/x", "/é", None, "/admin", "/é/admin", "/é/admin/x", b"/%C3%A9/admin/x",
        id="a root_path beyond ASCII is put back",
    ),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(("path", "outer", "raw", "mount", "root_path", "whole", "whole_raw"), MOVES)
def test_root_path_grows_and_the_path_stays_whole(
    kind: str,
    path: str,
    outer: str,
    raw: bytes | None,
    mount: str,
    root_path: str,
    whole: str,
    whole_raw: bytes | None,
) -> None:
    request = scope(path, kind, root_path=outer, raw_path=raw)
    reached, seen = dispatch(request)
    assert reached == mount
    assert (seen["root_path"], seen["path"], seen["raw_path"]) == (root_path, whole, whole_raw)
    assert seen["multiserve.mount"] == request["multiserve.mount"] == mount


ABSOLUTE = [
    pytest.param("http://example.com/x/y", b"http://example.com/x%2Fy", "example.com", "/x/y", b"/x%2Fy", id="a host"),
    pytest.param("http://example.com:8443/x", None, "example.com:8443/x", "/x", None, id="a port, without raw_path"),
    pytest.param("https://other.test/admin", b"https://other.test/admin", "/admin", "/admin", b"/admin", id="other"),
    pytest.param("http://example.com", b"http://example.com", "example.com", "/", b"/", id="no path"),
    pytest.param("admin/http://example.com", None, "/", "admin/http://example.com", None, id="no absolute form"),
]


@pytest.mark.parametrize(("path", "raw_path", "mount", "whole", "whole_raw"), ABSOLUTE)
def test_an_absolute_form_target_has_the_host_in_it(
    path: str, raw_path: bytes | None, mount: str, whole: str, whole_raw: bytes | None
) -> None:
    request = scope(path, raw_path=raw_path, host="example.org")
    reached, seen = dispatch(request)
    assert (reached, seen["path"], seen["raw_path"]) == (mount, whole, whole_raw)
    assert seen["multiserve.mount"] == request["multiserve.mount"] == mount


HOSTS = [
    pytest.param({"host": "example.com"}, "/x", "http", "example.com", id="a host"),
    pytest.param({"host": "EXAMPLE.com."}, "/x", "websocket", "example.com", id="a host, for a WebSocket"),
    pytest.param({"host": "example.com:8443"}, "/x", "http", "example.com:8443/x", id="a port"),
    pytest.param({"host": "other.test"}, "/x", "http", "/", id="another host"),
    pytest.param({}, "/x", "http", "/", id="no host"),
    pytest.param({"headers": [(b"host", b"example.com")] * 2}, "/x", "http", "/", id="two hosts are none"),
    pytest.param({"host": "example.com:abc"}, "/x", "http", "/", id="a malformed host"),
]


@pytest.mark.parametrize(("changes", "path", "kind", "mount"), HOSTS)
def test_the_host_decides_first(changes: dict[str, Any], path: str, kind: str, mount: str) -> None:
    assert dispatch(scope(path, kind, **changes))[0] == mount


def test_the_application_gets_a_scope_of_its_own() -> None:
    foreign = {"app": 1, "router": 2, "endpoint": 3, "path_params": {}, "route": 4, "app_root_path": "/x"}
    request = scope("/admin/x", root_path="", state={"outer": 1}, user="kept", **foreign)
    _, seen = dispatch(request)
    assert foreign.keys().isdisjoint(seen)
    assert seen["state"] == {}
    assert seen["user"] == "kept"
    assert {**request, "multiserve.mount": "/admin"} == request


def test_each_request_gets_a_copy_of_the_state_of_its_own_application() -> None:
    composition = Composition(["/a", "/b"])
    composition.lifespans["/a"].state["db"] = "a's"
    composition.call(scope("/a"))
    composition.call(scope("/b"))
    (_, first), (_, second) = composition.reached
    assert (first["state"], second["state"]) == ({"db": "a's"}, {})
    assert first["state"] is not composition.lifespans["/a"].state


NOT_FOUND = b"Not Found: no mount answers this URL.\n"
DENIAL = {"websocket.http.response": {}}

REFUSALS = [
    pytest.param(scope("/x"), [404, NOT_FOUND], id="a request"),
    pytest.param(scope("/x", method="HEAD"), [404, b""], id="a HEAD request"),
    pytest.param(scope("/x", "websocket", extensions=DENIAL), [404, NOT_FOUND], id="a WebSocket, in words"),
    pytest.param(scope("/x", "websocket"), ["websocket.close"], id="a WebSocket, without the extension"),
    pytest.param(scope("/x", "websocket", extensions=None), ["websocket.close"], id="a WebSocket, extensions None"),
    pytest.param(scope("/wsgi", "websocket", extensions=DENIAL), [404, NOT_FOUND], id="a WebSocket to a WSGI mount"),
    pytest.param(scope("/wsgi", "websocket"), ["websocket.close"], id="the same without the extension"),
]


@pytest.mark.parametrize(("request_scope", "expected"), REFUSALS)
def test_what_no_mount_takes_is_refused(request_scope: dict[str, Any], expected: list[Any]) -> None:
    composition = Composition(["/wsgi", "/asgi"], wsgi=("/wsgi",))
    sent = composition.call(request_scope)
    kind = "websocket.http.response" if request_scope["type"] == "websocket" else "http.response"
    if expected == ["websocket.close"]:
        assert sent == [{"type": "websocket.close"}]
    else:
        assert [message["type"] for message in sent] == [f"{kind}.start", f"{kind}.body"]
        assert [sent[0]["status"], sent[1]["body"]] == expected
    assert composition.reached == []


@pytest.mark.parametrize("details", [False, True])
def test_a_mount_whose_start_up_failed_answers_503(details: bool) -> None:
    composition = Composition(["/a"])
    composition.dispatcher.details = details

    async def run() -> list[dict[str, Any]]:
        async def failing(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "no database"})

        composition.lifespans["/a"].application = failing
        await composition.dispatcher.lifespans.start()
        sent: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await composition.dispatcher(scope("/a"), send, send)
        return sent

    sent = asyncio.run(run())
    assert sent[0]["status"] == 503
    text = b"Service Unavailable: the application at /a could not be started.\n"
    assert sent[1]["body"] == text + (b"\nno database\n" if details else b"")


class OwnError(BaseException):
    """What some frameworks raise so that nobody catches it by accident."""


@pytest.mark.parametrize("leave", [SystemExit(3), KeyboardInterrupt(), OwnError()], ids=repr)
def test_an_application_that_ends_the_process_ends_only_its_request(leave: BaseException) -> None:
    composition = Composition(["/a"])

    async def leaving(scope: Any, receive: Any, send: Any) -> None:
        raise leave

    route = composition.dispatcher.router.find("/a")
    assert route is not None
    route.mount = ASGIMount(http=leaving, websocket=leaving)
    with pytest.raises(RuntimeError, match=re.escape(f"the application at /a raised {leave!r}")):
        composition.call(scope("/a"))


def test_a_request_waits_for_the_start_up_of_its_mount_and_no_longer_than_it_may() -> None:
    composition = Composition(["/a"], startup_timeout=0.1)
    lifespan = composition.lifespans["/a"]

    async def run() -> list[int]:
        go_on = asyncio.Event()

        async def slow(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                await send({"type": "http.response.start", "status": 200})
                return
            await receive()
            await go_on.wait()
            await send({"type": "lifespan.startup.complete"})
            await receive()

        lifespan.application = slow
        route = composition.dispatcher.router.find("/a")
        assert route is not None
        route.mount = ASGIMount(http=slow, websocket=slow, lifespan=lifespan)
        lifespan.start()
        sent: list[int] = []

        async def send(message: Any) -> None:
            if "status" in message:
                sent.append(message["status"])

        await composition.dispatcher(scope("/a"), send, send)
        composition.dispatcher.startup_timeout = 30
        waiting = asyncio.create_task(composition.dispatcher(scope("/a"), send, send))
        await asyncio.sleep(0)
        assert not waiting.done()
        go_on.set()
        await waiting
        await lifespan.stop(1)
        return sent

    assert asyncio.run(run()) == [503, 200]


TEXT = st.text(max_size=20)


@given(TEXT, TEXT.map(lambda text: f"/{text}"), st.one_of(st.none(), TEXT), st.sampled_from(["http", "websocket"]))
def test_nothing_that_a_client_sends_raises(path: str, root_path: str, host: str | None, kind: str) -> None:
    headers = [] if host is None else [(b"host", host.encode("utf-8", "surrogatepass"))]
    dispatch(scope(path, kind, root_path=root_path, headers=headers))


class Tenants(ASGITenantMount):
    """A mount with placeholders: it has some names, and none for the others."""

    def __init__(self, names: set[str], reached: list[tuple[str, dict[str, Any]]]) -> None:
        self.names = names
        self.reached = reached
        self.claimed: list[tuple[tuple[str, ...], str]] = []

    async def claim(self, values: tuple[str, ...], prefix: str) -> Any:
        self.claimed.append((values, prefix))

        async def application(scope: Any, receive: Any, send: Any) -> None:
            self.reached.append((f"tenant {values}", dict(scope)))

        return application if values[0] in self.names else None


def dispatch_with_tenants(request: dict[str, Any], **options: Any) -> tuple[tuple[str, dict[str, Any]] | None, Tenants]:
    composition = Composition(["/u", "/u/admin"])
    reached = composition.reached
    users, hosts = Tenants({"ann", "café"}, reached), Tenants({"ann"}, reached)
    routes = [composition.dispatcher.router.find(path) for path in ("/u", "/u/admin")]
    mounts: list[Any] = [(route.key, route.mount) for route in routes if route]
    mounts += [(parse_key("/u/{user}"), users), (parse_key("{tenant}.example.com"), hosts)]
    composition.dispatcher = ASGIDispatcher(Router(mounts), Lifespans([], [], 1), not_found(), 0.2, **options)
    composition.call(request)
    return (reached[0] if reached else None), users


TENANTS = [
    pytest.param(scope("/u/ann/x"), "tenant ('ann',)", "/u/ann", id="a tenant"),
    pytest.param(scope("/u/ann", "websocket"), "tenant ('ann',)", "/u/ann", id="a WebSocket of a tenant"),
    pytest.param(scope("/o/u/ann/x", root_path="/o"), "tenant ('ann',)", "/o/u/ann", id="below an outer root_path"),
    pytest.param(scope("/u/café/x"), "tenant ('café',)", "/u/café", id="text beyond ASCII"),
    pytest.param(scope("/u/bob/x"), "/u", "/u", id="no such tenant, the next best mount"),
    pytest.param(scope("/u/\ufffd/x"), "/u", "/u", id="what was not UTF-8"),
    pytest.param(scope("/u/\ud800/x"), "/u", "/u", id="half a character"),
    pytest.param(scope("/u/admin/x"), "/u/admin", "/u/admin", id="a literal segment"),
    pytest.param(scope("/x", host="ann.example.com"), "tenant ('ann',)", "", id="a host"),
    pytest.param(scope("/u/ann/x", host="bob.example.com"), "tenant ('ann',)", "/u/ann", id="no such host, but a path"),
]


@pytest.mark.parametrize(("request_", "reached", "root_path"), TENANTS)
def test_a_tenant_answers_or_leaves_it_to_the_next_best_mount(
    request_: dict[str, Any], reached: str, root_path: str
) -> None:
    found, users = dispatch_with_tenants(dict(request_))
    assert found is not None
    assert (found[0], found[1]["root_path"], found[1]["path"]) == (reached, root_path, request_["path"])
    assert all(prefix == f"/u/{values[0]}" for values, prefix in users.claimed)


def test_a_tenant_that_nobody_has_gets_404() -> None:
    composition = Composition([])
    router = Router([(parse_key("{tenant}.example.com"), Tenants(set(), []))])
    composition.dispatcher = ASGIDispatcher(router, Lifespans([], [], 1), not_found(), 0.2)
    assert composition.call(scope("/", host="ann.example.com"))[0]["status"] == 404


def test_a_trusted_proxy_is_believed_before_the_mount_is_looked_up() -> None:
    forwarded = [(b"x-forwarded-host", b"ann.example.com"), (b"x-forwarded-prefix", b"/shop")]
    request = scope("/x", headers=[(b"host", b"127.0.0.1"), *forwarded])
    assert dispatch_with_tenants(dict(request))[0] is None
    found, _ = dispatch_with_tenants(dict(request), trusted_proxies=1)
    assert found is not None
    assert (found[0], found[1]["root_path"], found[1]["path"]) == ("tenant ('ann',)", "/shop", "/shop/x")


def test_a_trusted_proxy_counts_more_than_the_host_of_an_absolute_target() -> None:
    headers = [(b"host", b"127.0.0.1"), (b"x-forwarded-host", b"ann.example.com")]
    request = scope("http://bob.example.com/x", raw_path=b"http://bob.example.com/x", headers=headers)
    found, _ = dispatch_with_tenants(request, trusted_proxies=1)
    assert found is not None
    assert (found[0], found[1]["path"]) == ("tenant ('ann',)", "/x")

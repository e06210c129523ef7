from __future__ import annotations

import random
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiserve.dispatch.answers import not_found
from multiserve.dispatch.tenants import WSGITenantMount
from multiserve.dispatch.wsgi import WSGIDispatcher
from multiserve.keys import parse_key
from multiserve.routing import Router


class Recorder:
    """A WSGI application that notes what it is given."""

    def __init__(self, name: str, seen: list[tuple[str, dict[str, Any]]]) -> None:
        self.name = name
        self.seen = seen

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.seen.append((self.name, dict(environ)))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [self.name.encode()]


def dispatch(keys: list[str], **environ: Any) -> tuple[str | None, dict[str, Any]]:
    """Dispatch one request: the mount that it reached, and the environ that arrived."""
    seen: list[tuple[str, dict[str, Any]]] = []
    dispatcher = WSGIDispatcher(Router((parse_key(key), Recorder(key, seen)) for key in keys), not_found().wsgi)
    given_environ = {name.replace("__", "."): value for name, value in environ.items()}
    list(dispatcher(given_environ, lambda *_: lambda _: None))
    return seen[0] if seen else (None, given_environ)


KEYS = ["/", "/admin", "/admin/users", "/café"]

MOVES = [
    pytest.param("/", "", "/", "", "/", id="the root moves nothing"),
    pytest.param("/x/y", "", "/", "", "/x/y", id="below the root"),
    pytest.param("/admin", "", "/admin", "/admin", "", id="the bare mount root has an empty PATH_INFO"),
    pytest.param("/admin/", "", "/admin", "/admin", "/", id="the mount root with its slash"),
    pytest.param("/admin/x", "", "/admin", "/admin", "/x", id="below a mount"),
    pytest.param("/admin/users/1", "", "/admin/users", "/admin/users", "/1", id="a nested mount"),
    pytest.param("/admin//x", "", "/admin", "/admin", "//x", id="slashes stay as they are"),
    pytest.param("/admin/a/../b", "", "/admin", "/admin", "/a/../b", id="dots stay as they are"),
    pytest.param("//admin", "", "/", "", "//admin", id="two slashes are no mount"),
    pytest.param("/administrator", "", "/", "", "/administrator", id="a longer segment"),
    pytest.param("/caf\xc3\xa9/\xff", "", "/café", "/caf\xc3\xa9", "/\xff", id="bytes stay as they are"),
    pytest.param("/admin/x", "/outer", "/admin", "/outer/admin", "/x", id="an outer SCRIPT_NAME grows"),
    pytest.param("/x", "/outer", "/", "/outer", "/x", id="an outer SCRIPT_NAME stays at the root"),
    pytest.param("", "/outer", "/", "/outer", "", id="an empty PATH_INFO"),
    pytest.param("*", "", "/", "", "*", id="OPTIONS * reaches the root as it is"),
]


@pytest.mark.parametrize(("path", "outer", "mount", "script_name", "path_info"), MOVES)
def test_the_prefix_moves_into_script_name(path: str, outer: str, mount: str, script_name: str, path_info: str) -> None:
    reached, environ = dispatch(KEYS, PATH_INFO=path, SCRIPT_NAME=outer)
    assert reached == mount
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (script_name, path_info)
    assert environ["multiserve.mount"] == mount


MISSING = [
    pytest.param({}, "/", id="nothing at all"),
    pytest.param({"PATH_INFO": "/admin/x"}, "/admin", id="no SCRIPT_NAME"),
    pytest.param({"SCRIPT_NAME": "/outer"}, "/", id="no PATH_INFO"),
    pytest.param({"PATH_INFO": "/", "HTTP_HOST": ""}, "/", id="an empty Host"),
    pytest.param({"PATH_INFO": "/", "SERVER_PORT": ""}, "/", id="an empty SERVER_PORT"),
    pytest.param({"PATH_INFO": "/", "wsgi.url_scheme": ""}, "/", id="an empty scheme"),
]


@pytest.mark.parametrize(("environ", "mount"), MISSING)
@pytest.mark.parametrize("hosts", [[], ["example.com:80", "*.example.com"]], ids=["without hosts", "with hosts"])
def test_missing_variables_are_no_error(environ: dict[str, str], mount: str, hosts: list[str]) -> None:
    assert dispatch([*KEYS, *hosts], **environ)[0] == mount


TARGETS = [
    pytest.param("/x", "example.com", "example.com", id="origin-form: the Host header"),
    pytest.param("http://example.com/x", "other.test", "example.com", id="absolute-form: the target wins"),
    pytest.param("http://other.test/x", "example.com", "/", id="absolute-form: a host that no mount has"),
    pytest.param("HTTP://EXAMPLE.com:80/x", "other.test", "example.com", id="absolute-form: upper case and a port"),
    pytest.param("/x?next=http://other.test/", "example.com", "example.com", id="a URL in the query is no target"),
    pytest.param("*", "example.com", "example.com", id="asterisk-form: the Host header"),
    pytest.param("", "example.com", "example.com", id="no target"),
]


@pytest.mark.parametrize("variable", ["RAW_URI", "REQUEST_URI"])
@pytest.mark.parametrize(("target", "host", "mount"), TARGETS)
def test_the_host_of_an_absolute_target_counts(variable: str, target: str, host: str, mount: str) -> None:
    assert dispatch(["/", "example.com"], PATH_INFO="/x", HTTP_HOST=host, **{variable: target})[0] == mount


def test_a_request_that_no_mount_takes_gets_404_and_keeps_its_environ() -> None:
    environ = {"PATH_INFO": "/other", "SCRIPT_NAME": "/outer", "HTTP_HOST": "example.com", "REQUEST_METHOD": "GET"}
    before = dict(environ)
    started: list[tuple[str, list[tuple[str, str]]]] = []
    dispatcher = WSGIDispatcher(Router([(parse_key("/admin"), Recorder("/admin", []))]), not_found().wsgi)
    body = dispatcher(environ, lambda status, headers, _=None: started.append((status, headers)))  # type: ignore[arg-type,func-returns-value]
    assert list(body) == [b"Not Found: no mount answers this URL.\n"]
    assert [status for status, _ in started] == ["404 Not Found"]
    assert environ == before


@pytest.mark.parametrize("path", ["/", "/admin", "/admin/x", "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")
def test_dispatcher_and_applications_conform_to_pep_3333(path: str, method: str) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return []

    mounts = {"/admin": validator(application)} if path == "/nowhere" else {"/": validator(application)}
    mounts["/admin"] = validator(application)
    dispatcher = validator(
        WSGIDispatcher(Router((parse_key(key), app) for key, app in mounts.items()), not_found().wsgi)
    )
    environ: dict[str, Any] = {"SCRIPT_NAME": "", "PATH_INFO": path, "REQUEST_METHOD": method, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    response = dispatcher(environ, lambda *_: lambda _: None)
    try:
        list(response)
    finally:
        response.close()  # type: ignore[attr-defined]


WSGI_TEXT = st.text(st.characters(max_codepoint=255), max_size=30)
WSGI_PATHS = st.one_of(st.just(""), WSGI_TEXT.map(lambda text: f"/{text}"), st.sampled_from(["/admin/x", "/a/b/c"]))
OUTERS = st.one_of(st.just(""), st.sampled_from(["/outer", "/a/b"]))


@given(WSGI_PATHS, OUTERS, st.one_of(st.none(), WSGI_TEXT), st.one_of(st.none(), WSGI_TEXT))
def test_script_name_and_path_info_are_what_came_in(
    path: str, outer: str, host: str | None, target: str | None
) -> None:
    optional = {"HTTP_HOST": host, "RAW_URI": target}
    environ = {name: value for name, value in optional.items() if value is not None}
    keys = ["/admin", "/a/b", "/a", "example.com/x", "*.test"]
    before = {"PATH_INFO": path, "SCRIPT_NAME": outer, **environ}
    mount, after = dispatch(keys, **before)
    script_name, path_info = after["SCRIPT_NAME"], after["PATH_INFO"]
    assert script_name + path_info == outer + path
    assert script_name == "" or (script_name.startswith("/") and not script_name.endswith("/"))
    assert path_info == "" or path_info.startswith("/")
    if mount is None:
        assert after == before


@given(st.randoms(use_true_random=False), WSGI_PATHS)
def test_the_answer_does_not_depend_on_the_order_of_the_file(shuffler: random.Random, path: str) -> None:
    keys = ["/", "/admin", "/a", "/a/b", "/a/b/c", "/café"]
    shuffled = shuffler.sample(keys, len(keys))
    assert dispatch(keys, PATH_INFO=path) == dispatch(shuffled, PATH_INFO=path)


@given(st.dictionaries(st.sampled_from(["PATH_INFO", "SCRIPT_NAME", "HTTP_HOST", "RAW_URI"]), WSGI_TEXT))
def test_nothing_that_a_client_sends_raises(environ: dict[str, str]) -> None:
    dispatch(["/admin", "example.com:80", "*.example.com/a", "[::1]"], **environ)


class Tenants(WSGITenantMount):
    """A mount with placeholders: it has some names, and none for the others."""

    def __init__(self, names: set[str], seen: list[tuple[str, dict[str, Any]]]) -> None:
        self.names = names
        self.seen = seen
        self.claimed: list[tuple[tuple[str, ...], str]] = []

    def claim(self, values: tuple[str, ...], prefix: str) -> Recorder | None:
        self.claimed.append((values, prefix))
        return Recorder(f"tenant {values}", self.seen) if values[0] in self.names else None


TENANTS = [
    pytest.param("/u/ann/x", "", "tenant ('ann',)", "/u/ann", "/x", id="a tenant"),
    pytest.param("/u/ann", "", "tenant ('ann',)", "/u/ann", "", id="a tenant, bare"),
    pytest.param("/u/caf\xc3\xa9/x", "", "tenant ('café',)", "/u/caf\xc3\xa9", "/x", id="text beyond ASCII"),
    pytest.param("/u/bob/x", "", "/u", "/u", "/bob/x", id="no such tenant, the next best mount"),
    pytest.param("/u/admin/x", "", "/u/admin", "/u/admin", "/x", id="a literal segment"),
    pytest.param("/x", "ann.example.com", "tenant ('ann',)", "", "/x", id="a host"),
    pytest.param("/x", "bob.example.com", None, "", "/x", id="no such host, and nothing else"),
    pytest.param("/u/ann/x", "bob.example.com", "tenant ('ann',)", "/u/ann", "/x", id="no such host, but a path"),
]


@pytest.mark.parametrize(("path", "host", "reached", "script_name", "path_info"), TENANTS)
def test_a_tenant_answers_or_leaves_it_to_the_next_best_mount(
    path: str, host: str, reached: str | None, script_name: str, path_info: str
) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []
    users, hosts = Tenants({"ann", "café"}, seen), Tenants({"ann"}, seen)
    mounts = {"/u": Recorder("/u", seen), "/u/admin": Recorder("/u/admin", seen)}
    mounts |= {"/u/{user}": users, "{tenant}.example.com": hosts}
    router: Router[Any] = Router((parse_key(key), mount) for key, mount in mounts.items())
    environ = {"PATH_INFO": path, "SCRIPT_NAME": "", "HTTP_HOST": host}
    list(WSGIDispatcher(router, not_found().wsgi)(environ, lambda *_: lambda _: None))
    assert (seen[0][0] if seen else None) == reached
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (script_name, path_info)
    assert all(prefix == f"/u/{values[0]}" for values, prefix in users.claimed)


def test_a_trusted_proxy_is_believed_before_the_mount_is_looked_up() -> None:
    seen: list[tuple[str, dict[str, Any]]] = []
    router = Router((parse_key(key), Recorder(key, seen)) for key in ("/", "example.com/admin"))
    environ = {
        "PATH_INFO": "/admin/x",
        "HTTP_HOST": "127.0.0.1:8000",
        "RAW_URI": "http://other.test/admin/x",
        "HTTP_X_FORWARDED_HOST": "example.com",
        "HTTP_X_FORWARDED_PREFIX": "/shop",
    }
    list(WSGIDispatcher(router, not_found().wsgi)(dict(environ), lambda *_: lambda _: None))
    list(WSGIDispatcher(router, not_found().wsgi, trusted_proxies=1)(environ, lambda *_: lambda _: None))
    assert [name for name, _ in seen] == ["/", "example.com/admin"]
    assert (seen[1][1]["SCRIPT_NAME"], seen[1][1]["PATH_INFO"]) == ("/shop/admin", "/x")

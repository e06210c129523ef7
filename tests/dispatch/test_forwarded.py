"""What trusted proxies tell is believed, the same for WSGI and ASGI; what anybody else says is not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multiserve.dispatch import asgi, wsgi
from multiserve.dispatch.answers import not_found
from multiserve.dispatch.asgi import split_root_path
from multiserve.dispatch.environ import build_environ
from multiserve.dispatch.forwarded import believe_environ, believe_scope
from multiserve.dispatch.lifespan import Lifespans
from multiserve.keys import parse_key
from multiserve.routing import Router

NAMES = {"for": "X-Forwarded-For", "proto": "X-Forwarded-Proto", "host": "X-Forwarded-Host"}
NAMES |= {"port": "X-Forwarded-Port", "prefix": "X-Forwarded-Prefix"}


def environ_of(path: str = "/x", asked: str | None = "front.test", **told: str) -> dict[str, Any]:
    environ = {
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "RAW_URI": path,
        "REQUEST_METHOD": "GET",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "wsgi.url_scheme": "http",
        **({} if asked is None else {"HTTP_HOST": asked}),
    }
    return environ | {f"HTTP_{NAMES[name].upper().replace('-', '_')}": value for name, value in told.items()}


def scope_of(path: str = "/x", asked: str | None = "front.test", kind: str = "http", **told: str) -> dict[str, Any]:
    lines = {**({} if asked is None else {"Host": asked}), **{NAMES[name]: value for name, value in told.items()}}
    return {
        "type": kind,
        "method": "GET",
        "http_version": "1.1",
        "scheme": "ws" if kind == "websocket" else "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in lines.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }


def believed(hops: int, *, path: str = "/x", asked: str | None = "front.test", **told: str) -> dict[str, Any]:
    """Say what became of a request, as an environ; the scope has to become the same."""
    environ = environ_of(path, asked, **told)
    believe_environ(environ, hops)
    scope = scope_of(path, asked, **told)
    believe_scope(scope, hops)
    as_environ = build_environ(scope, lambda: b"")
    assert environ == {name: value for name, value in as_environ.items() if name in environ} | {
        name: environ[name] for name in ("RAW_URI",)
    }
    assert {name for name in as_environ if name.startswith(("HTTP_", "multiserve."))} <= environ.keys()
    return environ


CLIENTS = [
    pytest.param("203.0.113.7", ("203.0.113.7", "0"), id="an address"),
    pytest.param("203.0.113.7:56", ("203.0.113.7", "56"), id="an address with a port"),
    pytest.param("2001:db8::7", ("2001:db8::7", "0"), id="an IPv6 address"),
    pytest.param("[2001:db8::7]", ("2001:db8::7", "0"), id="an IPv6 address in brackets"),
    pytest.param("[2001:db8::7]:56", ("2001:db8::7", "56"), id="an IPv6 address with a port"),
    pytest.param("::ffff:203.0.113.7", ("::ffff:203.0.113.7", "0"), id="IPv4 in IPv6"),
    pytest.param(" \t203.0.113.7 ", ("203.0.113.7", "0"), id="spaces around it"),
    pytest.param("6.6.6.6, 203.0.113.7", ("203.0.113.7", "0"), id="the last one counts"),
    pytest.param("6.6.6.6,,203.0.113.7", ("203.0.113.7", "0"), id="an empty one before it"),
    pytest.param('"6.6.6.6, 203.0.113.7', ("203.0.113.7", "0"), id="quotes mean nothing"),
]
NO_CLIENTS = ["", " ", "unknown", "_hidden", "unix:", "203.0.113", "203.0.113.07", "203.0.113.256", "203.0.113.7:"]
NO_CLIENTS += [
    "203.0.113.7:65536",
    "203.0.113.7:-1",
    "[203.0.113.7]",
    "[::1",
    "::1]",
    "[::1]x",
    "::1::2",
    "fe80::1%eth0",
]
NO_CLIENTS += ["203.0.113.7,", "203.0.113.7, unix:", "203.0.113.7\x00", "²03.0.113.7", "localhost", "[]", "1:2", "."]


@pytest.mark.parametrize(("value", "client"), CLIENTS)
def test_x_forwarded_for_is_the_client(value: str, client: tuple[str, str]) -> None:
    environ = believed(1, **{"for": value})
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == client


@pytest.mark.parametrize("value", NO_CLIENTS)
def test_what_is_no_address_is_no_client(value: str) -> None:
    environ = believed(1, **{"for": value})
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("127.0.0.1", "50000")


HOSTS = [
    # What the proxies tell -> scheme, Host, server name, server port, whether the host is theirs.
    pytest.param({"proto": "https"}, ("https", "front.test", "127.0.0.1", "8000"), id="the scheme alone"),
    pytest.param({"proto": "HTTPS"}, ("https", "front.test", "127.0.0.1", "8000"), id="the scheme in capitals"),
    pytest.param({"proto": "wss"}, ("https", "front.test", "127.0.0.1", "8000"), id="the scheme of a WebSocket"),
    pytest.param({"proto": "http, https"}, ("https", "front.test", "127.0.0.1", "8000"), id="the last scheme"),
    pytest.param({"host": "a.test"}, ("http", "a.test", "a.test", "80"), id="a host"),
    pytest.param({"host": "A.Test."}, ("http", "a.test", "a.test", "80"), id="a host in its normal form"),
    pytest.param({"host": "a.test:81"}, ("http", "a.test:81", "a.test", "81"), id="a host with a port"),
    pytest.param({"host": "a.test:80"}, ("http", "a.test", "a.test", "80"), id="the port of the scheme"),
    pytest.param({"host": "[::1]"}, ("http", "[::1]", "[::1]", "80"), id="an IPv6 host"),
    pytest.param({"host": "[0::1]:81"}, ("http", "[::1]:81", "[::1]", "81"), id="an IPv6 host with a port"),
    pytest.param({"host": "evil.test, a.test"}, ("http", "a.test", "a.test", "80"), id="the last host"),
    pytest.param({"host": "a.test", "proto": "https"}, ("https", "a.test", "a.test", "443"), id="https"),
    pytest.param(
        {"host": "a.test:443", "proto": "https"}, ("https", "a.test", "a.test", "443"), id="the port of https"
    ),
    pytest.param(
        {"host": "a.test:80", "proto": "https"}, ("https", "a.test:80", "a.test", "80"), id="another port"
    ),
    pytest.param({"host": "a.test:81", "port": "82"}, ("http", "a.test:82", "a.test", "82"), id="the port wins"),
    pytest.param(
        {"host": "a.test", "port": "443", "proto": "https"}, ("https", "a.test", "a.test", "443"), id="all three"
    ),
    pytest.param({"port": "82"}, ("http", "front.test:82", "front.test", "82"), id="a port for the Host header"),
    pytest.param({"port": "1, 82"}, ("http", "front.test:82", "front.test", "82"), id="the last port"),
]  # fmt: skip
NOTHING = [{"proto": value} for value in ("", "ftp", "https;", "http https", "https,", "\x00", "ß")]
NOTHING += [{"host": value} for value in ("", "a b", "a.test:x", "a@b", "a.test/x", "*", "[::1", "a.test:0", "a.test,")]
NOTHING += [{"host": value} for value in ("a.test:65536", "é.test", "http://a.test", "a..test", "\x00")]
NOTHING += [{"port": value} for value in ("", "0", "65536", "-1", "+1", "http", "8 0", "²", "999999999", "82,")]


def server_of(environ: dict[str, Any]) -> tuple[str, str, str, str]:
    host = environ["HTTP_HOST"]
    return environ["wsgi.url_scheme"], host, environ["SERVER_NAME"], environ["SERVER_PORT"]


@pytest.mark.parametrize(("told", "server"), HOSTS)
def test_scheme_host_and_port_are_those_that_the_client_used(told: dict[str, str], server: tuple[Any, ...]) -> None:
    assert server_of(believed(1, **told)) == server


@pytest.mark.parametrize("told", NOTHING, ids=str)
def test_a_wrong_scheme_host_or_port_changes_nothing(told: dict[str, str]) -> None:
    assert server_of(believed(1, **told)) == ("http", "front.test", "127.0.0.1", "8000")


@pytest.mark.parametrize("host", [None, "", "a b", "front.test:x"], ids=repr)
def test_a_port_without_a_host_changes_nothing(host: str | None) -> None:
    environ = believed(1, asked=host, port="82")
    assert (environ.get("HTTP_HOST"), environ["SERVER_PORT"]) == (host, "8000")


PREFIXES = [
    pytest.param("/shop", "/shop", id="a prefix"),
    pytest.param("/shop/", "/shop", id="a slash at its end"),
    pytest.param("/a/b", "/a/b", id="two segments"),
    pytest.param("/evil, /shop", "/shop", id="the last one"),
    pytest.param("/caf%C3%A9", "/caf\xc3\xa9", id="percent-escaped"),
    pytest.param("/caf\xc3\xa9", "/caf\xc3\xa9", id="the bytes themselves"),
    pytest.param("/100%2525", "/100%25", id="decoded once"),
    pytest.param("/a%20b", "/a b", id="a space"),
]
NO_PREFIXES = [
    "",
    "/",
    "//",
    "shop",
    "//shop",
    "/a//b",
    "/a%2F/b",
    "%2F%2Fevil.test",
    "/%2Fevil.test",
    "/shop//",
    "/a?b",
]
NO_PREFIXES += ["/a%3Fb", "/a#b", "/a%23b", "\\shop", "/\\evil.test", "/%5Cevil.test", "/a\tb", "/a%0D%0Ab", "/a%00"]
NO_PREFIXES += ["/a\x7f", "/a%C2%85", "/%FF", "/\xff", "http://evil.test/", "/shop,"]


@pytest.mark.parametrize(("value", "script_name"), PREFIXES)
def test_a_prefix_that_a_proxy_has_stripped_moves_into_script_name(value: str, script_name: str) -> None:
    environ = believed(1, path="/shop/x", prefix=value)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (script_name, "/shop/x")
    assert "HTTP_X_FORWARDED_PREFIX" not in environ


@pytest.mark.parametrize("value", NO_PREFIXES)
def test_what_is_no_prefix_changes_no_path_and_goes_all_the_same(value: str) -> None:
    environ = believed(1, prefix=value)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("", "/x")
    assert "HTTP_X_FORWARDED_PREFIX" not in environ


def test_an_outer_script_name_stays_behind_the_prefix() -> None:
    environ = environ_of(prefix="/shop") | {"SCRIPT_NAME": "/outer"}
    believe_environ(environ, 1)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/shop/outer", "/x")


PATHS = [
    # path, raw_path, root_path -> path, raw_path, root_path, and the path that is routed
    pytest.param("/x", b"/x", "", "/shop/x", b"/shop/x", "/shop", "/x", id="stripped"),
    pytest.param("/shop/x", b"/shop/x", "", "/shop/shop/x", b"/shop/shop/x", "/shop", "/shop/x", id="doubled"),
    pytest.param("/", b"/", "", "/shop/", b"/shop/", "/shop", "/", id="the root"),
    pytest.param("", b"", "", "/shop", b"", "/shop", "", id="nothing left"),
    pytest.param("/a b", b"/a%20b", "", "/shop/a b", b"/shop/a%20b", "/shop", "/a b", id="escapes"),
    pytest.param("/x", None, "", "/shop/x", None, "/shop", "/x", id="no raw_path"),
    pytest.param("/up/x", b"/up/x", "/up", "/shop/up/x", b"/shop/up/x", "/shop/up", "/x", id="a root_path"),
    pytest.param("/up/x", b"/up/x", "/up/", "/shop/up/x", b"/shop/up/x", "/shop/up", "/x", id="a root_path/"),
    pytest.param("/up", b"/up", "/up", "/shop/up", b"/shop/up", "/shop/up", "", id="the bare root_path"),
    pytest.param("/x", b"/x", "/up", "/shop/up/x", b"/shop/up/x", "/shop/up", "/x", id="a root_path that is stripped"),
    pytest.param("/upx", b"/upx", "/up", "/shop/up/upx", b"/shop/up/upx", "/shop/up", "/upx", id="whole segments"),
    pytest.param("*", b"*", "", "*", b"*", "", "*", id="OPTIONS *"),
    pytest.param("/x", b"%2Fx", "", "/x", b"%2Fx", "", "/x", id="a target that is none"),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(("path", "raw", "root", "whole", "whole_raw", "root_path", "routed"), PATHS)
def test_a_prefix_stands_in_front_of_the_whole_path_in_a_scope(
    kind: str, path: str, raw: bytes | None, root: str, whole: str, whole_raw: bytes | None, root_path: str, routed: str
) -> None:
    scope = scope_of(path, kind=kind, prefix="/shop") | {"raw_path": raw, "root_path": root}
    believe_scope(scope, 1)
    assert (scope["path"], scope["raw_path"], scope["root_path"]) == (whole, whole_raw, root_path)
    assert split_root_path(scope) == (root_path, routed)
    assert scope["headers"] == [(b"host", b"front.test")]


@pytest.mark.parametrize("path", ["*", "x/http://a/b"])
def test_no_prefix_stands_in_front_of_what_is_no_path(path: str) -> None:
    scope = scope_of(path, prefix="/caf%C3%A9")
    believe_scope(scope, 1)
    assert (scope["path"], scope.get("root_path", "")) == (path, "")


@pytest.mark.parametrize(("told", "host"), [({"host": "a.test"}, "a.test"), ({"port": "81"}, "evil.test")])
def test_the_host_that_a_proxy_names_counts_over_an_absolute_target(told: dict[str, str], host: str) -> None:
    environ = environ_of("/x", **told) | {"RAW_URI": "http://evil.test/x"}
    reached: list[str] = []
    names = {name: lambda environ, _: reached.append(environ["multiserve.mount"]) for name in ("a.test", "evil.test")}
    composed = Router((parse_key(key), each) for key, each in names.items())
    wsgi.WSGIDispatcher(composed, not_found().wsgi, trusted_proxies=1)(environ, lambda *_: lambda _: None)
    assert reached == [host]
    reached.clear()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["multiserve.mount"])

    mount = asgi.ASGIMount(http=application, websocket=application)
    router = Router((parse_key(key), mount) for key in ("a.test", "evil.test"))
    dispatcher = asgi.ASGIDispatcher(router, Lifespans([], [], 1), not_found(), 1, trusted_proxies=1)
    asyncio.run(dispatcher(scope_of("http://evil.test/x", **told), None, None))  # type: ignore[arg-type]
    assert reached == [host]


def test_options_of_the_whole_server_have_no_prefix() -> None:
    assert believed(1, path="*", prefix="/shop")["SCRIPT_NAME"] == ""


@pytest.mark.parametrize(("proto", "scheme"), [("https", "wss"), ("wss", "wss"), ("http", "ws"), ("ws", "ws")])
def test_a_websocket_has_a_scheme_of_its_own(proto: str, scheme: str) -> None:
    scope = scope_of(kind="websocket", proto=proto, host="front.test") | {"scheme": "wss" if scheme == "ws" else "ws"}
    believe_scope(scope, 1)
    assert scope["scheme"] == scheme


def test_the_port_of_a_secure_websocket_is_left_out() -> None:
    scope = scope_of(kind="websocket", proto="https", port="443")
    believe_scope(scope, 1)
    assert (scope["headers"][0], scope["server"]) == ((b"host", b"front.test"), ("front.test", 443))


HOPS = [
    # values of all headers, from the outermost proxy to the innermost -> the one that counts for 1, 2 and 3 proxies
    pytest.param(1, ["1.1.1.1", None, None], id="one value"),
    pytest.param(2, ["2.2.2.2", "1.1.1.1", None], id="two values"),
    pytest.param(4, ["4.4.4.4", "3.3.3.3", "2.2.2.2"], id="four values"),
]


@pytest.mark.parametrize("separator", [",", ", ", " ,\t"])
@pytest.mark.parametrize(("count", "expected"), HOPS)
def test_as_many_hops_count_as_there_are_trusted_proxies(
    count: int, expected: list[str | None], separator: str
) -> None:
    value = separator.join(f"{number}.{number}.{number}.{number}" for number in range(1, count + 1))
    for hops, address in enumerate(expected, start=1):
        assert believed(hops, **{"for": value})["REMOTE_ADDR"] == (address or "127.0.0.1")


def test_every_header_needs_as_many_values_as_there_are_proxies() -> None:
    one = {"for": "1.1.1.1", "proto": "https", "host": "a.test", "port": "81", "prefix": "/shop"}
    environ = believed(2, **one)
    assert server_of(environ) == ("http", "front.test", "127.0.0.1", "8000")
    assert (environ["REMOTE_ADDR"], environ["SCRIPT_NAME"]) == ("127.0.0.1", "")
    nearer = {"for": "2.2.2.2", "proto": "http", "host": "b", "port": "1", "prefix": "/b"}
    two = {name: f"{value}, {nearer[name]}" for name, value in one.items()}
    environ = believed(2, **two)
    assert server_of(environ) == ("https", "a.test:81", "a.test", "81")
    assert (environ["REMOTE_ADDR"], environ["SCRIPT_NAME"]) == ("1.1.1.1", "/shop")


def test_several_lines_of_a_header_are_one_list() -> None:
    scope = scope_of()
    lines = [(b"x-forwarded-for", b"1.1.1.1"), (b"accept", b"*/*"), (b"x-forwarded-for", b"2.2.2.2")]
    scope["headers"] += lines
    believe_scope(scope, 2)
    assert scope["client"] == ("1.1.1.1", 0)
    assert scope["headers"] == [(b"host", b"front.test"), *lines]


def test_the_server_keeps_its_own_list_of_headers() -> None:
    scope = scope_of(host="a.test", prefix="/shop", proto="https")
    headers, before = scope["headers"], list(scope["headers"])
    believe_scope(scope, 1)
    assert headers == before
    assert scope["headers"] is not headers


def test_a_request_without_the_headers_stays_as_it_is() -> None:
    environ, scope = environ_of(), scope_of()
    believe_environ(environ, 1)
    believe_scope(scope, 1)
    assert (environ, scope) == (environ_of(), scope_of())


def test_only_the_header_of_the_prefix_is_taken_away() -> None:
    told = {"for": "1.1.1.1", "proto": "https", "host": "a.test", "port": "81", "prefix": "/shop"}
    environ = believed(1, **told)
    left = {name for name in environ if name.startswith("HTTP_X_")}
    assert left == {f"HTTP_X_FORWARDED_{name}" for name in ("FOR", "PROTO", "HOST", "PORT")}


WORDS = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=20), st.from_regex(r"[/,:\[\]%0-9a-f. ]{0,20}", fullmatch=True)
)
TOLD = st.dictionaries(st.sampled_from(sorted(NAMES)), WORDS)


@given(TOLD, st.integers(1, 3), WORDS, st.sampled_from(["http", "websocket"]))
def test_nothing_that_a_client_sends_raises_or_breaks_a_rule(
    told: dict[str, str], hops: int, path: str, kind: str
) -> None:
    environ: dict[str, Any] = {f"HTTP_X_FORWARDED_{name.upper()}": value for name, value in told.items()}
    believe_environ(environ, hops)  # nothing else is there
    script_name = environ.get("SCRIPT_NAME", "")
    assert script_name == "" or (script_name.startswith("/") and not script_name.endswith("/"))
    assert "//" not in script_name
    scope = scope_of(path, kind=kind) | {"raw_path": path.encode("latin-1")}
    scope["headers"] += [(NAMES[name].lower().encode(), value.encode("latin-1")) for name, value in told.items()]
    believe_scope(scope, hops)
    assert scope["path"].endswith(path)
    assert scope["raw_path"].endswith(path.encode("latin-1"))
    if path.startswith("/"):
        assert split_root_path(scope) == (script_name.encode("latin-1").decode("utf-8"), path)


SEEN = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)


@given(SEEN.map(lambda text: f"/{text.replace('%', '').replace('?', '')}"), st.sampled_from(["", "/a", "/a/é"]))
def test_environ_and_scope_become_the_same(path: str, prefix: str) -> None:
    environ = believed(1, path=path, prefix=prefix.encode().decode("latin-1"))
    assert environ["PATH_INFO"] == path
    assert environ["SCRIPT_NAME"].encode("latin-1").decode() == prefix

"""The development server hands over what production hands over: one table of raw requests for both."""

from __future__ import annotations

import ast
import sys

import pytest

pytestmark = pytest.mark.xdist_group("same")

# The path /read/N makes it read the body in another way.
ECHO = """\
def read_all(stream): return stream.read()
def read_iterating(stream): return b"".join(stream)
def read_lines(stream): return b"".join(stream.readlines())
def read_chunks(stream): return b"".join(iter(lambda: stream.read(2), b""))
def read_again(stream): return stream.read() + stream.read() + stream.read(9) + stream.readline()

READERS = {"/iterating": read_iterating, "/lines": read_lines, "/chunks": read_chunks, "/again": read_again}
KEYS = (
    "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "RAW_URI", "CONTENT_TYPE", "CONTENT_LENGTH",
    "SERVER_PROTOCOL", "SERVER_NAME", "REMOTE_ADDR", "wsgi.url_scheme", "wsgi.input_terminated", "multiserve.mount",
)

def application(environ, start_response):
    read = READERS.get(environ["PATH_INFO"], read_all)
    seen = {key: environ.get(key) for key in KEYS} | {"body": read(environ["wsgi.input"])}
    seen |= {key: value for key, value in environ.items() if key.startswith("HTTP_")}
    text = ascii(seen).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
    return [text]
"""
FILE = """\
[mounts]
"/"                      = "echo"
"/admin"                 = "echo"
"/café"                  = "echo"
"app.example.com"        = "echo"
"app.example.com:9000/x" = "echo"
"*.example.com/sub"      = "echo"

[gunicorn]
workers = 1
"""


GROUPED = """\
[mounts]
"/"                      = { app = "echo", group = "one" }
"/admin"                 = "echo"
"/café"                  = { app = "echo", group = "threads" }
"app.example.com"        = { app = "echo", group = "threads" }
"app.example.com:9000/x" = { app = "echo", group = "one" }
"*.example.com/sub"      = { app = "echo", group = "one" }

[groups.one]
[groups.threads.gunicorn]
worker_class = "gthread"

[gunicorn]
workers = 1
"""


def _start(start, folder, file, *more):
    (folder / "echo.py").write_text(ECHO)
    (folder / "multiserve.toml").write_text(file)
    command = ("-W", "error", "-m", "multiserve", "run", "--port", "0")  # nor does either server warn
    return start(*command, *more, cwd=folder, command=(sys.executable,))


@pytest.fixture(scope="module")
def servers(start_for_module, tmp_path_factory):
    folder = tmp_path_factory.mktemp("echo")
    starts = [_start(start_for_module, folder, FILE, mode) for mode in ("--no-reload", "--production")]
    return [server.ready() for server in starts]


@pytest.fixture(scope="module")
def grouped(start_for_module, tmp_path_factory):
    """Start a server whose mounts are mostly in the processes of groups, one of them with gunicorn's threads."""
    pytest.importorskip("aiohttp", reason="groups need multiserve[proxy]")
    return _start(start_for_module, tmp_path_factory.mktemp("grouped"), GROUPED, "--production").ready()


def ask(server, request):
    head, _, body = server.raw(request).partition(b"\r\n\r\n")
    while head.endswith(b" 100 Continue"):
        head, _, body = body.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    return ast.literal_eval(body.decode()) if status == 200 and body else status


def head(target, *headers, method="GET", version="HTTP/1.1"):
    host = () if any(line.lower().startswith("host:") for line in headers) else ("Host: localhost",)
    lines = (f"{method} {target} {version}", *host, *headers, "Connection: close", "", "")
    return "\r\n".join(lines).encode("latin-1")


def seen(mount, script_name, path_info, query=""):
    return {"multiserve.mount": mount, "SCRIPT_NAME": script_name, "PATH_INFO": path_info, "QUERY_STRING": query}


CHUNKED = "Transfer-Encoding: chunked"
APP = "Host: app.example.com"

ANSWERED = [
    pytest.param(head("/"), seen("/", "", "/"), id="root"),
    pytest.param(head("/admin"), seen("/admin", "/admin", ""), id="mount without the slash"),
    pytest.param(head("/admin/"), seen("/admin", "/admin", "/"), id="mount with the slash"),
    pytest.param(head("/administrator"), seen("/", "", "/administrator"), id="longer segment"),
    pytest.param(head("//admin"), seen("/", "", "//admin"), id="two slashes in front"),
    pytest.param(head("//admin/x"), seen("/", "", "//admin/x"), id="two slashes in front of a path"),
    pytest.param(head("///"), seen("/", "", "///"), id="three slashes"),
    pytest.param(head("//["), seen("/", "", "//["), id="two slashes before what is no authority"),
    pytest.param(head("/admin//x"), seen("/admin", "/admin", "//x"), id="two slashes inside"),
    pytest.param(head("/admin/../b"), seen("/admin", "/admin", "/../b"), id="dots"),
    pytest.param(head("/./admin"), seen("/", "", "/./admin"), id="dot in front"),
    pytest.param(head("/admin%2Fx"), seen("/admin", "/admin", "/x"), id="escaped slash"),
    pytest.param(head("/%61dmin/x"), seen("/admin", "/admin", "/x"), id="escaped letter"),
    pytest.param(head("/admin/%252F"), seen("/admin", "/admin", "/%2F"), id="escaped twice, decoded once"),
    pytest.param(head("/admin/%ff"), seen("/admin", "/admin", "/\xff"), id="byte that is not UTF-8"),
    pytest.param(head("/admin/%"), seen("/admin", "/admin", "/%"), id="percent alone"),
    pytest.param(head("/admin/%zz"), seen("/admin", "/admin", "/%zz"), id="percent without digits"),
    pytest.param(head("/a%00b"), seen("/", "", "/a\0b"), id="escaped NUL"),
    pytest.param(head("/caf%C3%A9/x"), seen("/café", "/caf\xc3\xa9", "/x"), id="non-ASCII prefix"),
    pytest.param(head("/caf%E9/x"), seen("/", "", "/caf\xe9/x"), id="non-ASCII prefix in Latin-1"),
    pytest.param(head("/admin;v=1/x;y"), seen("/", "", "/admin;v=1/x;y"), id="parameters"),
    pytest.param(head("/a:b@c/http://x"), seen("/", "", "/a:b@c/http://x"), id="URL inside a path"),
    pytest.param(head("/admin?"), seen("/admin", "/admin", ""), id="empty query"),
    pytest.param(head("/admin?a=%2F&b?c"), seen("/admin", "/admin", "", "a=%2F&b?c"), id="query stays as it is"),
    pytest.param(head("/admin/x#top?q"), seen("/admin", "/admin", "/x"), id="fragment"),
    pytest.param(head("/x?q#top"), seen("/", "", "/x", "q"), id="fragment behind a query"),
    pytest.param(head("/x", APP), seen("app.example.com", "", "/x"), id="host"),
    pytest.param(head("/x", "Host: APP.example.COM."), seen("app.example.com", "", "/x"), id="host in other letters"),
    pytest.param(
        head("/x", "Host:\tapp.example.com \t"), seen("app.example.com", "", "/x"), id="white space around a host"
    ),
    pytest.param(head("/x/y", f"{APP}:9000"), seen("app.example.com:9000/x", "/x", "/y"), id="host with a port"),
    pytest.param(head("/sub/y", "Host: b.example.com"), seen("*.example.com/sub", "/sub", "/y"), id="wildcard"),
    pytest.param(head("/admin/y", "Host: b.example.com"), seen("/admin", "/admin", "/y"), id="fall back to no host"),
    pytest.param(head("/x", f"{APP}:80@evil.test"), seen("/", "", "/x"), id="malformed host"),
    pytest.param(head("/x", "Host:"), seen("/", "", "/x"), id="empty host"),
    pytest.param(head("*", method="OPTIONS"), seen("/", "", "*"), id="asterisk-form"),
    pytest.param(head("*", APP, method="OPTIONS"), seen("app.example.com", "", "*"), id="asterisk-form for a host"),
    pytest.param(head("/x", "SCRIPT_NAME: /admin", "X_Under: 1"), seen("/", "", "/x"), id="underscores are dropped"),
    pytest.param(
        head("/x", "Script-Name: /a", "Path-Info: /b"),
        {**seen("/", "", "/x"), "HTTP_SCRIPT_NAME": "/a"},
        id="dashes move nothing",
    ),
    pytest.param(head("/x", "X-A: 1", "x-a: 2"), {"HTTP_X_A": "1,2"}, id="repeated header"),
    pytest.param(head("/x", "Cookie: a=1", "Cookie: b=2"), {"HTTP_COOKIE": "a=1; b=2"}, id="repeated cookies"),
    pytest.param(head("/x", "X-A:  \t a b \t "), {"HTTP_X_A": "a b"}, id="white space around a header"),
    pytest.param(head("/x", "X-A: \xe9\xff"), {"HTTP_X_A": "\xe9\xff"}, id="header that is not ASCII"),
    pytest.param(head("/x", "X-A:"), {"HTTP_X_A": ""}, id="empty header"),
    pytest.param(
        head("/x", *(f"X-{name}: {name * 7000}" for name in "ABCDE")), {"HTTP_X_C": "C" * 7000}, id="large headers"
    ),
    pytest.param(
        head("/x", "X-Forwarded-Host: evil", "X-Forwarded-Prefix: /y"),
        seen("/", "", "/x"),
        id="forwarded headers move nothing",
    ),
    pytest.param(head("/x", version="HTTP/1.0"), {"SERVER_PROTOCOL": "HTTP/1.0"}, id="HTTP/1.0"),
    pytest.param(head("/x", method="M-SEARCH"), {"REQUEST_METHOD": "M-SEARCH"}, id="unusual method"),
    pytest.param(head("/x", method="POST"), {"body": b"", "CONTENT_LENGTH": None}, id="no body"),
    pytest.param(head("/x", "Content-Length: 0", method="POST"), {"body": b"", "CONTENT_LENGTH": "0"}, id="empty body"),
    pytest.param(head("/x", "Content-Length: 5", method="POST") + b"hello", {"body": b"hello"}, id="body"),
    pytest.param(
        head("/x", "Content-Length: 005 ", method="POST") + b"hello",
        {"body": b"hello", "CONTENT_LENGTH": "005"},
        id="length with zeros",
    ),
    pytest.param(
        head("/x", "Content-Length: 5", method="POST") + b"hello world",
        {"body": b"hello"},
        id="body with more behind it",
    ),
    pytest.param(
        head("/x", "Content-Length: 5", "Expect: 100-continue", method="PUT") + b"hello",
        {"body": b"hello"},
        id="100-continue",
    ),
    pytest.param(
        head("/x", CHUNKED, method="POST") + b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
        {"body": b"hello!", "CONTENT_LENGTH": None},
        id="chunked",
    ),
    pytest.param(head("/x", CHUNKED, method="POST") + b"0\r\n\r\n", {"body": b""}, id="chunked and empty"),
    pytest.param(head("/x", CHUNKED) + b"1;a=b\r\nx\r\n0\r\n\r\n", {"body": b"x"}, id="chunk extension"),
    pytest.param(head("/x", CHUNKED) + b"1\r\nx\r\n0\r\nA: b\r\n\r\n", {"body": b"x"}, id="trailer"),
    *(
        pytest.param(head(f"/{how}", *framing, method="POST") + body, {"body": b"a\nbc\n"}, id=f"{name}, read {how}")
        for how in ("iterating", "lines", "chunks", "again")
        for name, framing, body in (
            ("Content-Length", ("Content-Length: 5",), b"a\nbc\nrest"),
            ("chunked", (CHUNKED,), b"3\r\na\nb\r\n2\r\nc\n\r\n0\r\n\r\n"),
        )
    ),
]


@pytest.mark.parametrize(("request_", "expected"), ANSWERED)
def test_both_servers_hand_over_the_same(servers, request_, expected):
    development, production = (ask(server, request_) for server in servers)
    if b"#" in request_ or b"? " in request_:  # of no consequence, and the scope of ASGI does not keep it
        assert {**development, "RAW_URI": ""} == {**production, "RAW_URI": ""}
    else:
        assert development == production
    assert {key: production[key] for key in expected} == expected


APP_HOST = {"HTTP_HOST": "app.example.com"}
ABSOLUTE = [
    pytest.param(head("http://app.example.com/a?q"), seen("app.example.com", "", "/a", "q") | APP_HOST, id="absolute"),
    pytest.param(
        head("http://app.example.com:9000/x/a"),
        seen("app.example.com:9000/x", "/x", "/a") | {"HTTP_HOST": "app.example.com:9000"},
        id="absolute-form with a port",
    ),
    pytest.param(head("http://app.example.com"), seen("app.example.com", "", "/") | APP_HOST, id="without a path"),
    pytest.param(head("http://app.example.com?q"), seen("app.example.com", "", "/", "q") | APP_HOST, id="query only"),
    pytest.param(
        head("HTTP://APP.EXAMPLE.COM/"),
        seen("app.example.com", "", "/") | {"HTTP_HOST": "APP.EXAMPLE.COM"},
        id="absolute-form in capitals",
    ),
    pytest.param(
        head("http://localhost/admin/x", APP),
        seen("/admin", "/admin", "/x") | {"HTTP_HOST": "localhost"},
        id="absolute-form replaces the header",
    ),
    pytest.param(head("http://localhost//admin", APP), seen("/", "", "//admin"), id="absolute-form with two slashes"),
]


@pytest.mark.parametrize(("request_", "expected"), ABSOLUTE)
def test_both_servers_go_by_the_authority_of_an_absolute_target(servers, request_, expected):
    development, production = (ask(server, request_) for server in servers)
    assert {key: production[key] for key in expected} == expected
    assert {key: development[key] for key in expected} == expected


@pytest.mark.parametrize(("request_", "expected"), [*ANSWERED, *ABSOLUTE])
def test_the_process_of_a_group_sees_what_came_in(servers, grouped, request_, expected):
    together, apart = (ask(server, request_) for server in (servers[1], grouped))
    assert apart == together
    assert {key: apart[key] for key in expected} == expected


def test_production_forgives_blanks_in_a_request_line(servers):
    answer = ask(servers[1], b"GET  /x  HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer["PATH_INFO"] == "/x"


NO_AUTHORITY = ["http://localhost%2fx/admin/secret", "http://a@localhost/admin", "http:///admin", "http://[::1/admin"]


@pytest.mark.parametrize("target", NO_AUTHORITY)
def test_a_target_whose_authority_is_none_is_refused_before_it_is_decoded(servers, target):
    assert ask(servers[1], head(target)) == 400


def test_a_length_of_thousands_of_digits_is_refused(servers):
    assert ask(servers[1], head("/x", "Content-Length: " + "9" * 5000, method="POST")) == 400


REFUSED = [
    pytest.param(head("*"), id="asterisk without OPTIONS"),
    pytest.param(head("/caf\xc3\xa9/"), id="raw UTF-8"),
    pytest.param(head("/a\xa0b"), id="raw Latin-1"),
    pytest.param(head("/a b"), id="blank in the target"),
    pytest.param(head("/a\x01b"), id="control character in the target"),
    pytest.param(head("admin"), id="target without a slash"),
    pytest.param(head("?x"), id="query alone"),
    pytest.param(head("app.example.com:80"), id="authority-form without CONNECT"),
    pytest.param(head("http://[::1/a"), id="absolute-form with half a bracket"),
    pytest.param(head("http://localhost%2fx/admin/a"), id="absolute-form with an escape in the host"),
    pytest.param(head("http://user@localhost/admin/a"), id="absolute-form with a user"),
    pytest.param(head("/x", method="get"), id="method in small letters"),
    pytest.param(head("/x", method="X"), id="method of one letter"),
    pytest.param(head("/x", version=""), id="no version"),
    pytest.param(b"GET /x\r\n\r\n", id="HTTP/0.9"),
    pytest.param(head("/x", version="HTTP/1.10"), id="version of three digits"),
    pytest.param(head("/x", version="HTTP/2.0"), id="HTTP/2.0"),
    pytest.param(head("/x", version="http/1.1"), id="version in small letters"),
    pytest.param(b"GET\t/x\tHTTP/1.1\r\nHost: x\r\n\r\n", id="tabs"),
    pytest.param(head("/x", "Host: a", "Host: b"), id="two hosts"),
    pytest.param(b"GET /x HTTP/1.1\r\nConnection: close\r\n\r\n", id="no host in HTTP/1.1"),
    pytest.param(b"GET http://localhost/x HTTP/1.1\r\nConnection: close\r\n\r\n", id="absolute-form without Host"),
    pytest.param(head("/x", "Content-Type: a", "Content-Type: b"), id="two content types"),
    pytest.param(head("/x", "nonsense"), id="header without a colon"),
    pytest.param(head("/x", ": value"), id="header without a name"),
    pytest.param(head("/x", "Na me: value"), id="blank in the name of a header"),
    pytest.param(head("/x", "Name : value"), id="blank before the colon"),
    pytest.param(head("/x", "X-A: 1", " 2"), id="folded header"),
    pytest.param(head("/x", "X-A: a\0b"), id="NUL in a header"),
    pytest.param(head("/x", "X-A: a\rb"), id="carriage return in a header"),
    pytest.param(head("/x", f"Content-Length: {'9' * 5000}"), id="length of 5000 digits"),
    pytest.param(head("/x", "Content-Length: +5") + b"hello", id="length with a sign"),
    pytest.param(head("/x", "Content-Length: -1"), id="negative length"),
    pytest.param(head("/x", "Content-Length:"), id="empty length"),
    pytest.param(head("/x", "Content-Length: 5, 5") + b"hello", id="length twice in one"),
    pytest.param(head("/x", "Content-Length: 5", "Content-Length: 5") + b"hello", id="length twice"),
    pytest.param(head("/x", "Content-Length: 5", CHUNKED) + b"0\r\n\r\n", id="length and chunked"),
    pytest.param(head("/x", "Transfer-Encoding: identity"), id="identity"),
    pytest.param(head("/x", "Transfer-Encoding: gzip"), id="gzip alone"),
    pytest.param(head("/x", CHUNKED, version="HTTP/1.0") + b"0\r\n\r\n", id="chunked in HTTP/1.0"),
    pytest.param(head("/x", CHUNKED) + b"zz\r\n", id="bad chunk"),
]


@pytest.mark.parametrize("request_", REFUSED)
def test_both_servers_refuse_the_same(servers, request_):
    assert [ask(server, request_) for server in servers] == [400, 400]


# Where the two differ, and why that may stay.
DIFFERENT = [
    pytest.param(head("/x", "Expect: else"), ("http", 417), id="http.server ignores other expectations"),
    pytest.param(
        head("/x", "Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n", (400, 501), id="neither takes stacked codings"
    ),
    pytest.param(b"GET /x HTTP/1.1\nHost: x\n\n", ("http", 400), id="http.server reads bare line feeds"),
]


@pytest.mark.parametrize(("request_", "expected"), DIFFERENT)
def test_where_the_servers_differ(servers, request_, expected):
    answers = (ask(server, request_) for server in servers)
    assert tuple(each if isinstance(each, int) else each["wsgi.url_scheme"] for each in answers) == expected


def test_neither_server_warns_or_fails(servers):
    for server in servers:
        assert "Warning" not in server.log

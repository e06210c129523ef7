"""The development server's request handler; what it hands over is compared with production in tests/end_to_end."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time

import pytest
from gunicorn.util import split_request_uri
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.serving import make_server

from multiserve.servers.development.wsgi_handler import RequestHandler, split_target


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a/b?c=d", "/a/b", "c=d"),
        ("/a?", "/a", ""),
        ("/a?b?c", "/a", "b?c"),
        ("/a#b?c", "/a", ""),
        ("/a?b#c", "/a", "b"),
        ("//a", "//a", ""),
        ("//a/b?c", "//a/b", "c"),
        ("///", "///", ""),
        ("//[", "//[", ""),
        ("/a//b/../c", "/a//b/../c", ""),
        ("/%2F%ff%", "/%2F%ff%", ""),
        ("/a;b=c", "/a;b=c", ""),
        ("/http://a/b", "/http://a/b", ""),
        ("*", "*", ""),
        ("http://a", "/", ""),
        ("http://a/", "/", ""),
        ("http://a/b?c", "/b", "c"),
        ("http://a?c", "/", "c"),
        ("http://a//b", "//b", ""),
        ("http://[::1]:80/b", "/b", ""),
        ("HTTP://A/B", "/B", ""),
        ("a:80", "80", ""),
    ],
)
def test_a_target_is_split(target, path, query):
    assert split_target(target) == (path, query)


def test_a_target_with_half_a_bracket_is_refused():
    with pytest.raises(ValueError, match="Invalid IPv6 URL"):
        split_target("http://[::1/")


pieces = st.lists(st.sampled_from([*"/?#%:@.;*[]a1&=", "http://", "//", "%2F", "..", "[::1]"]), min_size=1, max_size=12)


@given(pieces.map("".join))
def test_every_target_is_split_as_gunicorn_splits_it(target):
    try:
        parts = split_request_uri(target)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            split_target(target)
    else:
        assert split_target(target) == (parts.path or "/", parts.query)


def echo(environ, start_response):
    """Do what the path says, and answer with what came."""
    environ["multiserve.mount"] = "/shop"
    if answer := ACTIONS.get(environ["PATH_INFO"]):
        return answer(environ, start_response)
    seen = {key: value for key, value in environ.items() if isinstance(value, (str, bool))}
    seen["body"] = environ["wsgi.input"].read().decode()
    text = json.dumps(seen).encode()
    start_response("200 OK", [("Content-Length", str(len(text)))])
    return [text]


def unread(environ, start_response):
    start_response("200 OK", [])
    return iter([b"unread"])


def caught(environ, start_response):
    with contextlib.suppress(OSError):
        environ["wsgi.input"].read()
    return unread(environ, start_response)


def replaced(environ, start_response):
    """Do what WebOb does with the input."""
    data = environ["wsgi.input"].read()
    environ["wsgi.input"] = None
    start_response("200 OK", [])
    return iter([data])


def late(environ, start_response):
    yield from unread(environ, start_response)
    raise KeyError("late")


def short(environ, start_response):
    start_response("200 OK", [("Content-Length", "10")])
    return iter([b"short"])


def raising(error):
    def application(environ, start_response):
        start_response("200 OK", [])
        raise error

    return application


ACTIONS = {
    "/unread": unread,
    "/caught": caught,
    "/replaced": replaced,
    "/late": late,
    "/short": short,
    "/key": raising(KeyError("oh")),
    "/exit": raising(SystemExit(3)),
    "/timeout": raising(TimeoutError("the database")),
    "/refused": raising(ConnectionRefusedError("the database")),
    "/websocket": raising(ConnectionError()),
}


class Client:
    """Sends bytes, and gives what comes back until the server closes."""

    def __init__(self, address):
        self.address = address

    def connect(self):
        return socket.create_connection(self.address, timeout=30)

    def raw(self, data):
        with self.connect() as connection:
            connection.sendall(data)
            return receive(connection)

    def ask(self, data):
        """Give the status, the headers and the body of one response."""
        head, _, body = self.raw(data).partition(b"\r\n\r\n")
        line, _, headers = head.decode("latin-1").partition("\r\n")
        assert line.startswith("HTTP/1.1 ")
        return int(line.split()[1]), headers.lower(), body


def receive(connection):
    return b"".join(iter(lambda: connection.recv(65536), b""))


@contextlib.contextmanager
def serving(timeout, write=None):
    handler = type("Handler", (RequestHandler,), {"timeout": timeout, "log_access": write})
    server = make_server("127.0.0.1", 0, echo, threaded=True, request_handler=handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Client(server.server_address)
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def client():
    with serving(30) as client:
        yield client


def head(target="/", *headers, method="POST", version="HTTP/1.1", host="Host: x"):
    return "\r\n".join((f"{method} {target} {version}", host, *headers, "", "")).encode("latin-1")


CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        pytest.param(["Content-Length: +3"], "HTTP/1.1", id="sign"),
        pytest.param(["Content-Length: 0x3"], "HTTP/1.1", id="0x"),
        pytest.param(["Content-Length: 3_0"], "HTTP/1.1", id="underscore"),
        pytest.param(["Content-Length: 3,3"], "HTTP/1.1", id="list"),
        pytest.param(["Content-Length: 3", "Content-Length: 4"], "HTTP/1.1", id="two"),
        pytest.param(["Content-Length: 3", CHUNKED], "HTTP/1.1", id="length and chunked"),
        pytest.param([CHUNKED, CHUNKED], "HTTP/1.1", id="chunked twice"),
        pytest.param([f"{CHUNKED}, chunked"], "HTTP/1.1", id="chunked in chunks"),
        pytest.param([CHUNKED], "HTTP/1.0", id="chunked in HTTP/1.0"),
        pytest.param([f"Content-Length: {'1' * 5000}"], "HTTP/1.1", id="5,000 digits"),
    ],
)
def test_a_body_whose_length_is_uncertain_is_refused(client, headers, version):
    status, answered, _ = client.ask(head("/", *headers, version=version) + b"abc")
    assert status == 400
    assert "connection: close" in answered


@pytest.mark.parametrize("path", ["/", "/caught"])
@pytest.mark.parametrize("body", [b"+3\r\nabc\r\n0\r\n\r\n", b"3\nabc\n0\n\n", b"f" * 17, b"0\r\nA\r\n\r\n"])
def test_malformed_chunks_get_400_whatever_the_application_makes_of_them(client, caplog, path, body):
    status, answered, text = client.ask(head(path, CHUNKED) + body.ljust(9000))
    assert status == 400
    assert "connection: close" in answered
    assert b"unread" not in text
    assert "failed" not in caplog.text


def test_an_upload_that_breaks_off_raises_in_the_application_and_is_not_logged_as_its_fault(client, caplog):
    with client.connect() as connection:
        connection.sendall(head("/", "Content-Length: 1000") + b"abc")
        connection.shutdown(socket.SHUT_WR)
        assert receive(connection) == b""
    assert "failed" not in caplog.text


def test_a_body_that_does_not_come_gets_408():
    with serving(2) as client:  # the head has to come within that time
        assert client.ask(head("/", "Content-Length: 10") + b"abc")[0] == 408


@pytest.mark.parametrize(
    "framing", [pytest.param("Content-Length: 1000", id="length"), pytest.param(CHUNKED, id="chunked")]
)
@pytest.mark.parametrize("close", [[], ["Connection: close"]])
def test_the_connection_is_not_held_for_a_body_that_nobody_reads(client, framing, close):
    began = time.monotonic()
    status, _, body = client.ask(head("/unread", framing, *close) + b"ab")
    assert (status, body) == (200, b"6\r\nunread\r\n0\r\n\r\n")
    assert time.monotonic() - began < 10


def send_until(connection, end):
    while time.monotonic() < end:
        connection.sendall(b"c" * 100)


def test_a_client_that_sends_without_an_end_is_given_up(client):
    with client.connect() as connection:
        connection.sendall(head("/unread", "Content-Length: 1000000000") + b"ab")
        assert receive(connection).endswith(b"0\r\n\r\n")
        began = time.monotonic()
        with pytest.raises(ConnectionError):  # a reset, or a broken pipe
            send_until(connection, began + 20)


def test_an_application_may_replace_the_input(client):
    answer = client.ask(head("/replaced", "Content-Length: 3", version="HTTP/1.0") + b"abc")
    assert (answer[0], answer[2]) == (200, b"abc")


def test_a_client_that_sends_more_than_is_read_gets_its_response(client):
    assert client.ask(head("/unread", "Content-Length: 5000000") + b"a" * 5_000_000)[0] == 200


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_chunks_are_for_clients_that_know_them(client, version):
    _, headers, body = client.ask(head("/unread", method="GET", version=version))
    assert ("transfer-encoding: chunked" in headers) is (version == "HTTP/1.1")
    assert (body == b"unread") is (version == "HTTP/1.0")
    assert len(re.findall("^(server|date|connection):", headers, re.MULTILINE)) == 3


@pytest.mark.parametrize(("path", "interim"), [("/", 1), ("/unread", 0)])
@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_100_continue_is_sent_once_and_when_the_body_is_read(client, path, interim, version):
    received = client.raw(head(path, "Content-Length: 3", "Expect: 100-continue", version=version) + b"abc")
    assert received.count(b"HTTP/1.1 100 Continue\r\n\r\n") == interim * (version == "HTTP/1.1")
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 1


@pytest.mark.parametrize(("length", "status"), [(8190, 200), (8191, 414), (60_000, 414), (200_000, 414)])
def test_targets_are_taken_up_to_8190_bytes(client, length, status):
    assert client.ask(head("/".ljust(length, "a"), method="GET"))[0] == status


def test_lines_of_cookies_are_joined_as_cookies(client):
    _, _, body = client.ask(head("/", "Cookie: a=1", "X-A: 1", "cookie:  b=2; c=3 ", "X-A: 2", method="GET"))
    assert json.loads(body)["HTTP_COOKIE"] == "a=1; b=2; c=3"
    assert json.loads(body)["HTTP_X_A"] == "1,2"


@pytest.mark.parametrize(
    ("target", "host", "path"),
    [
        pytest.param("http://a.example:81/b?c", "a.example:81", "/b", id="port"),
        pytest.param("HTTP://A.example/b%2fc", "A.example", "/b/c", id="capitals"),
        pytest.param("http://[::1]:80/%3Fb", "[::1]:80", "/?b", id="IPv6"),
        pytest.param("http://a.example", "a.example", "/", id="no path"),
        pytest.param("/http://a.example/", "x", "/http://a.example/", id="a path"),
    ],
)
def test_the_authority_of_an_absolute_target_replaces_the_host_header(client, target, host, path):
    seen = json.loads(client.ask(head(target, method="GET"))[2])
    assert (seen["HTTP_HOST"], seen["PATH_INFO"]) == (host, path)
    assert (seen["wsgi.multithread"], seen["wsgi.multiprocess"]) == (True, False)


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost%2fx/admin/secret", "http:///a", "http://", "http://user@a/b", "http://a:b/c", "http://a:99999/",
        "http://[::1/", "http://[zz]/", "http://a,b/", "http://?a", "http://a..b/", "http://[1:2]/",
        "://a/b", "1://a/b", "a/b://c", "http:/a",
    ],
)  # fmt: skip
def test_an_authority_that_is_none_is_refused(client, target):
    assert client.ask(head(target, method="GET"))[0] == 400


@pytest.mark.parametrize("target", ["a.example:80", "/", "*", "http://a.example/"])
def test_a_tunnel_is_refused(client, target):
    status, _, body = client.ask(head(target, method="CONNECT"))
    assert status == 400
    assert b"No tunnels" in body


@pytest.mark.parametrize(
    ("path", "status", "logged"),
    [
        pytest.param("/key", 500, "KeyError: 'oh'", id="exception"),
        pytest.param("/exit", 500, "SystemExit: 3", id="SystemExit"),
        pytest.param("/timeout", 500, "TimeoutError: the database", id="a timeout that is not the client's"),
        pytest.param(
            "/refused", 500, "ConnectionRefusedError: the database", id="a connection that is not the client's"
        ),
        pytest.param("/late", 200, "KeyError: 'late'", id="behind the head"),
    ],
)
def test_an_exception_is_logged_with_the_name_of_the_mount(client, caplog, path, status, logged):
    found, _, body = client.ask(head(path, method="GET"))
    assert found == status
    assert (b"Internal Server Error" in body) is (status == 500)
    assert not body.endswith(b"0\r\n\r\n")
    (message,) = [record.getMessage() for record in caplog.records if "failed" in record.getMessage()]
    assert re.match(r"The application at /shop failed:\nTraceback \(most recent call last\):\n  File", message)
    assert message.endswith(f"\n{logged}")
    assert "wsgi_handler.py" not in message.replace("test_wsgi_handler.py", "")


def test_a_response_that_is_too_short_closes_the_connection_and_is_logged(client, caplog):
    assert client.raw(head("/short", method="GET") * 2).count(b"HTTP/1.1 ") == 1
    assert "The application at /shop failed: the response ended after 5 of 10 bytes" in caplog.text


def test_what_ends_a_websocket_is_no_fault(client, caplog):
    assert client.raw(head("/websocket", method="GET")) == b""
    assert "failed" not in caplog.text


WEBSOCKET = ("Upgrade: websocket", "Connection: Upgrade")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param(head("/a?b=c", "Content-Length: 0"), ("POST", "/a?b=c", 200, "/shop"), id="a request"),
        pytest.param(head("/key", "Content-Length: 0"), ("POST", "/key", 500, "/shop"), id="an exception"),
        pytest.param(head("/late", method="GET"), ("GET", "/late", 200, "/shop"), id="an exception behind the head"),
        pytest.param(head("//[", method="GET"), ("GET", "//[", 200, "/shop"), id="a target that is no URL"),
        pytest.param(
            head("/websocket", *WEBSOCKET, method="GET"), ("WEBSOCKET", "/websocket", 101, "/shop"), id="a WebSocket"
        ),
        pytest.param(b"what\r\n\r\n", ("", "what", 400, ""), id="no request line"),
        pytest.param(head("/", "Content-Length: +3"), ("POST", "/", 400, ""), id="a wrong header"),
        pytest.param(head("/", *(f"A{n}: b" for n in range(200))), ("POST", "/", 431, ""), id="too many headers"),
    ],
)
def test_each_request_is_logged_once(request_, expected):
    lines = []
    with serving(30, lines.append) as client:
        client.raw(request_)
    (line,) = lines
    assert (line.method, line.target, line.status, line.mount) == expected
    assert (line.client, line.seconds < 30) == ("127.0.0.1", True)


def test_a_request_is_answered_where_the_line_cannot_be_written(caplog):
    def write(_):
        raise BrokenPipeError

    with serving(30, write) as client:
        assert client.ask(head("/unread", method="GET"))[0] == 200
    assert caplog.records == []

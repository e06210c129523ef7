import pytest

from multiserve.servers.management.exchange import Exchange, Response, is_own_host


def fail(_request):
    raise RuntimeError("secret")


FORM = "application/x-www-form-urlencoded"
PAGES = {
    "/": lambda request: Response(body=f"{dict(request.query)} {request.wants_json}"),
    "/fail": fail,
    "POST /send": lambda request: Response(
        status=303,
        body=f"{dict(request.form)} {request.cookies} {request.headers['host']}",
        headers=(("Location", "/"),),
    ),
}


def ask(head):
    answer = Exchange(head.encode(), PAGES, "manage.internal").answer.decode()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), body, head


@pytest.mark.parametrize(
    ("head", "status", "body"),
    [
        ("GET / HTTP/1.1\r\nHost: localhost:9000\r\n\r\n", 200, "{} False"),
        ("GET /?a=1&b&a=2 HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", 200, "{'a': '1', 'b': ''} False"),
        ("GET / HTTP/1.1\r\nHost: [::1]:9000\r\nAccept: application/json\r\n\r\n", 200, "{} True"),
        ("GET /?format=json HTTP/1.1\r\nHost: Manage.Internal\r\n\r\n", 200, "{'format': 'json'} True"),
        ("GET / HTTP/1.0\r\n\r\n", 200, "{} False"),
        ("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, ""),
        ("GET / HTTP/1.1\r\n\r\n", 400, ""),
        ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400, ""),
        ("GET /\r\n\r\n", 400, ""),
        ("GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, ""),
        ("nonsense\r\n\r\n", 400, ""),
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, ""),
        ("GET / HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421, ""),
        ("GET /missing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "Not Found\n"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "Method Not Allowed\n"),
        (
            f"POST /send HTTP/1.1\r\nHost: localhost\r\nCookie: a=1; b=2\r\nContent-Type: {FORM}\r\n\r\na=1&b=%20&a=2",
            303,
            "{'a': '1', 'b': ' '} {'a': '1', 'b': '2'} localhost",
        ),
        ('POST /send HTTP/1.1\r\nHost: ::1\r\nCookie: /="\r\nContent-Type: text/plain\r\n\r\na=1', 421, ""),
        (
            "POST /send HTTP/1.1\r\nHost: [::1]\r\nCookie: {=1\r\nContent-Type: text/plain\r\n\r\na=1",
            303,
            "{} {} [::1]",
        ),
        ("GET /send HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "Method Not Allowed\n"),
        ("GET /fail HTTP/1.1\r\nHost: localhost\r\n\r\n", 500, "Internal Server Error: RuntimeError\n"),
    ],
)
def test_a_request_is_answered(head, status, body):
    assert ask(head)[:2] == (status, body)


def test_the_head_of_a_response():
    lines = ask("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")[2].split("\r\n")
    assert [line for line in lines if not line.startswith("Date: ")] == [
        "HTTP/1.1 200 OK",
        "Server: multiserve",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Length: 8",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    ]


@pytest.mark.parametrize(
    ("header", "is_own"),
    [
        ("127.0.0.1", True),
        ("192.0.2.7:9000", True),
        ("[2001:db8::1]", True),
        ("localhost", True),
        ("manage.internal:1", True),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
        ("a b", False),
    ],
)
def test_hosts(header, is_own):
    assert is_own_host(header, "manage.internal") is is_own


def test_a_unix_socket_has_no_host_of_its_own():
    assert not is_own_host("", "")


@pytest.mark.parametrize(("method", "path", "allowed"), [("POST", "/", "GET, HEAD"), ("GET", "/send", "POST")])
def test_another_method_is_told_which_are_allowed(method, path, allowed):
    assert f"Allow: {allowed}" in ask(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")[2]

"""A WSGI application that answers in every way that PEP 3333 allows, and in some that it does not; no framework."""

import hashlib
import io
import pathlib
import sys
import threading
import time

from werkzeug.wrappers import Request

BLOCK = bytes(range(256)) * 256  # 64 kB
TEXT = [("Content-Type", "text/plain")]
closed = []
barrier = threading.Barrier(4)


class Closing:
    """An iterable that notes that it was closed."""

    def __init__(self, chunks, name):
        self.chunks, self.name = chunks, name

    def __iter__(self):
        return iter(self.chunks)

    def close(self):
        closed.append(self.name)


def stream(environ, start):
    start("200 OK", TEXT)
    return (b"x" * size for size in (1, 0, 1000, 100_000))


def write(environ, start):
    send = start("200 OK", TEXT)
    send(b"one")
    send(b"")
    send(b"two")
    return [b"three"]


def before(environ, start):
    start("200 OK", [*TEXT, ("X-First", "1")])
    try:
        raise ValueError  # noqa: TRY301 (to have exc_info)
    except ValueError:
        start("503 Later", [*TEXT, ("X-Second", "2")], sys.exc_info())
    return [b"sorry"]


def after(environ, start):
    send = start("200 OK", TEXT)
    send(b"some")
    try:
        raise ValueError("after the headers")  # noqa: TRY301 (to have exc_info)
    except ValueError:
        start("500 Oops", TEXT, sys.exc_info())
    return [b"never sent"]


def breaks(environ, start):
    start("200 OK", TEXT)
    yield b"some"
    raise ValueError("in the middle")


def raises(environ, start):
    raise ValueError("at once")


def lines(environ, start):
    stream = environ["wsgi.input"]
    start("200 OK", TEXT)
    return [b"|".join([stream.readline(), stream.readline(2), stream.read(3), *stream.readlines(), stream.read(5)])]


def whole(environ, start):
    start("200 OK", TEXT)
    return [environ["wsgi.input"].read() + b"|" + environ["wsgi.input"].read()]


def unread(environ, start):
    start("200 OK", TEXT)
    return [b"not read"]


def file(environ, start):
    start("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](io.BytesIO(BLOCK * 3 + b"end"), 10_000)


def real_file(environ, start):
    start("200 OK", TEXT)
    return environ["wsgi.file_wrapper"](pathlib.Path(__file__).open("rb"))


def no_content(environ, start):
    start("204 No Content", [])
    return []


def not_modified(environ, start):
    start("304 Not Modified", [("ETag", '"x"'), ("Content-Length", "3")])
    return [b"abc"]


def empty(environ, start):
    start("200 OK", [("Content-Length", "0")])
    return []


def nothing(environ, start):
    start("200 OK", TEXT)
    return iter(())


def length(environ, start):
    start("200 OK", [("Content-Length", "5")])
    return [b"hel", b"lo"]


def too_long(environ, start):
    start("200 OK", [("Content-Length", "5")])
    return [b"hello", b" world"]


def too_short(environ, start):
    start("200 OK", [("Content-Length", "50")])
    return [b"hello"]


def headers(environ, start):
    several = [
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("X-Name", "caf\xe9"),
        ("x-lower", " a  b "),
        ("X-Empty", ""),
    ]
    start("200 OK", TEXT + several)
    return [b"x"]


def splits(environ, start):
    start("200 OK", [("X-Bad", "a\r\nX-Injected: 1")])
    return [b"x"]


def text(environ, start):
    start("200 OK", TEXT)
    return ["text"]


def unstarted(environ, start):
    return [b"x"]


def twice(environ, start):
    start("200 OK", TEXT)
    start("200 OK", TEXT)
    return [b"x"]


def closing(environ, start):
    start("200 OK", TEXT)
    return Closing([b"a", b"b"], "closing")


def closing_failed(environ, start):
    start("200 OK", TEXT)
    return Closing(breaks(environ, lambda *_: None), "closing failed")


def was_closed(environ, start):
    start("200 OK", TEXT)
    return [repr(sorted(closed)).encode()]


def endless(environ, start):
    start("200 OK", TEXT)
    return Closing(iter(lambda: BLOCK, None), "endless")


def slow_endless(environ, start):
    def ticks():
        while True:
            time.sleep(0.01)
            yield b"tick\n"

    start("200 OK", TEXT)
    return Closing(ticks(), "slow endless")


def together(environ, start):
    barrier.wait(20)
    start("200 OK", TEXT)
    return [b"together"]


def form(environ, start):
    request = Request(environ)
    data = request.files["file"].read()
    start("200 OK", TEXT)
    return [f"{request.form['name']} {request.files['file'].filename} {len(data)}".encode()]


def path(environ, start):
    keys = ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "RAW_URI", "HTTP_HOST", "HTTP_X_A", "HTTP_COOKIE",
            "REMOTE_ADDR", "CONTENT_TYPE", "CONTENT_LENGTH", "SERVER_PROTOCOL", "SERVER_NAME", "REQUEST_METHOD",
            "multiserve.mount", "wsgi.url_scheme", "wsgi.input_terminated", "HTTP_TRANSFER_ENCODING",
            "HTTP_X_UNDER_SCORE")  # fmt: skip
    start("200 OK", TEXT)
    return [ascii({key: environ.get(key) for key in keys}).encode()]


def upload(environ, start):
    size, total = 0, hashlib.sha256()
    while block := environ["wsgi.input"].read(100_000):
        size += len(block)
        total.update(block[:100])
    start("200 OK", TEXT)
    return [b"%d" % size]


def download(environ, start):
    start("200 OK", TEXT)
    return (BLOCK for _ in range(int(environ["QUERY_STRING"]) // len(BLOCK)))


def threads(environ, start):
    start("200 OK", TEXT)
    return [b"%d" % threading.active_count()]


def leaves(environ, start):
    start("200 OK", TEXT)
    raise SystemExit(3)


WAYS = {name: value for name, value in globals().items() if callable(value) and value.__module__ == __name__}


def application(environ, start_response):
    return WAYS.get(environ["PATH_INFO"].split("/")[1], path)(environ, start_response)

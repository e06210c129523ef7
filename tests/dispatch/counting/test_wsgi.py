from wsgiref.util import FileWrapper

import pytest

from multiserve.dispatch.counting.counts import ACTIVE, Counts, responses
from multiserve.dispatch.counting.wsgi import WSGICounting
from multiserve.dispatch.wsgi import WSGIDispatcher
from multiserve.keys import parse_key
from multiserve.routing import Router


def streaming(environ, start_response):
    start_response("200 OK", [])
    yield b"a"
    yield b"b"


def failing(environ, start_response):
    raise RuntimeError("as it should")


def breaking(environ, start_response):
    start_response("200 OK", [])
    yield b"a"
    raise RuntimeError("as it should")


def file(environ, start_response):
    start_response("200 OK", [])
    return FileWrapper(open(__file__, "rb"))  # noqa: PTH123 (its wrapper closes it)


def writing(environ, start_response):
    start_response("200 OK", [])(b"a")
    return []


def missing(environ, start_response):
    start_response("404 Not Found", [])
    return []


def plain(application):
    return application


def copying(application):
    return lambda environ, start_response: application(dict(environ), start_response)


def counted(application, middleware=plain):
    counts = Counts(["/shop"])
    dispatcher = WSGIDispatcher(Router([(parse_key("/shop"), application)]), missing)
    dispatcher.surround(middleware)
    dispatcher.surround(lambda answer: WSGICounting(dispatcher, counts, answer))

    def call(path):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "wsgi.file_wrapper": FileWrapper}
        return dispatcher(environ, lambda *_: leave)

    return counts, call


def leave(_block):
    raise BrokenPipeError


def shown(counts, name):
    return {kind: number for kind, number in responses(counts.read()[name]).items() if number}


def test_a_response_is_active_until_it_is_closed():
    counts, call = counted(streaming)
    body = call("/shop/x")
    assert (list(body), counts.read()["/shop"][ACTIVE], shown(counts, "/shop")) == ([b"a", b"b"], 1, {})
    body.close()
    body.close()
    assert (counts.read()["/shop"][ACTIVE], shown(counts, "/shop")) == (0, {"2xx": 1})


@pytest.mark.parametrize("application", [failing, breaking])
def test_an_exception_is_a_failure(application):
    counts, call = counted(application)
    with pytest.raises(RuntimeError, match="as it should"):
        list(call("/shop"))
    assert (counts.read()["/shop"][ACTIVE], shown(counts, "/shop")) == (0, {"5xx": 1})


def test_a_client_that_has_gone_is_no_failure():
    counts, call = counted(writing)
    with pytest.raises(BrokenPipeError):
        call("/shop")
    assert (counts.read()["/shop"][ACTIVE], shown(counts, "/shop")) == (0, {"2xx": 1})


def test_a_file_stays_one():
    counts, call = counted(file)
    body = call("/shop")
    assert isinstance(body, FileWrapper)
    body.close()
    assert (body.filelike.closed, shown(counts, "/shop")) == (True, {"2xx": 1})


def test_what_no_mount_takes():
    counts, call = counted(streaming)
    call("/other").close()
    assert shown(counts, "") == {"4xx": 1}


def test_middleware_that_copies_the_environ_does_not_lose_the_mount():
    counts, call = counted(streaming, copying)
    body = call("/shop/x")
    assert list(body) == [b"a", b"b"]
    body.close()
    assert (shown(counts, "/shop"), shown(counts, "")) == ({"2xx": 1}, {})

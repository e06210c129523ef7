"""The bound on how many requests a mount may have at a time."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from wsgiref.util import FileWrapper

import pytest

from multiserve.dispatch.concurrency import ASGILimit, ASGITenantsLimit, WSGILimit, WSGITenantsLimit
from multiserve.dispatch.tenants import ASGITenantMount, WSGITenantMount

BUSY = b"Service Unavailable: the application at /slow is busy.\n"


class Response:
    """A response that knows how often it was closed."""

    def __init__(self, *chunks, error=None):
        self.chunks = chunks
        self.error = error
        self.closed = 0

    def __iter__(self):
        yield from self.chunks
        if self.error:
            raise self.error

    def close(self):
        self.closed += 1


class Raises(Response):
    def close(self):
        raise OSError("close")


def ask(application, environ=None):
    """Call an application, and give the status line, the headers and the response."""
    started = []
    response = application(
        {"REQUEST_METHOD": "GET"} if environ is None else environ, lambda *call: started.append(call)
    )
    return *(started[0] if started else ("", [])), response


def answering(response):
    def application(environ, start_response):
        start_response("200 OK", [])
        return response

    return application


def is_free(limited):
    """Whether there is exactly one place, which is free."""
    _, _, first = ask(limited)
    status, _, second = ask(limited)
    assert first is not second
    del first
    gc.collect()
    return status.startswith("503")


def test_beyond_the_bound_the_answer_is_503_in_words():
    limited = WSGILimit(answering([b"hello"]), 2, "/slow")
    held = [ask(limited)[2] for _ in range(2)]
    status, headers, response = ask(limited)
    assert (status, b"".join(response)) == ("503 Service Unavailable", BUSY)
    assert ("Retry-After", "1") in headers
    held[0].close()
    status, _, response = ask(limited)
    assert (status, b"".join(response)) == ("200 OK", b"hello")


@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_closing_a_response_closes_the_applications_own_and_frees_one_place(times):
    response = Response(b"a", b"b")
    limited = WSGILimit(answering(response), 1, "/slow")
    _, _, held = ask(limited)
    assert b"".join(held) == b"ab"
    assert ask(limited)[0].startswith("503")
    for _ in range(times):
        held.close()
    assert response.closed == times
    assert is_free(limited)


def test_an_application_that_raises_frees_its_place():
    def application(environ, start_response):
        raise SystemExit(3)

    limited = WSGILimit(application, 1, "/slow")
    for _ in range(3):
        with pytest.raises(SystemExit):
            ask(limited)


def test_a_response_that_raises_frees_its_place_when_it_is_closed():
    limited = WSGILimit(answering(Response(b"a", error=OSError("late"))), 1, "/slow")
    _, _, held = ask(limited)
    with pytest.raises(OSError, match="late"):
        list(held)
    held.close()
    assert is_free(limited)


def test_a_response_whose_close_raises_frees_its_place():
    limited = WSGILimit(answering(Raises()), 1, "/slow")
    _, _, held = ask(limited)
    with pytest.raises(OSError, match="close"):
        held.close()
    assert is_free(limited)


def test_a_response_that_a_server_forgets_to_close_frees_its_place():
    limited = WSGILimit(answering([b"hello"]), 1, "/slow")
    _, _, held = ask(limited)
    del held
    gc.collect()
    assert is_free(limited)


def test_the_servers_file_wrapper_stays_what_it_is(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"content")

    def application(environ, start_response):
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](path.open("rb"))

    limited = WSGILimit(application, 1, "/slow")
    environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
    _, _, held = ask(limited, environ)
    assert isinstance(held, FileWrapper)
    assert b"".join(held) == b"content"
    assert ask(limited)[0].startswith("503")
    held.close()
    assert held.filelike.closed
    _, _, again = ask(limited, environ)
    assert isinstance(again, FileWrapper)
    again.close()


def test_many_threads_never_have_more_than_the_bound_and_leave_every_place_free():
    running, most, refused = [], [], []

    def application(environ, start_response):
        running.append(1)
        most.append(len(running))
        start_response("200 OK", [])
        yield b"a"
        running.pop()

    limited = WSGILimit(application, 3, "/slow")

    def work():
        for _ in range(300):
            status = ask_started(limited)[0]
            refused.extend([1] * status.startswith("503"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 3
    held = [ask(limited)[2] for _ in range(3)]
    assert b"".join(ask(limited)[2]) == BUSY
    assert len(held) == 3


def ask_started(application):
    """Ask, read all of the response, and close it."""
    started = []
    response = application({"REQUEST_METHOD": "GET"}, lambda *call: started.append(call))
    list(response)
    if hasattr(response, "close"):
        response.close()
    return *started[0], response


def call(application, kind="http"):
    """Call an ASGI application, and give what it sent."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    return application({"type": kind, "method": "GET", "headers": []}, receive, send), sent


def test_asgi_requests_beyond_the_bound_get_503_and_websockets_do_not_count():
    async def check():
        go_on = asyncio.Event()

        async def application(scope, receive, send):
            await go_on.wait()
            await send({"type": scope["type"]})

        limited = ASGILimit(application, 2, "/slow")
        calls = [call(limited), call(limited), call(limited, "websocket")]
        tasks = [asyncio.create_task(coroutine) for coroutine, _ in calls]
        await asyncio.sleep(0)
        refused, sent = call(limited)
        await refused
        assert [message.get("status") or message["body"] for message in sent] == [503, BUSY]
        assert (b"retry-after", b"1") in sent[0]["headers"]
        go_on.set()
        await asyncio.gather(*tasks)
        served, sent = call(limited)
        await served
        assert sent == [{"type": "http"}]

    asyncio.run(check())


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError], ids=["raises", "cancelled"])
def test_an_asgi_application_that_ends_badly_frees_its_place(error):
    async def application(scope, receive, send):
        raise error

    async def check():
        limited = ASGILimit(application, 1, "/slow")
        for _ in range(3):
            with pytest.raises(error):
                await call(limited)[0]

    asyncio.run(check())


class Tenants(WSGITenantMount):
    """Tenants of which some are there, none is, or the factory raises."""

    def __init__(self, outcome):
        self.outcome = outcome

    def claim(self, values, prefix):
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


class AsyncTenants(ASGITenantMount):
    """The same over ASGI."""

    def __init__(self, outcome):
        self.tenants = Tenants(outcome)
        self.stopped = []

    async def claim(self, values, prefix):
        return self.tenants.claim(values, prefix)

    async def stop(self, seconds):
        self.stopped.append(seconds)


def test_a_limit_lets_the_tenants_stop():
    tenants = AsyncTenants(None)
    asyncio.run(ASGITenantsLimit(tenants, 1, "/slow").stop(2.5))
    assert tenants.stopped == [2.5]


def test_the_requests_to_all_tenants_of_a_mount_count_together():
    limited = WSGITenantsLimit(Tenants(answering(Response(b"hello"))), 1, "/slow")
    _, _, held = ask(limited.claim(("ann",), "/u/ann"))
    status, _, response = ask(limited.claim(("bob",), "/u/bob"))
    assert (status, b"".join(response)) == ("503 Service Unavailable", BUSY)
    held.close()
    assert ask(limited.claim(("bob",), "/u/bob"))[0] == "200 OK"


@pytest.mark.parametrize("outcome", [None, LookupError("no factory")], ids=["no tenant", "an error"])
def test_what_is_no_request_to_a_tenant_frees_its_place(outcome):
    limited = WSGITenantsLimit(Tenants(outcome), 1, "/slow")
    slow = ASGITenantsLimit(AsyncTenants(outcome), 1, "/slow")
    for _ in range(3):
        with contextlib.suppress(LookupError):
            assert limited.claim(("ann",), "") is None
        with contextlib.suppress(LookupError):
            assert asyncio.run(slow.claim(("ann",), "")) is None


def test_a_tenant_that_raises_frees_its_place():
    def application(environ, start_response):
        raise OSError

    limited = WSGITenantsLimit(Tenants(application), 1, "/slow")
    for _ in range(3):
        with pytest.raises(OSError, match=r"^$"):
            ask(limited.claim(("ann",), ""))


def test_asgi_tenants_count_together_and_their_websockets_do_not():
    async def test():
        go_on = asyncio.Event()

        async def application(scope, receive, send):
            await go_on.wait()

        limited = ASGITenantsLimit(AsyncTenants(application), 1, "/slow")

        async def start(kind):
            claimed = await limited.claim(("ann",), "")
            return asyncio.create_task(claimed({"type": kind}, None, None))

        tasks = [await start("websocket")]
        await asyncio.sleep(0)
        tasks.append(await start("http"))
        status, _ = await ask_asgi(await limited.claim(("bob",), ""))
        go_on.set()
        await asyncio.gather(*tasks)
        assert await limited.claim(("bob",), "") is not None
        return status

    assert asyncio.run(test()) == 503


async def ask_asgi(application):
    sent = []

    async def send(message):
        sent.append(message)

    await application({"type": "http", "method": "GET", "headers": []}, None, send)
    return sent[0]["status"], sent[1]["body"]

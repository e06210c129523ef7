"""A set of WSGI mounts as one ASGI application."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import pytest

from multiserve.dispatch.bridged import BridgedSet, BridgedTenants
from multiserve.dispatch.tenants import WSGITenantMount


async def refuse(scope, receive, send):
    await send({"type": "websocket.close"})


def shop(environ, start_response):
    environ["multiserve.mount"] = "/shop"
    start_response("200 OK", [])
    return [environ["PATH_INFO"].encode()]


def nowhere(environ, start_response):
    start_response("404 Not Found", [])
    return [b"nothing"]


@pytest.mark.parametrize(
    ("application", "kind", "sent", "name"),
    [
        pytest.param(shop, "http", ["http.response.start", "http.response.body"], "/shop", id="a mount"),
        pytest.param(nowhere, "http", ["http.response.start", "http.response.body"], None, id="no mount"),
        pytest.param(shop, "websocket", ["websocket.close"], None, id="a WebSocket"),
    ],
)
def test_requests_are_answered_and_web_sockets_refused(application, kind, sent, name):
    messages = []
    scope = {"type": kind, "method": "GET", "path": "/a", "headers": [], "query_string": b"", "http_version": "1.1"}

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        messages.append(message["type"])

    asyncio.run(BridgedSet(application, 1, refuse)(scope, receive, send))
    assert messages == sent
    assert scope.get("multiserve.mount") == name  # for the access log


class Tenants(WSGITenantMount):
    """Tenants that are closed as soon as these futures end."""

    def __init__(self, futures):
        self.futures = futures

    def close_all(self):
        return self.futures


@pytest.mark.parametrize("count", [0, 2])
def test_the_end_waits_for_tenants_no_longer_than_it_may(count):
    futures = [Future() for _ in range(count)]
    if futures:
        futures[0].set_result(None)
    asyncio.run(BridgedTenants(Tenants(futures)).stop(0.01))
    assert [each.cancelled() for each in futures] == [False, True][:count]

"""One WebSocket through a proxied mount: messages, subprotocol, and the code and reason of its end, both ways.

The library is websockets, as in the engine: aiohttp tells neither the reason of an end nor the body of a refusal.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.frames import CloseCode
from websockets.uri import WebSocketURI

from multiserve._types import Message, Receive, Scope, Send
from multiserve.hosts import normalise_host
from multiserve.mounts.proxied.failures import CONNECT_TIMEOUT, UpstreamError, describe
from multiserve.mounts.proxied.headers import BadResponseError, response_headers
from multiserve.mounts.proxied.http import Outgoing

_DENIAL = "websocket.http.response"
_CLOSE = 5.0  # seconds for the server to answer a goodbye
_BAD_GATEWAY = 1014
_NOT_SENT = (CloseCode.NO_STATUS_RCVD, CloseCode.ABNORMAL_CLOSURE, CloseCode.TLS_HANDSHAKE)  # RFC 6455, section 7.4.1


async def exchange(
    outgoing: Outgoing, seconds: float, context: ssl.SSLContext | None, scope: Scope, receive: Receive, send: Send
) -> None:
    """Hand a WebSocket on, from its handshake to its end.

    Args:
        outgoing: The handshake.
        seconds: How long the server may take to answer it.
        context: What checks the certificate of the server; None without TLS.
        scope: The WebSocket.
        receive: The client's side.
        send: Likewise.

    Raises:
        UpstreamError: The server has not answered the handshake.
    """
    await receive()  # websocket.connect
    first: asyncio.Task[Message] = asyncio.create_task(_next(receive))
    opening = asyncio.create_task(_open(outgoing, seconds, context, scope.get("subprotocols") or ()))
    try:
        await asyncio.wait((first, opening), return_when=asyncio.FIRST_COMPLETED)
        if not opening.done():
            return  # the client has left
        try:
            connection = opening.result()
        except InvalidStatus as refusal:
            await _refuse(refusal, scope, send)
            return
        try:
            await _accept(connection, send)
            await _talk(connection, first, receive, send)
        finally:
            connection.transport.abort()
    finally:
        await _end(first, opening)


async def _next(receive: Receive) -> Message:
    """Return the next event; what a server returns need not be a coroutine."""
    return await receive()


async def _open(
    outgoing: Outgoing, seconds: float, context: ssl.SSLContext | None, subprotocols: Any
) -> ClientConnection:
    """Connect, and exchange the handshake.

    Raises:
        UpstreamError: That did not work.
        InvalidStatus: The server refuses the WebSocket.
    """
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            connection = await _connect(outgoing, context, subprotocols)
    except OSError as error:  # a TimeoutError is one
        raise describe(error) from error
    try:
        async with asyncio.timeout(seconds):
            headers = [(name, _as_latin(value)) for name, value in outgoing.headers if name != "Host"]
            await connection.handshake(headers, user_agent_header=None)
    except TimeoutError:
        connection.transport.abort()
        raise UpstreamError(f"has not answered within {seconds:.0f} seconds", is_late=True) from None
    except InvalidStatus:
        connection.transport.abort()
        raise
    except (InvalidHandshake, EOFError, OSError) as error:
        connection.transport.abort()
        cause = error.__cause__ if isinstance(error, InvalidMessage) else error
        if isinstance(cause, EOFError | OSError):
            raise UpstreamError("closed the connection without an answer") from error
        raise UpstreamError(f"sent an invalid answer to a handshake: {error}") from error
    except BaseException:
        connection.transport.abort()
        raise
    return connection


async def _connect(outgoing: Outgoing, context: ssl.SSLContext | None, subprotocols: Any) -> ClientConnection:
    upstream = outgoing.upstream
    uri = _uri_of(outgoing)

    def make() -> ClientConnection:
        protocol = ClientProtocol(uri, subprotocols=list(subprotocols) or None, max_size=None)
        return ClientConnection(protocol, ping_interval=None, close_timeout=_CLOSE)

    loop = asyncio.get_running_loop()
    if upstream.socket:
        _, connection = await loop.create_unix_connection(make, upstream.socket)
        return connection
    # Without happy_eyeballs_delay, which uvloop does not know: the addresses of a name are tried one after the other.
    _, connection = await loop.create_connection(make, upstream.address, upstream.number, ssl=context)
    return connection


def _uri_of(outgoing: Outgoing) -> WebSocketURI:
    """Return what the library makes the request line and the Host header of; the connection is made elsewhere."""
    scheme = outgoing.upstream.scheme
    asked = next(value for name, value in outgoing.headers if name == "Host")
    host, port = normalise_host(asked, scheme) or (outgoing.upstream.host, outgoing.upstream.number)
    return WebSocketURI(scheme == "https", host.strip("[]"), port, *outgoing.target)


def _as_latin(value: str) -> str:
    """Return a header with one character for each byte, as the library sends it."""
    return value.encode().decode("latin-1")


async def _refuse(refusal: InvalidStatus, scope: Scope, send: Send) -> None:
    """Hand the refusal of the server on, with its body where the client's server can send one."""
    if _DENIAL not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    response = refusal.response
    headers = _headers_of(response)
    body = bytes(response.body or b"")
    kept = [each for each in headers if each[0] != b"content-length"]
    start = {"status": response.status_code, "headers": [*kept, (b"content-length", str(len(body)).encode())]}
    await send({"type": f"{_DENIAL}.start", **start})
    await send({"type": f"{_DENIAL}.body", "body": body})


async def _accept(connection: ClientConnection, send: Send) -> None:
    headers = [
        each for each in _headers_of(connection.response) if each[0] not in (b"content-length", b"server", b"date")
    ]
    await send({"type": "websocket.accept", "subprotocol": connection.subprotocol, "headers": headers})


def _headers_of(response: Any) -> list[tuple[bytes, bytes]]:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.raw_items()]
    try:
        return response_headers(raw)
    except BadResponseError as error:
        raise UpstreamError(f"sent an invalid answer to a handshake: {error}") from None


async def _talk(connection: ClientConnection, first: asyncio.Task[Message], receive: Receive, send: Send) -> None:
    """Hand messages on until one side ends the WebSocket, and then that end."""
    up = asyncio.create_task(_hand_up(connection, first, receive))
    down = asyncio.create_task(_hand_down(connection, send))
    try:
        await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        if up.done() and not down.done():
            up.result()
            return
        down.result()
    finally:
        await _end(up, down)


async def _end(*tasks: asyncio.Task[Any]) -> None:
    """End tasks whose results nobody asks for any more."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _hand_up(connection: ClientConnection, first: asyncio.Task[Message], receive: Receive) -> None:
    """Hand the messages of the client on, and say goodbye in its words."""
    message = await first
    with contextlib.suppress(ConnectionClosed):
        while message["type"] == "websocket.receive":
            text = message.get("text")
            await connection.send(text if text is not None else message.get("bytes") or b"")
            message = await receive()
        code = message.get("code", CloseCode.NO_STATUS_RCVD)
        if code == CloseCode.ABNORMAL_CLOSURE:
            return  # the client has vanished, and so does its connection to the server
        code = CloseCode.NORMAL_CLOSURE if code in _NOT_SENT else code
        await connection.close(code, message.get("reason") or "")
        return
    await asyncio.Event().wait()  # the server has ended it, which the other direction tells the client


async def _hand_down(connection: ClientConnection, send: Send) -> None:
    """Hand the messages of the server on, and say goodbye in its words."""
    try:
        while True:
            message = await connection.recv()
            await send({"type": "websocket.send", "text" if isinstance(message, str) else "bytes": message})
    except ConnectionClosed as closed:
        if closed.rcvd is None:
            code, reason = _BAD_GATEWAY, ""
        else:
            code, reason = closed.rcvd.code, closed.rcvd.reason
            code = CloseCode.NORMAL_CLOSURE if code in _NOT_SENT else code
        await send({"type": "websocket.close", "code": code, "reason": reason})

"""The applications that the soak serves."""

from __future__ import annotations

import time


def wsgi(environ, start_response):
    """Answer with the number of bytes that came, at length, slowly, or in brief."""
    path = environ["PATH_INFO"]
    if path == "/upload":
        body = str(sum(map(len, iter(lambda: environ["wsgi.input"].read(65536), b"")))).encode()
    elif path == "/big":
        body = b"x" * 2_000_000
    elif path == "/raises":
        raise OSError("as it was asked to")
    else:
        body = b"hello"
        time.sleep(0.002)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


async def asgi(scope, receive, send):
    """Echo what a WebSocket sends, and greet everybody else."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": event["text"]})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

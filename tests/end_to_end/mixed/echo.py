"""One application for each interface, which answers what it is given."""

import hashlib
import threading

KEYS = (
    "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "SERVER_PROTOCOL",
    "wsgi.url_scheme", "wsgi.input_terminated", "multiserve.mount",
)  # fmt: skip
go_on = threading.Event()


def wsgi(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return chunks()
    if path == "/go":
        go_on.set()
    if path == "/upload":
        return answer(digest(environ["wsgi.input"]), start_response)
    seen = {key: environ.get(key) for key in KEYS}
    return answer(seen | {key: value for key, value in environ.items() if key.startswith("HTTP_")}, start_response)


def chunks():
    yield b"first\n"
    go_on.wait(20)
    go_on.clear()
    yield b"second\n"


def digest(stream):
    size, total = 0, hashlib.sha256()
    while block := stream.read(65536):
        size += len(block)
        total.update(block)
    return {"size": size, "sha256": total.hexdigest()}


def answer(value, start_response):
    text = ascii(value).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
    return [text]


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        raise ValueError("no lifespan here")
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": scope["root_path"]})
        await send({"type": "websocket.close", "code": 3000})
        return
    keys = ("method", "root_path", "path", "raw_path", "query_string", "scheme", "state", "http_version")
    text = ascii({key: scope.get(key) for key in keys}).encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})

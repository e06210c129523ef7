"""Applications that answer what they are given: those of one letter are one unit."""

# What a front adds, or keeps to itself, and the addresses of the servers.
LEFT_OUT = {
    "connection",
    "content-length",
    "expect",
    "transfer-encoding",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "via",
    "x-request-id",
}


def is_kept(name):
    return name not in LEFT_OUT and not name.startswith("x-forwarded-")


def wsgi(letter):
    def application(environ, start_response):
        names = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE")
        seen = {name: environ.get(name) for name in (*names, "wsgi.url_scheme", "multiserve.mount")}
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): name for name in environ if name[:5] == "HTTP_"
        }
        seen |= {name: environ[variable] for name, variable in sorted(headers.items()) if is_kept(name)}
        text = ascii([letter, seen, environ["wsgi.input"].read()]).encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(text))), ("Set-Cookie", "one=1; Path=/")]
        start_response("200 OK", [*headers, ("Set-Cookie", f"at={letter}; Secure"), ("X-Echo", letter)])
        return [text]

    return application


def asgi(letter):
    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            raise ValueError("no lifespan here")
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": ascii([letter, scope["root_path"], scope["path"]])})
            await send({"type": "websocket.close", "code": 3000, "reason": "done"})
            return
        headers = sorted((name, value) for name, value in scope["headers"] if is_kept(name.decode()))
        names = ("method", "root_path", "path", "raw_path", "query_string", "scheme")
        body = await receive()
        text = ascii([letter, [scope.get(name) for name in names], headers, body["body"]]).encode()
        start = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
        if scope["path"] == "/api/events":
            await send_events(send, receive)
            return
        await send({"type": "http.response.start", "status": 200, "headers": start})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})

    return application


async def send_events(send, receive):
    """Send one event at once, and another one when the client has gone."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    await send({"type": "http.response.body", "body": b"data: first\n\n", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass
    await send({"type": "http.response.body", "body": b"data: second\n\n"})


def make_tenant(letter):
    def make(*values):
        return None if "refused" in values else wsgi(f"{letter} {values!r}")

    return make


a, b, c, d, e = map(wsgi, "abcde")
f, g = map(asgi, "fg")
tenant, shop, region = map(make_tenant, ("tenant", "shop", "region"))

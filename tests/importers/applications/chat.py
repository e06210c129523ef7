"""ASGI applications that answer what they see."""


def make_app(name):
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        seen = {key: scope.get(key) for key in ("root_path", "path", "query_string")}
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": f"{name} {seen}".encode()})

    return app


app = make_app("chat")

"""Middleware, good and deliberately broken."""


class Mark:
    """WSGI middleware that puts a mark in front of the headers."""

    def __init__(self, application, mark="m"):
        self.application = application
        self.mark = mark

    def __call__(self, environ, start_response):
        def marked(status, headers, *exc_info):
            return start_response(status, [("X-Mark", self.mark), *headers], *exc_info)

        return self.application(environ, marked)


class ASGIMark:
    """ASGI middleware that does the same."""

    def __init__(self, application, mark="m"):
        self.application = application
        self.mark = mark

    async def __call__(self, scope, receive, send):
        async def mark(message):
            if message["type"] == "http.response.start":
                message = {**message, "headers": [(b"x-mark", self.mark.encode()), *message["headers"]]}
            await send(message)

        await self.application(scope, receive, mark)


class Pool:
    """ASGI middleware that has to be started."""

    def __init__(self, application):
        self.application = application
        self.is_open = False

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            self.is_open = True
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.is_open = False
            await send({"type": "lifespan.shutdown.complete"})
            return
        if not self.is_open:
            raise RuntimeError("the pool is not open")
        await self.application(scope, receive, send)


def raises(application):
    raise LookupError("no middleware today")


def returns_nothing(application):
    return None


not_callable = "text"

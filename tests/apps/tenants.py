"""Factories of tenants, good and deliberately broken."""

made = []


def create_app(name, *more):
    """Make an application that answers with its name and its prefix."""
    if name == "nobody":
        return None
    made.append((name, *more))

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{name} at {environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]

    return application


def only_known(name):
    return create_app(name) if name == "known" else None


def by_keyword(name, *, colour):
    return create_app(name, colour)


async def asynchronous(name):
    """Make an ASGI application."""
    return None if name == "nobody" else asgi(name)


async def asynchronous_raises(name):
    raise LookupError(name)


def asgi(name):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": f"{name} at {scope['root_path']}".encode()})

    return application


shared = asgi("shared")


def raises(name):
    raise LookupError(name)


def nothing_callable(name):
    return 42


def application(environ, start_response):
    raise NotImplementedError


not_callable = "text"

from starlette.applications import Starlette
from starlette.routing import Route


class Manager:
    stateless = True


class StreamableHTTPASGIApp:
    """Stands for the class of the official package, which is not among the dependencies of the tests."""

    __module__ = "mcp.server.streamable_http_manager"

    def __init__(self):
        self.session_manager = Manager()

    async def __call__(self, scope, receive, send): ...


app = Starlette(routes=[Route("/mcp", StreamableHTTPASGIApp())])

"""Starlette."""

from starlette.applications import Starlette
from starlette.routing import Host, Route, Router, WebSocketRoute


async def item(request):
    raise AssertionError


async def talk(websocket):
    raise AssertionError


inner = Router([Route("/inner", item, name="inner")])
app = Starlette(
    routes=[
        Route("/items/{number}", item, methods=["GET", "PUT"]),
        WebSocketRoute("/talk/", talk),
        Host("inner.example.com", inner),
    ]
)

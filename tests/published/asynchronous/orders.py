"""Litestar, with the documentation of its own API."""

from litestar import Litestar, get
from litestar.openapi.config import OpenAPIConfig


@get("/orders")
async def orders() -> list[str]:
    return ["one"]


app = Litestar([orders], openapi_config=OpenAPIConfig("Orders", "1"))

"""Starlette: says how it sees a request, in a response, over a WebSocket, and in a stream that waits."""

import asyncio

from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

go_on = asyncio.Event()


def describe(connection):
    return {
        "mount": "root",
        "url": str(connection.url_for("where")),
        "prefix": connection.scope["root_path"],
        "client": connection.client.host,
    }


async def where(request):
    return JSONResponse(describe(request))


async def jump(request):
    return RedirectResponse(request.url_for("where").path)


async def leap(request):
    return RedirectResponse(request.url_for("where"))


async def listen(websocket):
    await websocket.accept()
    await websocket.send_json({**describe(websocket), "url": str(websocket.url)})
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


async def stream(request):
    async def chunks():
        yield "data: first\n\n"
        await asyncio.wait_for(go_on.wait(), 20)
        go_on.clear()
        yield "data: second\n\n"

    return StreamingResponse(chunks(), media_type="text/event-stream")


async def go(request):
    go_on.set()
    return JSONResponse({})


root = Starlette(
    routes=[
        Route("/where", where, name="where"),
        Route("/jump", jump),
        Route("/leap", leap),
        Route("/events/stream", stream),
        Route("/go", go),
        WebSocketRoute("/listen", listen),
    ]
)

"""FastAPI: lifespan state, generated URLs, a WebSocket, a stream."""

import asyncio
import contextlib
import sys

from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse

go_on = asyncio.Event()


@contextlib.asynccontextmanager
async def lifespan(app):
    sys.stderr.write("api starts\n")
    yield {"greeting": "hello"}
    sys.stderr.write("api ends\n")


app = FastAPI(lifespan=lifespan)


@app.get("/items/{number}")
async def item(request: Request, number: int):
    return {
        "state": request.state.greeting,
        "url_for": str(request.url_for("item", number=number + 1)),
        "url": str(request.url),
        "base_url": str(request.base_url),
        "root_path": request.scope["root_path"],
        "path": request.scope["path"],
    }


@app.get("/stream")
async def stream():
    async def chunks():
        yield "first\n"
        await asyncio.wait_for(go_on.wait(), 20)
        go_on.clear()
        yield "second\n"

    return StreamingResponse(chunks(), media_type="text/event-stream")


@app.post("/go")
async def go():
    go_on.set()


@app.websocket("/ws/{name}")
async def echo(websocket: WebSocket, name: str):
    await websocket.accept()
    await websocket.send_json([name, websocket.state.greeting, websocket.scope["root_path"], websocket.scope["path"]])
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await websocket.send_text(await websocket.receive_text())

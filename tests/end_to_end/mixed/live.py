"""A bare ASGI application that says what becomes of it; files beside it make it wait or fail."""

import asyncio
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent


def say(text):
    sys.stderr.write(f"live: {text}\n")


async def until(name):
    while not (FOLDER / name).exists():  # noqa: ASYNC110 (another process makes the file)
        await asyncio.sleep(0.01)


async def app(scope, receive, send):
    await {"lifespan": lifespan, "websocket": websocket, "http": http}[scope["type"]](scope, receive, send)


async def lifespan(scope, receive, send):
    await receive()
    if (FOLDER / "fail").exists():
        await send({"type": "lifespan.startup.failed", "message": "no database"})
        return
    if (FOLDER / "slow").exists():
        await until("go")
    scope["state"]["is"] = "up"
    say("up")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    say("down")
    await send({"type": "lifespan.shutdown.complete"})


async def websocket(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "accepted"})
    if scope["path"].endswith("/sends"):  # an application that never receives
        try:
            while True:
                await asyncio.sleep(0.05)
                await send({"type": "websocket.send", "text": "tick"})
        except OSError:
            say("sends no more")
            return
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})
    say(f"disconnected with {event['code']}")


async def http(scope, receive, send):
    path = scope["path"].removeprefix(scope["root_path"])
    if path == "/read":
        say(f"reading ended with {await read(receive)}")
    if path == "/wait":
        say("waiting")
        await until("go")
    loop = type(asyncio.get_running_loop()).__module__
    body = repr((scope["state"].get("is"), loop, sys.getswitchinterval())).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    if path == "/endless":
        try:
            while True:
                await send({"type": "http.response.body", "body": b"data: tick\n\n", "more_body": True})
                await asyncio.sleep(0.05)
        finally:
            say("the stream ended")
    await send({"type": "http.response.body", "body": body})
    if path == "/background":
        say("in the background")
        await until("go")
        say("the background ended")


async def read(receive):
    while True:
        event = await receive()
        if event["type"] != "http.request" or not event.get("more_body"):
            return event["type"]

"""Tenants on real frameworks: each one tells its name, where it stands, and when it comes and goes."""

import functools
import threading
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, WebSocket
from flask import Flask, url_for

tell = functools.partial(print, flush=True)
both_are_building = threading.Barrier(2, timeout=20)
fast_was_asked = threading.Event()
# Werkzeug parses source for each rule, which raises "AST constructor recursion depth mismatch" on Python 3.11 before
# 3.11.8 where two threads do it at once (CPython's gh-106905): shops are awaited side by side, and given rules in turn.
rules = threading.Lock()


class Shop(Flask):
    """A shop that can be closed."""

    is_closed = False

    def close(self):
        self.is_closed = True
        tell(f"closed {self.name}")


class Kiosk:
    """A shop without a framework, of which many are made at a time."""

    def __init__(self, name):
        self.name = name
        self.is_closed = False

    def __call__(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{self.name} is {'closed' if self.is_closed else 'open'}, {environ['SCRIPT_NAME']}/items/1".encode()]

    def close(self):
        self.is_closed = True
        tell(f"closed {self.name}")


def create_shop(name):
    """Make a shop; some take their time, some are not there, and some are broken."""
    if name in ("left", "right"):
        both_are_building.wait()
    if name == "slow":
        fast_was_asked.wait(20)
    if name == "nobody":
        return None
    if name == "broken":
        raise LookupError("this shop is broken")
    if name.startswith("load"):
        return Kiosk(name)
    with rules:
        return open_shop(name)


def open_shop(name):
    """Make a shop of Flask."""
    shop = Shop(name)

    @shop.get("/")
    def home():
        if name == "fast":
            fast_was_asked.set()
        state = "closed" if shop.is_closed else "open"
        return f"{name} is {state}, {url_for('item', number=1)}"

    @shop.get("/items/<int:number>")
    def item(number):
        return f"item {number} of {name}"

    return shop


async def create_api(name):
    """Make an API with a lifespan and a WebSocket."""

    @asynccontextmanager
    async def lifespan(_):
        tell(f"started {name}")
        yield {"greeting": f"hello from {name}"}
        tell(f"stopped {name}")

    api = FastAPI(lifespan=lifespan)

    @api.get("/")
    async def home(request: Request):
        return {"greeting": request.state.greeting, "url": str(request.url_for("home"))}

    @api.websocket("/echo")
    async def echo(websocket: WebSocket):
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(f"{websocket.state.greeting}: {text}")

    return api if name != "nobody" else None

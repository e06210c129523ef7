"""The FastAPI application of the chat.

It does not know where it is mounted: `url_for` and the documentation read it from `root_path`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, TypedDict

from fastapi import Depends, FastAPI, Query, Request, WebSocket, status
from fastapi.requests import HTTPConnection
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from pydantic import ValidationError

from chat.room import Message, Room

FOLDER = Path(__file__).parent


class State(TypedDict):
    """What the lifespan gives to every request and WebSocket."""

    room: Room


@asynccontextmanager
async def open_room(app: FastAPI) -> AsyncIterator[State]:
    """Open the room for as long as the server runs."""
    room = Room()
    await room.say(Message(name=app.title, text="Welcome!"))
    yield {"room": room}


def get_room(connection: HTTPConnection) -> Room:
    """Give a request or a WebSocket the room that the lifespan has opened."""
    room: Room = connection.state.room
    return room


OpenRoom = Annotated[Room, Depends(get_room)]
Name = Annotated[str, Query(min_length=1, max_length=40)]

app = FastAPI(title="Chat", lifespan=open_room)
app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
templates = Jinja2Templates(FOLDER / "templates")


@app.get("/", include_in_schema=False)
def page(request: Request, name: Name = "guest") -> HTMLResponse:
    """Show the chat, ready to talk under a name."""
    return templates.TemplateResponse(request, "chat.html", {"name": name})


@app.get("/messages", summary="Read what was said")
async def read_messages(room: OpenRoom) -> list[Message]:
    """Answer the last fifty messages, the oldest first."""
    return list(room.messages)


@app.post("/messages", summary="Say something", status_code=status.HTTP_201_CREATED)
async def add_message(message: Message, room: OpenRoom) -> Message:
    """Say something without a WebSocket, such as from the command line."""
    await room.say(message)
    return message


@app.websocket("/talk")
async def talk(guest: WebSocket, room: OpenRoom, name: Name = "guest") -> None:
    """Send a guest all that is said, and say all that the guest sends."""
    try:
        await room.enter(guest)
        async for text in guest.iter_text():
            await room.say(Message(name=name, text=text))
    except ValidationError:
        await guest.close(status.WS_1008_POLICY_VIOLATION, "A message has 1 to 500 characters.")
    finally:
        room.leave(guest)

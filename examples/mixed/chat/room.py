"""The room of the chat: who is in it, and what was said."""

import asyncio
from collections import deque

from fastapi import WebSocket
from pydantic import BaseModel, Field


class Message(BaseModel):
    """What one guest said."""

    name: str = Field(min_length=1, max_length=40)
    text: str = Field(min_length=1, max_length=500)


class Room:
    """A room in the memory of this process, which forgets all but the last fifty messages."""

    def __init__(self) -> None:
        """Open an empty room."""
        self.messages: deque[Message] = deque(maxlen=50)
        self.guests: set[WebSocket] = set()

    async def enter(self, guest: WebSocket) -> None:
        """Let a guest in, and tell them what was said before."""
        await guest.accept()
        self.guests.add(guest)
        await guest.send_json([message.model_dump() for message in self.messages])

    def leave(self, guest: WebSocket) -> None:
        """Forget a guest."""
        self.guests.discard(guest)

    async def say(self, message: Message) -> None:
        """Keep a message and send it to all guests."""
        self.messages.append(message)
        sendings = [guest.send_json([message.model_dump()]) for guest in self.guests]
        # Who is gone, and so cannot be sent to, is forgotten when their own connection ends.
        await asyncio.gather(*sendings, return_exceptions=True)

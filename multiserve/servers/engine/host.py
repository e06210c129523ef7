"""What connections ask of the listener that has accepted them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from multiserve.servers.engine.access import Access
from multiserve.servers.engine.settings import EngineSettings


class Host(Protocol):
    """A listener, as its connections see it.

    Attributes:
        settings: The limits.
        log: A logger, or what has a logger's methods.
        log_access: Write a line of the access log; None for no access log.
        is_stopping: Responses that begin from now on say that the connection ends with them.
        config: uvicorn's configuration.
        state: What uvicorn's connections share, with the WebSockets apart.
    """

    settings: EngineSettings
    log: Any
    log_access: Callable[[Access], None] | None
    is_stopping: bool
    config: Any
    state: Any

    @property
    def has_room_for_websocket(self) -> bool:
        """Whether one WebSocket more may be opened."""
        ...

    def make_room(self) -> bool:
        """Make room for one connection more, at the cost of another one; return whether there is room."""
        ...

    def note_https(self, transport: asyncio.Transport) -> None:
        """Log that a client has begun with TLS where none is served."""
        ...

    def close_gently(self, connection: ClosedGently) -> None:
        """Close a connection whose client may still be sending."""
        ...


class ClosedGently(Protocol):
    """A connection that reads nothing more, and whose client has still to take in the response.

    Attributes:
        transport: Its transport.
        is_refused: Nothing more is read.
        is_half_closed: Nothing more may be written.
    """

    transport: asyncio.Transport
    is_refused: bool
    is_half_closed: bool

    def pause_writing(self) -> None:
        """Take note that the transport is full."""
        ...

    def resume_writing(self) -> None:
        """Take note that the transport has room again."""
        ...

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of the end."""
        ...

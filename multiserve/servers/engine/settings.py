"""What the engine can be told, whichever server runs it."""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST_TARGET = 65535  # bytes that httptools takes
_LARGEST_FIELDS = 1024 * 1024  # bytes of all fields of a head, where there is no other limit
SWITCH_INTERVAL = 0.001  # seconds: threads that compute would hold up the event loop for 5 ms at a time otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """The settings of the engine.

    0 for one of the three limits of a head means that there is none of its own: all the same, a target has at most
    65,535 bytes, and where fields have no limit in number or length, all of them have 1 MiB.

    Attributes:
        client_timeout: Seconds that a client may keep the server waiting for the same thing.
        keepalive: Seconds that an idle connection stays open after a response.
        max_connections: Connections that are open at a time, without WebSockets.
        max_websockets: WebSockets that are open at a time.
        largest_message: Bytes of a WebSocket message.
        backlog: Connections that the system keeps waiting.
        longest_line: Bytes of a request line.
        most_fields: Fields of a head.
        longest_field: Bytes of a field.
        is_alone: No other process serves the same applications.
    """

    client_timeout: float = 30.0
    keepalive: float = 5.0
    max_connections: int = 1000
    max_websockets: int = 1000
    largest_message: int = 16 * 1024 * 1024
    backlog: int = 2048
    longest_line: int = 8190
    most_fields: int = 100
    longest_field: int = 8190
    is_alone: bool = False

    @property
    def shortest_limit(self) -> int:
        """How many bytes a head may have without a look at the length of its line and of each field."""
        return min(limit or _LONGEST_TARGET for limit in (self.longest_line, self.longest_field))

    @property
    def longest_head(self) -> int:
        """How many bytes of a head are read at most."""
        fields = self.most_fields * self.longest_field or _LARGEST_FIELDS
        return (self.longest_line or _LONGEST_TARGET) + fields + len("\r\n" * 2)

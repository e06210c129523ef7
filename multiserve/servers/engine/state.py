"""What the connections of a listener share: the list of them, and the headers of every response."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterable
from typing import Any

from uvicorn.server import ServerState

from multiserve.servers.engine.host import Host


class _Connections(OrderedDict[Any, None]):
    """uvicorn's set of connections, those first that have been silent for longest."""

    def add(self, connection: Any) -> None:
        self[connection] = None

    def discard(self, connection: Any) -> None:
        self.pop(connection, None)

    remove = discard


class State(ServerState):
    """What uvicorn's connections share.

    Attributes:
        listener: What has accepted them.
        websockets: The WebSockets, which are not among the connections.
    """

    connections: Any

    def __init__(self, listener: Host) -> None:
        """Begin without connections."""
        super().__init__()
        self.connections = _Connections()
        self.websockets = _Connections()
        self.listener = listener
        self._default_fields = b""

    def set_default_headers(self, *headers: tuple[bytes, bytes]) -> None:
        """Set what every response has where its application does not send it."""
        self.default_headers = list(headers)
        self._default_fields = _lines(headers)

    def default_fields(self, own: Container[bytes]) -> bytes:
        """Return them as lines, but for those names that an application sends itself."""
        if b"date" in own or b"server" in own:
            return _lines(each for each in self.default_headers if each[0] not in own)
        return self._default_fields


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(name + b": " + value + b"\r\n" for name, value in headers)

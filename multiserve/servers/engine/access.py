"""What the access log can tell of one request, or of one end of a WebSocket."""

from __future__ import annotations

from typing import NamedTuple

from multiserve._types import Scope
from multiserve.dispatch.environ_keys import MOUNT_KEY, REQUEST_ID_KEY


class Access(NamedTuple):
    """One request that has been answered, or a WebSocket that has been opened, refused or closed.

    Attributes:
        scope: The scope, in which the dispatcher has noted mount and true client.
        status: The status of the response; 101 for a WebSocket that was accepted.
        headers: The headers of the response.
        sent: Bytes of its body.
        seconds: How long it took; for a WebSocket that was closed, since its handshake has begun.
        code: The code with which a WebSocket was closed (RFC 6455, section 7.4); 0 for anything else.
    """

    scope: Scope
    status: int
    headers: list[tuple[bytes, bytes]]
    sent: int
    seconds: float
    code: int = 0

    @property
    def method(self) -> str:
        """The method; the handshake of a WebSocket is a GET."""
        method: str = self.scope.get("method", "GET")
        return method

    @property
    def query(self) -> str:
        """The query of the target."""
        query: bytes = self.scope["query_string"]
        return query.decode("latin-1")

    @property
    def path(self) -> str:
        """The whole path, as it came."""
        path: str = self.scope["raw_path"].decode("latin-1")
        return path

    @property
    def target(self) -> str:
        """The target, as it came."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def protocol(self) -> str:
        """The protocol, such as HTTP/1.1."""
        return f"HTTP/{self.scope['http_version']}"

    @property
    def client(self) -> str:
        """The address of the client; empty on a unix socket."""
        client = self.scope.get("client")
        return str(client[0]) if client else ""

    @property
    def mount(self) -> str:
        """The key of the mount; empty if none has answered."""
        mount: str = self.scope.get(MOUNT_KEY, "")
        return mount

    @property
    def request_id(self) -> str:
        """The id of the request; empty if requests have none."""
        request_id: str = self.scope.get(REQUEST_ID_KEY, "")
        return request_id

    def fields(self) -> dict[str, str]:
        """Return the header fields of the request, by their names in lower case."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.scope["headers"]}

"""The near end: hands the requests for the mounts of a group on to its process."""

from __future__ import annotations

import contextlib
from pathlib import Path

from multiserve._types import Message, Receive, Scope, Send
from multiserve.dispatch.answers import ELSEWHERE, Answer, group_down, group_lost
from multiserve.dispatch.tenants import NotMineError
from multiserve.mounts.grouped.client import Client
from multiserve.mounts.grouped.envelope import pack
from multiserve.mounts.proxied import http
from multiserve.mounts.proxied.application import CONNECTED, Proxy, ProxyOptions, receive_again
from multiserve.mounts.proxied.failures import UpstreamError
from multiserve.upstreams import Upstream

DOWN = ".down"
"""What a file has at its end that says why nobody serves at the socket beside it."""

_NO_BODY: Message = {"type": "http.request", "body": b"", "more_body": False}
_STARTS = ("http.response.start", "websocket.http.response.start")
_ELSEWHERE = (ELSEWHERE.lower().encode(), b"1")
_FOR_EVER = 10.0**9  # seconds; a mount in this process has no limit either


class GroupProxy(Proxy):
    """Hands requests and WebSockets on to the process of a group, which sees them as they came in."""

    def __init__(self, socket: str, name: str, group: str, segments: int, *, has_tenants: bool, details: bool) -> None:
        """Prepare; nothing is connected before the first request.

        Args:
            socket: The path of the socket of the group.
            name: The mount, as its key spells it.
            group: The name of the group.
            segments: How many segments the prefix of the mount has.
            has_tenants: Whether its key has placeholders: the group decides then whether a request is for it.
            details: Tell clients why the group is down.
        """
        options = ProxyOptions(name=name, prefix="", timeout=_FOR_EVER, details=details)
        self._has_tenants = has_tenants
        super().__init__(Upstream(socket=socket), options)
        self.group = group
        self._segments = segments
        self._down = Path(f"{socket}{DOWN}")

    def _new_client(self, upstream: Upstream) -> http.Client:
        return Client(upstream.socket, asks_first=self._has_tenants)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection, or run the lifespan.

        Raises:
            NotMineError: The mount has no such tenant.
        """
        if not self._has_tenants or scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
            return
        taken = CONNECTED if scope["type"] == "websocket" else _NO_BODY if not http.has_body(scope) else None
        rest = receive_again(receive, taken) if taken else receive  # a body is not taken before the group asks for it

        async def send_if_mine(message: Message) -> None:
            if message["type"] in _STARTS and _ELSEWHERE in message["headers"]:
                raise NotMineError(rest)
            await send(message)

        await super().__call__(scope, receive, send_if_mine)

    def _refusal(self, scope: Scope) -> Answer | None:
        del scope
        return self._down_answer() if self._down.exists() else None

    def _outgoing(self, upstream: Upstream, scope: Scope) -> http.Outgoing:
        root_path: str = scope.get("root_path", "")
        if self._segments:  # each of them begins with a slash, whatever the client has written
            root_path = root_path.rsplit("/", self._segments)[0]
        return http.Outgoing(upstream, ("/", ""), [("Host", "group"), *pack(scope, root_path)])

    def _answer_to(self, server: str, error: UpstreamError) -> Answer:
        if self._down.exists():
            return self._down_answer()
        self._failures.answer(server, error)  # which logs it once, until there is an answer again
        return group_lost(self.options.name)

    def _name_of(self, upstream: Upstream) -> str:
        del upstream
        return f"the process of the group {self.group}"

    def _down_answer(self) -> Answer:
        reason = ""
        if self.options.details:
            with contextlib.suppress(OSError):
                reason = self._down.read_text("utf-8")
        return group_down(self.options.name, self.group, reason)

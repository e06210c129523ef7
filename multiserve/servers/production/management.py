"""The management listener of gunicorn's master: what it is told by the main loop, and when it begins and ends."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import partial
from typing import Any

from multiserve.config.manage_address import UNIX, split_host_and_port
from multiserve.config.model import Config
from multiserve.dispatch.counting.counts import Counts
from multiserve.errors import Problem, ServeError
from multiserve.keys import is_followable, url_of
from multiserve.servers.addresses import origin
from multiserve.servers.management import health
from multiserve.servers.management.address import bind_manage_address, remove_socket, remove_stale_socket
from multiserve.servers.management.exchange import Page
from multiserve.servers.management.listener import Listener
from multiserve.servers.management.metrics import metrics
from multiserve.servers.management.site import Site
from multiserve.servers.management.state import State
from multiserve.servers.management.totals import Totals
from multiserve.servers.page.samples import Samples

_HANDED_ON = "_MULTISERVE_MANAGE"  # the variable by which a second master gets the socket


class Management:
    """The listener, and the state that it shows."""

    def __init__(self, environment: MutableMapping[str, str], measure: Callable[[int], int]) -> None:
        """Take over the socket of the master before this one, if there is one.

        Args:
            environment: The environment variables, from which it is taken.
            measure: Return the bytes of memory that a process has in use.
        """
        self.state = State()
        self.address = ""
        self.waits = False  # the master before this one answers
        self._listener: Listener | None = None
        self._next: tuple[str, Listener] | None = None  # for a reload
        self._inherited = _Inherited.take(environment)
        self._shared = ""  # the address whose socket another master has, or has had
        self.totals = Totals()
        self._samples = Samples()
        self.site = Site(self.state, self._samples)
        self._pages: dict[str, Page] = {
            "/livez": partial(health.live, self.state),
            "/readyz": partial(health.ready, self.state),
            "/metrics": partial(metrics, self.state, self.totals, measure),
            **self.site.pages,
        }

    def start(self, address: str, *, waits: bool) -> None:
        """Listen on an address, if there is one.

        Args:
            address: The address; empty for none.
            waits: The master before this one answers; `take_over` begins.

        Raises:
            ServeError: It cannot be bound.
        """
        self.waits = waits
        inherited, self._inherited = self._inherited, None
        self._shared = inherited.address if inherited else ""
        listener = inherited.use(address) if inherited else None
        if not address:
            return
        self.address = address
        self._listener = Listener(listener or bind_manage_address(address), self._pages, _host_of(address))
        if not waits:
            self._listener.start()

    def take_over(self) -> None:
        """Begin to answer, once the master before this one has ended."""
        if self.waits:
            self.waits = False
            if self._shared != self.address:
                remove_stale_socket(self._shared)
            self._shared = ""
            if self._listener is not None:
                self._listener.start()

    def prepare(self, address: str) -> None:
        """Bind the address of a reload, which `switch` or `stay` follows.

        Raises:
            ServeError: It cannot be bound.
        """
        self.stay()
        if address and address != self.address:
            self._next = (address, Listener(self._bind_beside(address), self._pages, _host_of(address)))

    def _bind_beside(self, address: str) -> socket.socket:
        """Bind an address while the one before is still in use."""
        try:
            return bind_manage_address(address)
        except ServeError as error:
            message = error.problems[0].message
            is_in_own_way = _port_of(address) is not None and _port_of(address) == _port_of(self.address)
            if not is_in_own_way or os.strerror(errno.EADDRINUSE) not in message:
                raise
            hint = f"This server itself listens at {self.address}: to move manage to another host, restart it."
            raise ServeError(Problem(message=message, hint=hint)) from None

    def stay(self) -> None:
        """Drop what was bound for a reload that is refused."""
        if self._next is not None:
            address, listener = self._next
            self._next = None
            listener.close()
            remove_socket(address)

    def switch(self, address: str, *, is_alone: bool) -> None:
        """Listen on the address of a reload, and no longer on the one before.

        Args:
            address: The address.
            is_alone: There is no other master.
        """
        if address == self.address:
            return
        following, self._next = self._next, None
        self.close(is_alone=is_alone)
        if following is not None:
            self.address, self._listener = following
            if not self.waits:
                self._listener.start()

    def note_reload(self, refusal: str) -> None:
        """Count a reload, and remember why it was refused; empty if it was not."""
        outcome = "refused" if refusal else "ok"
        self.state.last_reload = {"time": time.time(), "refused": bool(refusal), "reason": refusal}
        self.state.reloads = {**self.state.reloads, outcome: self.state.reloads[outcome] + 1}

    def counts_for(self, config: Config) -> Counts | None:
        """Return what a worker that is about to be started counts in; None where nothing is counted."""
        return Counts(mount.name for mount in config.mounts) if config.server.manage else None

    def begin(self, pid: int, counts: Counts | None) -> None:
        """Take note of a worker that has just been started, and of what it counts in."""
        self.state.started += 1
        if counts is not None:
            self.totals.begin(pid, counts)

    @property
    def is_on(self) -> bool:
        """Whether there is a listener."""
        return self._listener is not None

    @property
    def page(self) -> dict[str, str]:
        """The address of the page, and the token with which it changes something.

        Raises:
            ServeError: There is no listener.
        """
        if self._listener is None:
            hint = 'Write manage = "127.0.0.1:9000" under [server], and reload the server.'
            raise ServeError(Problem(message="this server has no management listener, and so no page", hint=hint))
        if self.address.startswith(UNIX):
            return {"address": self.address, "token": self.site.access.token}
        host, port = self._listener.socket.getsockname()[:2]
        return {"address": f"{origin(host, port)}/", "token": self.site.access.token}

    def look(self, status: Mapping[str, Any], config: Config, origins: Sequence[str], *, is_serving: bool) -> None:
        """Take note of the state of the server: the main loop calls this each time it comes round.

        Args:
            status: What `multiserve status` shows, with memory left out.
            config: The configuration that is served.
            origins: Where the server can be reached; empty for unix sockets.
            is_serving: At least one worker is ready.
        """
        state = self.state
        state.status = status
        state.required = {mount.name for mount in config.mounts if mount.required or config.server.strict}
        state.is_serving = is_serving
        keys = {mount.name: mount.key for mount in config.mounts if is_followable(mount.key)}
        state.urls = {name: url_of(key, origins[0]) for name, key in keys.items()} if origins else {}
        if self._samples.is_due(now := time.monotonic()):
            self._samples.take(self.totals.read(), now)

    def beat(self) -> None:
        """Take note that the main loop runs."""
        self.state.beat = time.monotonic()

    def hand_on(self) -> dict[str, str]:
        """Return the variables by which a second master gets the socket."""
        if self._listener is None:
            return {}
        self._shared = self.address
        self._listener.socket.set_inheritable(True)  # as gunicorn's own; what else is started closes it
        return {_HANDED_ON: f"{self._listener.socket.fileno()},{self.address}"}

    def close_here(self) -> None:
        """In a new worker, close what concerns the master alone."""
        self.totals.forget()
        for listener in (self._listener, self._next and self._next[1]):
            if listener is not None:
                listener.close_here()

    def close(self, *, is_alone: bool) -> None:
        """Stop listening, and remove the file of a unix socket, unless another master has the same one.

        Args:
            is_alone: There is no other master.
        """
        self.stay()
        if self._listener is not None:
            self._listener.close()
            if is_alone or self.address != self._shared:
                remove_socket(self.address)
        self._listener, self.address = None, ""


class _Inherited:
    """The socket of the master before this one."""

    def __init__(self, descriptor: int, address: str) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.set_inheritable(False)
        self.address = address

    @classmethod
    def take(cls, environment: MutableMapping[str, str]) -> _Inherited | None:
        """Take it out of the environment; None where there is none."""
        descriptor, _, address = environment.pop(_HANDED_ON, "").partition(",")
        try:
            return cls(int(descriptor), address) if descriptor else None
        except (OSError, ValueError):  # the variable has come to another process
            return None

    def use(self, address: str) -> socket.socket | None:
        """Return the socket for an address; if it is that of another one, close it."""
        if address == self.address:
            return self._socket
        self._socket.close()
        return None


def _port_of(address: str) -> int | None:
    """Return the port of an address; None where it has none."""
    return split_host_and_port(address)[1] if address and not address.startswith(UNIX) else None


def _host_of(address: str) -> str:
    return "" if address.startswith(UNIX) else split_host_and_port(address)[0]

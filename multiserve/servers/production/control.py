"""Asks a running server: over a unix socket in a folder that its own user alone can enter.

A question is one line of JSON, a list of a word and its arguments, and so is the answer: `["done", value]`, or
`["refused", reason]`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from multiserve.errors import MultiserveError, ServeError

Reply = Callable[[], tuple[str, Any] | None]
"""Returns the answer, or None while it is not known yet."""

_LONGEST = 330.0  # seconds that an answer may take: a reload is refused before
_PATIENCE = 1.0  # seconds for a client, which is ours, to say what it wants
_BLOCK = 65536


class Control:
    """The server's side."""

    def __init__(self, path: Path, commands: Mapping[str, Callable[..., Reply]]) -> None:
        """Listen.

        Args:
            path: The path of the socket.
            commands: What can be asked: each takes the arguments, and raises a MultiserveError for what it refuses.
        """
        self.path = path
        self._commands = commands
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(0)
        self._open: list[tuple[socket.socket, Reply]] = []

    def look(self) -> None:
        """Take questions, and answer those whose answers are known by now."""
        while (client := self._accept()) is not None:
            self._open.append((client, self._ask(client)))
        for client, reply in list(self._open):
            if (answer := reply()) is not None:
                self._open.remove((client, reply))
                with client:
                    _send(client, list(answer))

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits for an answer."""
        return bool(self._open)

    def close(self) -> None:
        """Close the socket."""
        self._listener.close()
        for client, _ in self._open:
            client.close()

    def _accept(self) -> socket.socket | None:
        try:
            return self._listener.accept()[0]
        except OSError:
            return None

    def _ask(self, client: socket.socket) -> Reply:
        try:
            client.settimeout(_PATIENCE)
            word, *arguments = _receive(client)
            return self._commands[word](*arguments)
        except MultiserveError as error:
            refusal = ("refused", str(error))
        except (OSError, ValueError, LookupError, TypeError) as error:
            refusal = ("refused", f"this is no question: {error}")
        return lambda: refusal


def ask(path: Path, pid: int, *question: str) -> Any:
    """Ask a server, and return its answer.

    Args:
        path: The path of its socket.
        pid: Its process id.
        question: A word and its arguments.

    Raises:
        ServeError: It refuses, or does not answer.
    """
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_LONGEST)
            client.connect(str(path))
            _send(client, list(question))
            os.kill(
                pid, signal.SIGCHLD
            )  # gunicorn looks whether a worker has ended, and so looks at the socket at once
            kind, value = _receive(client)
    except (OSError, ValueError) as error:
        raise ServeError(f"process {pid} does not answer: {error}") from error
    if kind == "refused":
        raise ServeError(value)
    return value


def _send(end: socket.socket, message: list[Any]) -> None:
    try:
        end.settimeout(_PATIENCE)
        end.sendall(json.dumps(message).encode() + b"\n")
        end.settimeout(_LONGEST)
    except OSError:  # whoever has asked is gone
        return


def _receive(end: socket.socket) -> list[Any]:
    """Return the message that comes.

    Raises:
        OSError: None does in time.
        ValueError: It is not one.
    """
    received = b""
    while not received.endswith(b"\n"):
        block = end.recv(_BLOCK)
        if not block:
            raise ConnectionError("the connection was closed")
        received += block
    message = json.loads(received)
    if not isinstance(message, list) or not message:
        raise ValueError("it is not a list")
    return message

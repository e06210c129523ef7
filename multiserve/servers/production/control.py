"""Asks a running server: over a unix socket in a folder that its own user alone can enter.

A question is one line of JSON, a list of a word and its arguments, and so is the answer: `["done", value]`, or
`["refused", reason]`.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from multiserve.errors import MultiserveError, ServeError

log = logging.getLogger("gunicorn.error")

Reply = Callable[[], tuple[str, Any] | None]
"""Returns the answer, or None while it is not known yet."""

_LONGEST = 330.0  # seconds that an answer may take: a reload is refused before
_PATIENCE = 1.0  # seconds for a client, which is ours, to say what it wants
_BLOCK = 65536
_LONGEST_QUESTION = 4096  # bytes


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
        path.chmod(0o600)
        self._listener.listen()
        self._listener.settimeout(0)
        self._asking: list[_Asking] = []
        self._open: list[tuple[socket.socket, Reply]] = []

    def look(self) -> None:
        """Take questions, and answer those whose answers are known by now."""
        while (client := self._accept()) is not None:
            client.settimeout(0)
            self._asking.append(_Asking(client, time.monotonic() + _PATIENCE))
        for asking in list(self._asking):
            if asking.has_asked or time.monotonic() > asking.deadline:
                self._asking.remove(asking)
                self._open.append((asking.client, self._answer(asking.question)))
        for client, reply in list(self._open):
            if (answer := _contained(reply)) is not None:
                self._open.remove((client, reply))
                with client:
                    _send(client, list(answer))

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits for an answer."""
        return bool(self._open or self._asking)

    def close(self) -> None:
        """Close the socket."""
        self._listener.close()
        for client in (*(client for client, _ in self._open), *(asking.client for asking in self._asking)):
            client.close()

    def _accept(self) -> socket.socket | None:
        try:
            return self._listener.accept()[0]
        except OSError:
            return None

    def _answer(self, question: bytes) -> Reply:
        """Return what answers a question; whatever is wrong with it must not end the server."""
        try:
            word, *arguments = _read(question)
            return self._commands[word](*arguments)
        except MultiserveError as error:
            refusal = ("refused", str(error))
        except Exception as error:
            log.info("What was asked over the control socket cannot be answered.", exc_info=True)
            refusal = ("refused", f"this is no question: {error}")
        return lambda: refusal


def _contained(reply: Reply) -> tuple[str, Any] | None:
    try:
        return reply()
    except Exception as error:
        log.exception("What was asked over the control socket cannot be answered.")
        return "refused", str(error)


class _Asking:
    """A client that has not asked yet."""

    def __init__(self, client: socket.socket, deadline: float) -> None:
        self.client = client
        self.deadline = deadline
        self.question = b""

    @property
    def has_asked(self) -> bool:
        """Read what has come, and return whether that is all there will be."""
        try:
            block = self.client.recv(_LONGEST_QUESTION)
        except BlockingIOError:
            return False
        except OSError:
            block = b""
        self.question += block
        return not block or self.question.endswith(b"\n") or len(self.question) > _LONGEST_QUESTION


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
    return _read(received)


def _read(text: bytes) -> list[Any]:
    message = json.loads(text)
    if not isinstance(message, list) or not message:
        raise ValueError("it is not a list")
    return message

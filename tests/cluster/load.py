"""Clients that ask all the time, and what they have seen."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

_CLIENTS = 4
_PAUSE = 0.01  # seconds between two requests of a client: other processes of the machine have to go on


@dataclass
class Load:
    """Clients in threads, each of which takes a new connection for every request.

    Attributes:
        port: Where they ask, on the loopback interface.
        paths: What they ask for, in turn.
        answered: How many requests were answered with 200.
        failed: What the others were answered, or why they were not.
        slowest: The longest time in seconds that a request took.
    """

    port: int
    paths: Sequence[str]
    answered: int = 0
    failed: list[str] = field(default_factory=list)
    slowest: float = 0

    def __enter__(self) -> Self:
        """Start the clients."""
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(_CLIENTS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let the last requests end."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def __str__(self) -> str:
        return f"{len(self.failed)} of {self.answered + len(self.failed)} failed, the slowest took {self.slowest:.2f} s"

    def _ask(self, number: int) -> None:
        while not self._stopped.wait(_PAUSE):
            number += 1
            path = self.paths[number % len(self.paths)]
            begin = time.monotonic()
            fault = self._fault(path)
            with self._lock:
                self.slowest = max(self.slowest, time.monotonic() - begin)
                if fault:
                    self.failed.append(f"{time.strftime('%T')} {path}: {fault}")
                else:
                    self.answered += 1

    def _fault(self, path: str) -> str:
        """Ask once, and return what is wrong."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        else:
            return "" if response.status == 200 else f"status {response.status}"
        finally:
            connection.close()

"""What the main loop of a server says of itself, for threads to read: each value is replaced as a whole."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from multiserve.servers.management.tracebacks import Tracebacks

_LONGEST_SILENCE = 30.0  # seconds in which the main loop comes round, even where it starts workers or waits for a disk


@dataclass(slots=True)
class State:
    """The state of a server.

    Attributes:
        status: What `multiserve status` shows, with memory left out; empty before the first look.
        required: The names of mounts without which the server is not ready.
        is_serving: At least one worker is ready.
        is_stopping: The server has been asked to stop.
        reloads: How many reloads there were, by what became of them: ok or refused.
        last_reload: When the last reload ended, whether it was refused, and why; None before the first.
        urls: Where each mount can be opened, by its name, if it can.
        tracebacks: The last tracebacks of all processes.
        started: How many workers were started.
        beat: When the main loop came round last, on the monotonic clock; infinite before the first time.
    """

    status: Mapping[str, Any] = field(default_factory=dict)
    required: Collection[str] = ()
    is_serving: bool = False
    is_stopping: bool = False
    reloads: Mapping[str, int] = field(default_factory=lambda: {"ok": 0, "refused": 0})
    last_reload: Mapping[str, Any] | None = None
    urls: Mapping[str, str] = field(default_factory=dict)
    tracebacks: Tracebacks = field(default_factory=Tracebacks)
    started: int = 0
    beat: float = math.inf

    @property
    def is_alive(self) -> bool:
        """Whether the main loop runs; while the server starts it counts as running."""
        return time.monotonic() < self.beat + _LONGEST_SILENCE

"""Waiting for what must come true."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

PATIENCE = 300.0  # seconds: the two cores of a small machine may have other work


def until(condition: Callable[[], Found], what: str, patience: float = PATIENCE) -> Found:
    """Return the first true value of a condition.

    Raises:
        TimeoutError: It stays false, with what was waited for.
    """
    deadline = time.monotonic() + patience
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {patience:.0f} s still without {what}")
        time.sleep(0.2)
    return found

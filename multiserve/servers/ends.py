"""How a process has ended, in words."""

from __future__ import annotations

import signal


def describe_end(code: int) -> str:
    """Describe the end of a process, given its exit code, or the negative number of a signal."""
    if code >= 0:
        return f"has ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"

"""How much memory a process takes."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path

_PROCESSES = Path("/proc")
_PAGE = resource.getpagesize()


def resident(pid: int) -> int:
    """Return the bytes of memory that a process has in use, its resident set; 0 where it has ended."""
    try:
        return int((_PROCESSES / str(pid) / "statm").read_text("ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0 if _PROCESSES.is_dir() else _ask_ps(pid)


def _ask_ps(pid: int) -> int:
    """Ask the program that every other system has."""
    command = ["ps", "-o", "rss=", "-p", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (a number)
    text = done.stdout.strip()
    return int(text) * 1024 if text.isdigit() else 0

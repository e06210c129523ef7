"""Runs `multiserve check` in a process of its own, when it is asked for."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from multiserve.errors import ServeError

_LONGEST = 120.0  # seconds
_MOST_BYTES = 1024**2
_MOST = 100  # findings

# The server reaps this process as if it were a worker: an exit code that means something to it must not reach it.
_WRAPPER = ("/bin/sh", "-c", '"$@"; exit 0', "sh")


class Findings:
    """What check has found last.

    Attributes:
        last: When it was asked, what it says, and the findings; None before the first time.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self.last: dict[str, Any] | None = None
        self._running = threading.Lock()

    def check(self, command: Sequence[str], environ: Mapping[str, str]) -> str:
        """Run a command, and return what to say of it.

        Args:
            command: Prints what `multiserve check --format json` does.
            environ: The environment variables.

        Raises:
            ServeError: It cannot be run, takes too long, or runs already.
        """
        if not self._running.acquire(blocking=False):
            raise ServeError("check runs already")
        try:
            with tempfile.TemporaryFile() as out:  # a pipe would stay open in workers that are forked meanwhile
                _run([*_WRAPPER, *command], environ, out)
                out.seek(0)
                found = _read(out.read(_MOST_BYTES + 1))
        except OSError as error:
            raise ServeError(f"check cannot be run: {error}") from None
        finally:
            self._running.release()
        message = f"check has found {len(found)}." if found else "check has found nothing."
        self.last = {"time": time.time(), "message": message, "findings": found[:_MOST]}
        return message


def _run(command: Sequence[str], environ: Mapping[str, str], out: IO[bytes]) -> None:
    process = subprocess.Popen(  # noqa: S603 (our own command)
        command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(_LONGEST)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
        raise ServeError(f"check has not ended after {_LONGEST:.0f} seconds") from None


def _read(text: bytes) -> list[dict[str, str]]:
    """Return problems and findings alike.

    Raises:
        ServeError: It is not what check prints.
    """
    try:
        document = json.loads(text)
        failed = [each for mount in document.get("mounts", ()) for each in mount["problems"]]
        found = [*document["problems"], *failed]
        problems = [{**each, "code": "", "severity": "error", "cure": each["hint"]} for each in found]
        return [_finding(each) for each in (*problems, *document["findings"])]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise ServeError("check could not say what it has found: run multiserve check") from None


def _finding(found: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(found[name]) for name in ("code", "severity", "key", "message", "cure")}

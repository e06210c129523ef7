"""Shows on stderr which mount is being loaded, and for how long: on a terminal in one line that is written anew."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator

from multiserve.cli.output import say
from multiserve.config.mounts import Mount

_SHOWN_AFTER = 0.3  # seconds; what is loaded sooner needs no line
_PIPED_AFTER = 2.5  # seconds, in a pipe, where a line stays
_CLEAR = "\r\x1b[K"


class Progress:
    """A context manager for each mount, while it is loaded."""

    def __init__(self, *, is_verbose: bool = False) -> None:
        """Show progress on stderr; `is_verbose` leaves a line for each mount with the time that it took."""
        self._is_verbose = is_verbose
        self._stream = sys.stderr  # applications may replace it
        self._is_terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._is_shown = False

    @contextlib.contextmanager
    def __call__(self, mount: Mount) -> Iterator[None]:
        """Show one mount inside the with block."""
        began = time.monotonic()
        loaded = threading.Event()
        show = self._rewrite if self._is_terminal else self._write_once
        showing = threading.Thread(target=show, args=(f"loading {mount.name}  {mount.shown}", loaded), daemon=True)
        showing.start()
        try:
            yield
        finally:
            loaded.set()
            showing.join()
            if self._is_verbose:
                self.say(f"{mount.name}  {mount.shown}: {time.monotonic() - began:.2f} s to load")

    def say(self, text: str) -> None:
        """Print a line on stderr, in place of the one that is shown."""
        if self._is_shown:
            self._write(_CLEAR)
        say(text, err=True)

    def _write(self, text: str) -> None:
        # Without the lock of the stream: a process that an application forks meanwhile would inherit it locked.
        with contextlib.suppress(OSError, ValueError):
            os.write(self._stream.fileno(), text.encode("utf-8", "replace"))

    def _rewrite(self, text: str, loaded: threading.Event) -> None:
        began = time.monotonic()
        if loaded.wait(_SHOWN_AFTER):
            return
        self._is_shown = True
        while True:
            seconds = time.monotonic() - began
            self._write(f"{_CLEAR}{text} ... {seconds:.0f} s")
            if loaded.wait(1.0 - seconds % 1.0):
                break
        self._write(_CLEAR)
        self._is_shown = False

    def _write_once(self, text: str, loaded: threading.Event) -> None:
        if not loaded.wait(_PIPED_AFTER):
            self._write(f"{text} ...\n")

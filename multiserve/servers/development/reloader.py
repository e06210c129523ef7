"""Decides when a serving process ends: when a file has changed, and the configuration is valid."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from multiserve.config.model import Config
from multiserve.errors import ConfigError
from multiserve.servers.development.starter import Starter
from multiserve.servers.development.watching import Watch

CHANGED = 75
"""Exit code of the serving process when a file has changed; our own errors use lower ones."""
INTERVAL = 0.25
"""Seconds between two checks of the files, at most."""
_SHORTEST = 0.1
_SHARE = 20  # a check takes one part in so many of the time


class Reloader:
    """Decides when the serving process ends: when a file has changed and the configuration is valid.

    While the configuration is invalid, the process keeps serving the last valid one.

    Attributes:
        watch: The files.
        take: Serve what has changed in this process, and return whether that was possible; None if it never is.
        pause: Seconds until the next check.
    """

    def __init__(
        self,
        config: Config,
        check: Callable[[], Config],
        tell: Callable[[str], None],
        watch: Watch | None = None,
        starter: Starter | None = None,
    ) -> None:
        """Record the state of all files; `is_due` compares with it.

        Args:
            config: The configuration that is served.
            check: Reads the configuration again; raises ConfigError if it is invalid.
            tell: Prints a message in the terminal.
            watch: The files to watch; by default all sources of the configuration.
            starter: The process that has started this one; by default its parent as it is now.
        """
        self.watch = Watch(config) if watch is None else watch
        self.take: Callable[[Config, Sequence[str]], bool] | None = None
        self._check = check
        self._tell = tell
        self._changed = ""
        self._wrong = ""  # the error of the configuration at the last check
        self._told = ""
        self._starter = Starter(0) if starter is None else starter
        self.pause = INTERVAL

    def is_orphan(self) -> bool:
        """Return whether the parent has ended, which would restart or end this process."""
        return self._starter.has_ended()

    def is_due(self) -> bool:
        """Check every file once, and return whether the process should be restarted."""
        if not self._changed:
            began = time.monotonic()
            changed = self.watch.changes()
            self.pause = min(max(_SHORTEST, _SHARE * (time.monotonic() - began)), INTERVAL)
            if not changed or self._is_taken(changed):
                return False
            self._changed = changed[0]
        try:
            self._check()
        except ConfigError as error:
            self._tell_once(str(error))
            return False
        self._tell(f" * Detected change in {self._changed!r}, reloading")
        return True

    def _is_taken(self, changed: Sequence[str]) -> bool:
        """Return whether the process can serve what has changed without a restart."""
        take, self.take = self.take, None  # while it loads, a thread looks for changes, for which there is a restart
        if take is None:
            return False
        try:
            config = self._check()
            if not take(config, changed):
                return False
        except ConfigError:
            return False
        finally:
            self.take = take
        self.watch.accept(config, changed)
        return True

    def _tell_once(self, wrong: str) -> None:
        """Print an error if it is the same at two checks: an editor may not have finished writing at the first."""
        if wrong == self._wrong != self._told:
            self._told = wrong
            self._tell(f"Error: {wrong}\nThe mounts stay as they were until this is mended.")
        self._wrong = wrong

    @contextlib.contextmanager
    def while_loading(self) -> Iterator[None]:
        """Check the files in a thread while the main thread loads the applications, which may never end."""
        loaded = threading.Event()

        def look() -> None:
            while not loaded.wait(self.pause):
                if self.is_orphan():
                    os._exit(0)
                if self.is_due():
                    end_at_once(CHANGED)  # an exception in this thread would not end the process

        self.watch.is_loading = True
        looking = threading.Thread(target=look, daemon=True)
        looking.start()
        try:
            yield
        finally:
            loaded.set()
            looking.join()
            self.watch.is_loading = False


def end_at_once(code: int) -> NoReturn:
    """End this process from any thread, whatever the others do."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # applications may have replaced them
            stream.flush()
    os._exit(code)

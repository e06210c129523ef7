"""How much of the failures of tenants gets into the log: made-up names, or one broken database, must not fill it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger("multiserve")

_MOST = 10  # failures that are logged in full, in each period
_PERIOD = 60.0  # seconds


class FailureLog:
    """Decides which failures of the tenants of one mount are logged, and counts the others."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Log nothing yet.

        Args:
            name: The mount, as its key spells it.
            clock: Returns seconds.
        """
        self.name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._ends = 0.0  # the period, by the clock
        self._logged = 0  # in this period
        self._counted = 0  # since the last line that said how many

    def allows(self) -> bool:
        """Return whether one more failure is to be logged; else it is counted, and the log has the number later."""
        with self._lock:
            now = self._clock()
            if now >= self._ends:
                self._ends, self._logged = now + _PERIOD, 0
            if self._logged < _MOST:
                self._logged += 1
                return True
            self._counted += 1
            if self._counted == 1:
                timer = threading.Timer(_PERIOD, self.log_count)
                timer.daemon = True
                timer.start()
            return False

    def log_count(self) -> None:
        """Log how many failures were counted since the last time."""
        with self._lock:
            number, self._counted = self._counted, 0
        failures = "failure" if number == 1 else "failures"
        log.error("%d more %s of tenants of %s in the last minute.", number, failures, self.name)

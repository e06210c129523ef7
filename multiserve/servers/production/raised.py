"""The exceptions that a process has logged since it reported the last ones, whatever handlers their loggers have."""

from __future__ import annotations

import logging
import traceback
from collections import deque
from typing import Any

from multiserve.dispatch.environ_keys import MOUNT_KEY
from multiserve.dispatch.request_ids import REQUEST

_MOST = 5  # between two reports: what fails at each request must not keep the master busy
_LONGEST_MESSAGE = 300
_LONGEST = 8000  # characters of a traceback, whose end says most


class Raised:
    """Exceptions that wait to be reported."""

    def __init__(self) -> None:
        """Start with none."""
        self._waiting: deque[dict[str, Any]] = deque(maxlen=_MOST)

    def watch(self) -> None:
        """Take note of each record of an error that has an exception, from now on and in the whole process."""
        make = logging.getLogRecordFactory()

        def factory(*arguments: Any, **options: Any) -> logging.LogRecord:
            record = make(*arguments, **options)
            if record.levelno >= logging.ERROR and record.exc_info and record.exc_info[0]:
                self._note(record)
            return record

        logging.setLogRecordFactory(factory)

    def _note(self, record: logging.LogRecord) -> None:
        if len(self._waiting) == _MOST:  # the first ones are the cause more often than the last ones
            return
        try:
            message = record.getMessage()
            text = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        except Exception:  # noqa: BLE001 (an exception whose text cannot be had must not end the request)
            return
        mount = (REQUEST.get() or {}).get(MOUNT_KEY, "")
        self.add(message, text, mount=mount, moment=record.created)

    def add(self, message: str, text: str, *, mount: str, moment: float) -> None:
        """Add an exception.

        Args:
            message: What was logged with it.
            text: Its traceback.
            mount: The key of the mount, as far as that is known.
            moment: When it was, in seconds since the epoch.
        """
        text = text if len(text) <= _LONGEST else f"[...]{text[-_LONGEST:]}"
        first = message.partition("\n")[0][:_LONGEST_MESSAGE]
        self._waiting.append({"time": moment, "mount": mount, "message": first, "text": text})

    def take(self) -> list[dict[str, Any]]:
        """Return what has come since."""
        found = []
        while self._waiting:
            found.append(self._waiting.popleft())
        return found

"""The process of a group as a probe asks it."""

from __future__ import annotations

from typing import Any

from multiserve.probing.exchange import Received
from multiserve.probing.processes import PAGES
from multiserve.survey.process import EndedError, GroupProcess


class ProbedGroup:
    """Has the process of a group send the requests to its own mounts."""

    def __init__(self, process: GroupProcess) -> None:
        """Start the lifespans of its applications."""
        self._process = process
        self._failure = ""
        self.blocker = str(self._call("probe") or "")

    def ask(self, method: str, url: str, accept: str = PAGES) -> Received:
        """Send one request."""
        return self._received(self._call("ask", method=method, url=url, accept=accept))

    def visit(self, url: str) -> tuple[Received, tuple[str, ...]]:
        """Request a page, and return the objections of the validator as well."""
        answer = self._call("visit", url=url)
        return self._received(answer), tuple(answer["violations"]) if answer else ()

    def failure_at(self, url: str) -> str:
        """Return why the lifespan of the application at a URL has not started; "" if it has."""
        return str(self._call("failure_at", url=url) or "")

    def is_static_file(self, mount: str, path: str) -> bool:
        """Return whether the development server, as Django's `runserver`, serves the path of a file beside a mount."""
        return bool(self._call("is_static_file", mount=mount, path=path))

    def _call(self, kind: str, **value: Any) -> Any:
        """Ask something; None if the process has ended, which is remembered."""
        if not self._failure:
            try:
                return self._process.call(kind, **value)
            except EndedError as error:
                self._failure = f"{self._process.name} {error}"
        return None

    def _received(self, answer: Any) -> Received:
        if answer is None:
            return Received(error=RuntimeError(self._failure))
        self.blocker = answer["blocker"]
        plain = answer["received"]
        error = (TimeoutError if plain["is_late"] else RuntimeError)(plain["error"]) if plain["error"] else None
        return Received(
            status=plain["status"],
            headers=[(name, value) for name, value in plain["headers"]],
            body=bytearray(plain["body"].encode("latin-1")),
            seconds=plain["seconds"],
            error=error,
        )

"""Answers at the bare key of a folder of applications, whose own URLs are mounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from multiserve._types import Receive, Scope, Send, StartResponse, WSGIEnvironment
from multiserve.dispatch.answers import Answer
from multiserve.mounts.redirects import add_slash


class FleetIndex:
    """Answers with a list at the prefix itself, and that there is nothing at any other path."""

    def __init__(self, describe: Callable[[], Answer], missing: Answer) -> None:
        """Answer below a prefix.

        Args:
            describe: Make the list as it is now.
            missing: What answers at any other path.
        """
        self._describe = describe
        self._missing = missing

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application."""
        prefix = environ.get("SCRIPT_NAME", "").encode("latin-1")
        answer = self._find(prefix, environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""))
        return answer.wsgi(environ, start_response)

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as an ASGI application without a lifespan."""
        if scope["type"] == "lifespan":
            raise NotImplementedError
        root_path = scope["root_path"]
        rest = scope["path"][len(root_path) :]
        query = scope.get("query_string", b"").decode("latin-1")
        answer = self._find(root_path.encode("utf-8", "replace"), rest, query)
        await (answer if scope["type"] == "http" else self._missing).asgi(scope, receive, send)

    def _find(self, prefix: bytes, rest: str, query: str) -> Answer:
        if rest == "/" or not (rest or prefix):
            return self._describe()
        if not rest:  # the links of the list are relative
            return add_slash(prefix.rpartition(b"/")[2], query)
        return self._missing

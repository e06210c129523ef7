"""The application that stands in for one that could not be loaded: it answers 503, so that the others can serve."""

from __future__ import annotations

from collections.abc import Iterable

from multiserve._types import StartResponse, WSGIApplication, WSGIEnvironment


def broken(name: str, details: str = "") -> WSGIApplication:
    """Make the application that answers 503 (RFC 9110, section 15.6.4) for a mount.

    Args:
        name: The mount, as its key spells it.
        details: What went wrong, for a development server; a production server gives none away.
    """
    lines = [f"Service Unavailable: the application at {name} could not be loaded."]
    body = "\n".join([*lines, *(["", details] if details else []), ""]).encode("utf-8", "replace")
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("503 Service Unavailable", list(headers))
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    return application

"""Who may change something: whoever has the token, which is told to the owner of the process alone."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from multiserve.servers.management.exchange import Request

_COOKIE = "multiserve_page"
_BEARER = "Bearer "


class Access:
    """The token of one server, and what is derived from it.

    Cookies do not know ports: what another server on this host receives with one must not be the token itself, and must
    not be enough to change anything.

    Attributes:
        token: The token.
        form_token: What the forms of the page send along.
    """

    def __init__(self) -> None:
        """Make a new token."""
        self.token = secrets.token_urlsafe(32)
        self._session = self._derive("session")
        self.form_token = self._derive("form")

    def _derive(self, purpose: str) -> str:
        return hmac.new(self.token.encode(), purpose.encode(), hashlib.sha256).hexdigest()

    def is_owner(self, request: Request) -> bool:
        """Return whether a request comes from the owner: with the cookie, or `Authorization: Bearer` and the token."""
        return self._has_token(request) or _equal(request.cookies.get(_COOKIE, ""), self._session)

    def may_change(self, request: Request) -> bool:
        """Return whether a request may change something: with the token, or from a form of the page itself."""
        if self._has_token(request):
            return True
        is_from_form = _equal(request.form.get("token", ""), self.form_token)
        return is_own_page(request) and is_from_form and self.is_owner(request)

    def log_in(self, request: Request) -> tuple[str, str] | None:
        """Return the header with the cookie for whoever sends the token; None for anybody else."""
        if not is_own_page(request) or not _equal(request.form.get("token", "").strip(), self.token):
            return None
        return "Set-Cookie", f"{_COOKIE}={self._session}; Path=/; HttpOnly; SameSite=Strict"

    def _has_token(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        return given.startswith(_BEARER) and _equal(given.removeprefix(_BEARER).strip(), self.token)


def is_own_page(request: Request) -> bool:
    """Return whether a request comes from a page of this origin, or from no page at all."""
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return False
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host", "")


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())

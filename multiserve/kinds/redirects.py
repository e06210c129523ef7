"""Mounts that redirect to another path or URL."""

from __future__ import annotations

from multiserve.config.mounts import RedirectMount
from multiserve.kinds.own_answers import OwnAnswerKind
from multiserve.loading.mounts import Handlers
from multiserve.mounts.redirects import Redirect


class RedirectKind(OwnAnswerKind[RedirectMount]):
    """Redirects; there is nothing to load."""

    def handlers(self, mount: RedirectMount) -> Handlers:
        """Return the redirect over either interface."""
        redirect = Redirect(mount.what, mount.status, mount.key.prefix)
        return Handlers(redirect.wsgi, redirect.asgi)

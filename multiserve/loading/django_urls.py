"""URLs that Django settles at their first use: they have to be settled by a request, which knows the prefix."""

from __future__ import annotations

import sys
from typing import Any

_SETTLED = ("STATIC_URL", "MEDIA_URL")  # django.conf.LazySettings puts the script prefix in front of them, once


def forget_settled_urls() -> None:
    """Make Django settle STATIC_URL and MEDIA_URL anew at their next use.

    Django puts the script prefix of the current request in front of a relative URL, and keeps the result. WhiteNoise
    asks for STATIC_URL while the application loads, when there is no request: every link would lack the mount's prefix.
    The storages keep a copy of it. This does what Django's own tests do when a setting has changed.
    """
    if (configuration := sys.modules.get("django.conf")) is None or not configuration.settings.configured:
        return
    for name in _SETTLED:
        configuration.settings.__dict__.pop(name, None)
    if files := sys.modules.get("django.core.files.storage"):
        files.storages._storages = {}  # noqa: SLF001 (as django.test.signals.storages_changed does)
        _forget(files.default_storage)
    if static := sys.modules.get("django.contrib.staticfiles.storage"):
        _forget(static.staticfiles_storage)


def _forget(lazy: Any) -> None:
    lazy._wrapped = sys.modules["django.utils.functional"].empty  # noqa: SLF001 (the same)

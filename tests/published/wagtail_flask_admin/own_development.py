"""The settings of `wagtail start`, which its users import and change: here for a site below a prefix."""

from mysite.settings.dev import *  # noqa: F403

STATIC_URL = "static/"  # relative: Django puts the prefix in front
MEDIA_URL = "media/"

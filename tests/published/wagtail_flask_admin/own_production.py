"""The settings of `wagtail start` for production, with what has to be set there."""

from mysite.settings.production import *  # noqa: F403

SECRET_KEY = "a key of this site alone, which is as long as Django wants it to be"
ALLOWED_HOSTS = ["*"]
STATIC_URL = "static/"
MEDIA_URL = "media/"

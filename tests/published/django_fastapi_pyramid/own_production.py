"""The settings of `startproject`, with what has to be set for production."""

from mysite.settings import *  # noqa: F403

DEBUG = False
SECRET_KEY = "a key of this site alone, which is as long as Django wants it to be"
ALLOWED_HOSTS = ["*"]
STATIC_ROOT = "static"

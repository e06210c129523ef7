from __future__ import annotations

import functools
import types

import pytest

COMMON = "django.middleware.common.CommonMiddleware"


@pytest.fixture
def give_settings():
    """Give the process settings for one test, and take them back."""
    conf = pytest.importorskip("django.conf")
    urls = pytest.importorskip("django.urls")
    before = vars(conf.settings)["_wrapped"]
    give = functools.partial(setattr, conf.settings, "_wrapped")
    yield give
    give(before)
    urls.clear_url_caches()


@pytest.fixture
def configure(give_settings):
    """Set up a project with the given patterns and settings for one test, and return its WSGI application."""
    conf = pytest.importorskip("django.conf")
    wsgi = pytest.importorskip("django.core.handlers.wsgi")

    def set_up(make_patterns, **settings):
        urlconf = types.ModuleType("urlconf")
        holder = conf.UserSettingsHolder(conf.global_settings)
        defaults = {"ALLOWED_HOSTS": ["*"], "MIDDLEWARE": [COMMON], "SECRET_KEY": "b24ae1f9c0d7"}
        for name, value in {**defaults, "ROOT_URLCONF": urlconf, **settings}.items():
            setattr(holder, name, value)
        give_settings(holder)
        urlconf.urlpatterns = make_patterns()
        return object.__new__(wsgi.WSGIHandler)  # a whole one would need the settings to be a module

    return set_up

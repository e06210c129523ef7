from __future__ import annotations

import functools
import types

import pytest

from multiserve.frameworks import InnerRoute
from multiserve.frameworks.views import place_of

CALLED = "no view may be called"
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


@pytest.fixture(scope="session")
def django_site():
    """Give a view, the patterns of a site, and the routes that they are; no view may be called."""
    urls = pytest.importorskip("django.urls")
    view = pytest.importorskip("django.views").View

    def page(request, **kwargs):
        raise AssertionError(CALLED)

    def bare(request):
        raise AssertionError(CALLED)

    bare.should_append_slash = False

    class Item(view):
        def get(self, request):
            raise AssertionError(CALLED)

        def put(self, request):
            raise AssertionError(CALLED)

    def patterns():
        return [
            urls.path("", page, name="home"),
            urls.path("item/<int:number>/", Item.as_view(), name="item"),
            urls.path("bare/", bare),
        ]

    routes = {
        "home": InnerRoute(path="/", name="home", **place_of(page)._asdict()),
        "item": InnerRoute(path="/item/<int:number>/", methods=("GET", "PUT"), name="item", **place_of(Item)._asdict()),
        "bare": InnerRoute(path="/bare/", **place_of(bare)._asdict()),
    }
    return types.SimpleNamespace(page=page, patterns=patterns, routes=routes)

from __future__ import annotations

import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path

import pytest

from multiserve.frameworks import (
    AllowedHosts,
    Cookie,
    InnerAnswer,
    InnerRequest,
    Setting,
    StaticFiles,
    find_route,
    inspect_application,
)
from multiserve.frameworks.django import settings_named_in
from multiserve.frameworks.reading import secret_of, version_of

conf = pytest.importorskip("django.conf")
asgi = pytest.importorskip("django.core.handlers.asgi")
urls = pytest.importorskip("django.urls")
wsgi = pytest.importorskip("django.core.handlers.wsgi")
reverse_lazy = urls.reverse_lazy
COMMON = "django.middleware.common.CommonMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"


@pytest.mark.parametrize("handler", [wsgi.WSGIHandler, asgi.ASGIHandler], ids=["WSGI", "ASGI"])
def test_a_whole_project_is_read(configure, django_site, handler):
    configure(django_site.patterns, SETTINGS_MODULE="shop.settings")
    facts = inspect_application(object.__new__(handler))
    assert (facts.framework, facts.version) == ("Django", version_of("django"))
    assert facts.routes == tuple(django_site.routes.values())
    assert (facts.cookies, facts.secret) == ((), secret_of("SECRET_KEY", "b24ae1f9c0d7"))
    assert (facts.logger, facts.debug, facts.own_prefix, facts.absolute_urls) == (None, False, (), ())
    assert (facts.hosts, facts.settings_module) == (AllowedHosts("ALLOWED_HOSTS", ("*",)), "shop.settings")


SETTINGS = [
    pytest.param(
        {"MIDDLEWARE": [SESSION, CSRF], "SESSION_COOKIE_PATH": "/shop"}, "cookies",
        (
            Cookie("sessionid", "/shop", "", "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH"),
            Cookie("csrftoken", "/", "", "CSRF_COOKIE_NAME", "CSRF_COOKIE_PATH"),
        ),
        id="both cookies",
    ),
    pytest.param(
        {"MIDDLEWARE": [SESSION, CSRF], "CSRF_USE_SESSIONS": True, "SESSION_COOKIE_DOMAIN": "example.com"}, "cookies",
        (Cookie("sessionid", "/", "example.com", "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH"),),
        id="one cookie",
    ),
    pytest.param({"FORCE_SCRIPT_NAME": "/shop"}, "own_prefix", (Setting("FORCE_SCRIPT_NAME", "/shop"),), id="a prefix"),
    pytest.param({"DEBUG": True}, "debug", True, id="debug"),
    pytest.param(
        {"STATIC_URL": "/static/", "MEDIA_URL": "media/", "LOGIN_URL": "/login"}, "absolute_urls",
        (Setting("STATIC_URL", "/static/"), Setting("LOGIN_URL", "/login")), id="absolute URLs",
    ),
    pytest.param(
        {"STATIC_URL": "https://cdn.example.com/", "MEDIA_URL": "//cdn.example.com/", "LOGIN_URL": "login"},
        "absolute_urls", (), id="URLs that leave the host, and a name",
    ),
    pytest.param({"ALLOWED_HOSTS": []}, "hosts", AllowedHosts("ALLOWED_HOSTS", ()), id="no host"),
    pytest.param(
        {"ALLOWED_HOSTS": [], "DEBUG": True}, "hosts",
        AllowedHosts("ALLOWED_HOSTS", (".localhost", "127.0.0.1", "[::1]")), id="no host while debugging",
    ),
    pytest.param(
        {"ALLOWED_HOSTS": [None, "*.example.com", ".example.org"]}, "hosts",
        AllowedHosts("ALLOWED_HOSTS", (".example.org",)), id="hosts that are none, and a pattern that Django has not",
    ),
    pytest.param({"LOGIN_URL": reverse_lazy("home")}, "absolute_urls", (), id="a URL that has the prefix"),
    pytest.param({"ALLOWED_HOSTS": [], "MIDDLEWARE": []}, "hosts", None, id="hosts that nobody asks for"),
    pytest.param({"SECRET_KEY": "dev"}, "secret", secret_of("SECRET_KEY", "dev"), id="a key"),
    pytest.param({"ROOT_URLCONF": "no_such_module"}, "routes", None, id="routes that cannot be imported"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "name", "value"), SETTINGS)
def test_a_setting_is_read(configure, django_site, settings, name, value):
    assert getattr(inspect_application(configure(django_site.patterns, **settings)), name) == value


APPS = ["django.contrib.staticfiles"]
STORAGE = "storages.backends.s3.S3Storage"
WHITENOISE = "whitenoise.middleware.WhiteNoiseMiddleware"
STATIC = [
    pytest.param({}, StaticFiles("static/", "", ""), id="not collected"),
    pytest.param({"INSTALLED_APPS": []}, None, id="none"),
    pytest.param({"STATIC_URL": None}, None, id="no URL"),
    pytest.param({"STATIC_URL": "https://cdn.example.com/"}, None, id="on another host"),
    pytest.param({"MIDDLEWARE": [WHITENOISE]}, None, id="WhiteNoise"),
    pytest.param({"STORAGES": {"staticfiles": {"BACKEND": STORAGE}}}, None, id="in a cloud"),
    pytest.param({"STATIC_URL": "/item/"}, StaticFiles("/item/", "", ""), id="below another view"),
    pytest.param({"STATIC_URL": "files/"}, None, id="below a view that serves them"),
    pytest.param(
        {"STATIC_ROOT": "/srv/static/", "BASE_DIR": Path("/srv/shop")},
        StaticFiles("static/", "/srv/static", "/srv/shop"),
        id="collected",
    ),
]


@pytest.mark.parametrize(("settings", "expected"), STATIC)
def test_static_files_that_nothing_serves(configure, django_site, settings, expected):
    def with_files():
        return [*django_site.patterns(), urls.path("files/<path:path>", django_site.page)]

    known = {"INSTALLED_APPS": APPS, "STATIC_URL": "static/", **settings}
    assert inspect_application(configure(with_files, **known)).static_files == expected


def test_reading_static_url_does_not_keep_it_without_the_prefix(configure, django_site):
    facts = inspect_application(configure(django_site.patterns, STATIC_URL="/static/"))
    assert facts.absolute_urls == (Setting("STATIC_URL", "/static/"),)
    assert not {"STATIC_URL", "MEDIA_URL"} & vars(conf.settings).keys()


def test_settings_that_are_missing_make_everything_unknown(give_settings):
    give_settings(None)
    facts = inspect_application(object.__new__(wsgi.WSGIHandler))
    assert (facts.routes, facts.cookies, facts.debug, facts.settings_module) == (None, None, None, None)
    assert find_route(object.__new__(wsgi.WSGIHandler), InnerRequest("/")) is None


NOT_FOUND = InnerAnswer(outcome="not found", status=404)
ROUTES = [
    pytest.param({}, InnerRequest(""), InnerAnswer(outcome="view"), "home", id="the bare prefix"),
    pytest.param(
        {}, InnerRequest("/item/1", prefix="/django"),
        InnerAnswer(outcome="redirect", status=301, location="/django/item/1/"), "item", id="a slash is added",
    ),
    pytest.param({"APPEND_SLASH": False}, InnerRequest("/item/1"), NOT_FOUND, "", id="no slash is added"),
    pytest.param({"MIDDLEWARE": []}, InnerRequest("/item/1"), NOT_FOUND, "", id="nobody adds a slash"),
    pytest.param({}, InnerRequest("/bare"), NOT_FOUND, "", id="a view without slashes"),
    pytest.param({"DEBUG": True}, InnerRequest("/item/1", "POST"), None, "", id="Django raises"),
    pytest.param(
        {"ALLOWED_HOSTS": ["example.com"]}, InnerRequest("/", host="other.com:80"),
        InnerAnswer(outcome="host refused", status=400), "", id="another host",
    ),
    pytest.param({"PREPEND_WWW": True}, InnerRequest("/"), None, "", id="a host that Django redirects to"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "request_", "answer", "route"), ROUTES)
def test_a_request_is_answered_as_the_settings_have_it(configure, django_site, settings, request_, answer, route):
    expected = answer and replace(answer, route=django_site.routes.get(route))
    assert find_route(configure(django_site.patterns, **settings), request_) == expected


def test_the_bare_prefix_gets_a_slash_over_asgi(configure, django_site):
    configure(django_site.patterns)
    answer = find_route(object.__new__(asgi.ASGIHandler), InnerRequest("", prefix="/django"))
    assert answer == InnerAnswer(outcome="redirect", status=301, route=django_site.routes["home"], location="/django/")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")', "shop.settings"),
        ('os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"', "shop.settings"),
        ('environ.setdefault("DJANGO_SETTINGS_MODULE", f"{name}.settings")', None),
        ('os.environ["OTHER"] = "shop.settings"', None),
        ('environ["DJANGO_SETTINGS_MODULE"] = "a"\nenviron["DJANGO_SETTINGS_MODULE"] = "b"', None),
        ("", None),
        ("no Python", None),
    ],
)
def test_the_settings_that_a_project_asks_for_are_read_from_its_source(tmp_path, monkeypatch, source, name):
    path = tmp_path / "wsgi.py"
    path.write_text(source, "utf-8")
    module = types.ModuleType("shop_wsgi")
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, "shop_wsgi", module)
    assert settings_named_in("shop_wsgi") == name


def test_a_module_that_is_not_loaded_asks_for_no_settings():
    assert settings_named_in("no_such_module") is None


PROJECT = """
import os, sys, types
from django.core.asgi import get_asgi_application
from multiserve.frameworks import InnerRequest, find_route, inspect_application

names = ["admin", "auth", "contenttypes", "sessions", "messages"]
settings = types.ModuleType("shop_settings")
vars(settings).update(
    SECRET_KEY="django-insecure-k", ROOT_URLCONF="shop_urls", USE_TZ=True, ALLOWED_HOSTS=["localhost"],
    INSTALLED_APPS=[f"django.contrib.{name}" for name in names], STATIC_URL="static/",
    MIDDLEWARE=[f"django.middleware.{name}" for name in ("locale.LocaleMiddleware", "common.CommonMiddleware")],
)
sys.modules["shop_settings"] = settings
os.environ["DJANGO_SETTINGS_MODULE"] = "shop_settings"
application = get_asgi_application()
urls = types.ModuleType("shop_urls")
sys.modules["shop_urls"] = urls
from django.contrib import admin
from django.conf.urls.i18n import i18n_patterns
from django.urls import path
urls.urlpatterns = [path("admin/", admin.site.urls), *i18n_patterns(path("about/", admin.site.index, name="about"))]

facts = inspect_application(application)
print(facts.settings_module, facts.secret.how, facts.absolute_urls, len(facts.routes) > 20)
for path in ("/admin/", "/admin/auth/user/add/", "/admin/login", "/de/about/"):
    answer = find_route(application, InnerRequest(path))
    print(answer.outcome, answer.route.path, answer.route.name, answer.route.view)
print(find_route(application, InnerRequest("/about/")), find_route(application, InnerRequest("/xx/about/")))
"""

PROJECT_SAYS = """\
shop_settings default () True
view /admin/ admin:index django.contrib.admin.sites:AdminSite.index
view /admin/auth/user/add/ admin:auth_user_add django.contrib.auth.admin:UserAdmin.add_view
view /admin/<url>  django.contrib.admin.sites:AdminSite.catch_all_view
view /<language>/about/ about django.contrib.admin.sites:AdminSite.index
None None
"""


def test_a_project_with_its_admin_is_read_in_a_process_of_its_own():
    done = subprocess.run([sys.executable, "-c", PROJECT], capture_output=True, check=False, text=True)
    assert (done.stdout, done.stderr) == (PROJECT_SAYS, "")

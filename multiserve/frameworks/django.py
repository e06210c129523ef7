"""Django over WSGI and over ASGI: the settings and the URL configuration of the one project of the process."""

from __future__ import annotations

import ast
import inspect
import os
import sys
from typing import Any

from multiserve.frameworks import django_urls
from multiserve.frameworks.facts import (
    NOT_FOUND,
    AllowedHosts,
    Cookie,
    Facts,
    InnerAnswer,
    InnerRequest,
    Inside,
    Onward,
    Setting,
    StaticFiles,
)
from multiserve.frameworks.reading import failure_of, is_a, known, loaded, secret_of, texts, version_of

_COMMON = "django.middleware.common.CommonMiddleware"
_SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
_CSRF = "django.middleware.csrf.CsrfViewMiddleware"
_STATIC_FILES = "django.contrib.staticfiles"
_SQLITE = (".sqlite3", ".spatialite")  # the ends of backends whose databases are files
_WHILE_DEBUGGING = (".localhost", "127.0.0.1", "[::1]")  # what Django takes for an empty ALLOWED_HOSTS then
_URLS = ("LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL")  # they count where the project sets them
_METHODS_WITH_DATA = ("DELETE", "PATCH", "POST", "PUT")


def recognises(application: object) -> bool:
    """Return whether it is the result of `get_wsgi_application` or `get_asgi_application`."""
    return is_a(application, "django.core.handlers.wsgi", "WSGIHandler") or is_a(
        application, "django.core.handlers.asgi", "ASGIHandler"
    )


def _settings() -> Any:
    """Return the settings behind the lazy ones, which would cache STATIC_URL without the prefix."""
    return vars(loaded("django.conf", "settings"))["_wrapped"]


def read(application: Any, _: Inside) -> Facts:
    """Read the settings and the URL configuration."""
    settings: Any = known(_settings, None)
    routes_error = failure_of(lambda: django_urls.load(settings))
    return Facts(
        application=application,
        framework="Django",
        version=version_of("django"),
        routes=known(lambda: tuple(each.route for each in django_urls.walk(settings.ROOT_URLCONF)), None),
        routes_error=routes_error,
        cookies=known(lambda: _cookies(settings), None),
        secret=known(lambda: secret_of("SECRET_KEY", settings.SECRET_KEY), None),
        debug=known(lambda: bool(settings.DEBUG), None),
        own_prefix=known(lambda: _own_prefix(settings), ()),
        absolute_urls=known(lambda: _absolute_urls(settings), ()),
        hosts=known(lambda: _hosts(settings), None),
        static_files=known(lambda: _static_files(settings), None),
        written_files=known(lambda: _written_files(settings), ()),
        settings_module=known(lambda: settings.SETTINGS_MODULE or None, None),
        may_answer_first=any(not each.startswith("django.") for each in known(lambda: settings.MIDDLEWARE, ())),
    )


def _cookies(settings: Any) -> tuple[Cookie, ...]:
    cookies: list[Cookie] = []
    for name, middleware in (("SESSION", _SESSION), ("CSRF", _CSRF)):
        if middleware not in settings.MIDDLEWARE or (name == "CSRF" and settings.CSRF_USE_SESSIONS):
            continue
        name_setting, path_setting = f"{name}_COOKIE_NAME", f"{name}_COOKIE_PATH"
        domain = getattr(settings, f"{name}_COOKIE_DOMAIN") or ""
        cookie_name, path = getattr(settings, name_setting), getattr(settings, path_setting)
        cookies.append(Cookie(cookie_name, path, domain, name_setting, path_setting))
    return tuple(cookies)


def _written_files(settings: Any) -> tuple[Setting, ...]:
    names = {
        f'DATABASES["{alias}"]["NAME"]': database.get("NAME")
        for alias, database in settings.DATABASES.items()
        if str(database.get("ENGINE")).endswith(_SQLITE)
    }
    found = {name: str(value) for name, value in {**names, "MEDIA_ROOT": settings.MEDIA_ROOT}.items() if value}
    return tuple(Setting(name, value) for name, value in found.items() if not value.startswith((":memory:", "file:")))


def _own_prefix(settings: Any) -> tuple[Setting, ...]:
    prefix = settings.FORCE_SCRIPT_NAME
    return (Setting("FORCE_SCRIPT_NAME", prefix),) if isinstance(prefix, str) else ()


def _absolute_urls(settings: Any) -> tuple[Setting, ...]:
    names = ["STATIC_URL", "MEDIA_URL", *(name for name in _URLS if settings.is_overridden(name))]
    values = [(name, getattr(settings, name)) for name in names]
    return tuple(
        Setting(name, url)
        for name, url in values
        if isinstance(url, str) and url.startswith("/") and not url.startswith("//")  # a lazy one has the prefix
    )


def _hosts(settings: Any) -> AllowedHosts | None:
    if _COMMON not in settings.MIDDLEWARE:
        return None  # Django checks the host only when it is read, which this middleware does
    patterns = texts(settings.ALLOWED_HOSTS or (_WHILE_DEBUGGING if settings.DEBUG else ()))
    return AllowedHosts("ALLOWED_HOSTS", tuple(each for each in patterns if not each.startswith("*.")))  # no pattern


def _static_files(settings: Any) -> StaticFiles | None:
    """Return the static files of installed apps, unless something serves them, or may do so."""
    url, backend = settings.STATIC_URL, settings.STORAGES["staticfiles"]["BACKEND"]
    is_installed = any(each.startswith(_STATIC_FILES) for each in settings.INSTALLED_APPS)
    if not is_installed or not isinstance(url, str) or url.startswith(("http://", "https://", "//")):
        return None
    is_served = any("static" in each.lower() or "whitenoise" in each for each in settings.MIDDLEWARE)
    is_served = is_served or not backend.startswith(_STATIC_FILES)  # a storage of another package, such as a cloud's
    if is_served or django_urls.resolve(settings, f"/{url.lstrip('/')}x.css"):
        return None
    folder, project = (os.path.abspath(each) if each else "" for each in _folders(settings))  # noqa: PTH100 (text)
    return StaticFiles(url, folder, project)


def _folders(settings: Any) -> tuple[Any, Any]:
    """Return where static files are collected, and the folder of the project, as `startproject` calls it."""
    return settings.STATIC_ROOT, getattr(settings, "BASE_DIR", "")


def find(application: Any, request: InnerRequest, _: Onward) -> InnerAnswer | None:
    """Ask the resolver, and if it finds nothing, redirect as CommonMiddleware does."""
    settings = _settings()
    hosts = _hosts(settings)
    if hosts and settings.PREPEND_WWW:
        return None
    if hosts and not hosts.allow(request.hostname):
        return InnerAnswer(outcome="host refused", status=400)
    is_asgi = is_a(application, "django.core.handlers.asgi", "ASGIHandler")
    path = request.path or ("" if is_asgi else "/")  # over WSGI Django makes a slash of the bare prefix
    if found := django_urls.resolve(settings, path):
        return _allow(found, request.method)
    return _append_slash(settings, request) if hosts and settings.APPEND_SLASH else _miss(settings)


def _miss(settings: Any) -> InnerAnswer | None:
    """Return 404, unless LocaleMiddleware may redirect to a language."""
    may_redirect = django_urls.LOCALE in settings.MIDDLEWARE and django_urls.has_languages(settings)
    return None if may_redirect else NOT_FOUND


def _append_slash(settings: Any, request: InnerRequest) -> InnerAnswer | None:
    path = f"{request.path}/"
    slashed = None if path.endswith("//") else django_urls.resolve(settings, path)
    if slashed is None or not getattr(slashed.view, "should_append_slash", True):
        return _miss(settings)
    if settings.DEBUG and request.method in _METHODS_WITH_DATA:
        return None  # Django raises, to tell the developer
    location = loaded("django.utils.encoding", "escape_uri_path")(f"{request.prefix}{path}")
    return InnerAnswer(outcome="redirect", status=301, route=slashed.route, location=location)


def _allow(found: django_urls.Resolved, method: str) -> InnerAnswer:
    methods = found.route.methods if found.route else ()
    if methods and method not in (*methods, "HEAD", "OPTIONS"):
        return InnerAnswer(outcome="method not allowed", status=405, route=found.route, methods=methods)
    return InnerAnswer(outcome="view", route=found.route)


def settings_named_in(module: str) -> str | None:
    """Return the settings that a module of a project puts into DJANGO_SETTINGS_MODULE.

    Args:
        module: The name of a module that is loaded, such as `shop.wsgi`; its source is read.

    Returns:
        None if it names none, or more than one, or does not write the name out.
    """
    return known(lambda: _settings_named_in(module), None)


def _settings_named_in(module: str) -> str | None:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    named = {name for node in ast.walk(tree) if (name := _named_by(node)) is not None}
    return named.pop() if len(named) == 1 else None


def _named_by(node: ast.AST) -> str | None:
    """Read `os.environ.setdefault(KEY, name)` and `os.environ[KEY] = name`."""
    match node:
        case ast.Call(
            func=ast.Attribute(attr="setdefault"),
            args=[ast.Constant(value="DJANGO_SETTINGS_MODULE"), ast.Constant(value=str(name))],
        ):
            return name
        case ast.Assign(
            targets=[ast.Subscript(slice=ast.Constant(value="DJANGO_SETTINGS_MODULE"))],
            value=ast.Constant(value=str(name)),
        ):
            return name
    return None

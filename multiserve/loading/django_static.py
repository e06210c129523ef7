"""Serves the static files of Django's installed apps in development, below the mount, as `runserver` does."""

from __future__ import annotations

import importlib
import sys
from typing import Any
from urllib.parse import urlsplit

from multiserve._types import Loaded

_ELSEWHERE = ("http://", "https://", "//")
_BY_WHITENOISE = "whitenoise.runserver_nostatic"  # who installs it does not want runserver to serve these files


def with_static_files(loaded: Loaded) -> Loaded:
    """Return a Django application that serves its static files, if `runserver` would; else what was given."""
    handler, url = _name_of_handler(loaded.application), _served_url(loaded.application)
    if not url:
        return loaded
    settings: Any = sys.modules["django.conf"].settings
    serve: Any = _serve_wsgi if loaded.interface == "wsgi" else _serve_asgi
    return Loaded(serve(loaded.application, _files(handler, settings, loaded.application), url), loaded.interface)


def is_served(application: object, prefix: str, path: str) -> bool:
    """Return whether the development server serves a path below a prefix as a static file of a Django application."""
    url = _served_url(application)
    return bool(url) and _is_below(url, prefix, path)


def _served_url(application: object) -> str:
    """Return the STATIC_URL, without a prefix, of an application for which `runserver` would serve it; else nothing."""
    handler = _name_of_handler(application)
    settings: Any = getattr(sys.modules.get("django.conf"), "settings", None)
    apps: Any = getattr(sys.modules.get("django.apps"), "apps", None)
    if not handler or not apps.ready or not settings.DEBUG:
        return ""
    if not apps.is_installed("django.contrib.staticfiles") or _BY_WHITENOISE in settings.INSTALLED_APPS:
        return ""
    # The lazy settings would put the current prefix in front of it, and keep that.
    url = str(vars(settings)["_wrapped"].STATIC_URL or "")
    return "" if url.startswith(_ELSEWHERE) else url


def _name_of_handler(application: object) -> str:
    """Return the handler of static files for an application of Django; empty for any other application."""
    inside = getattr(application, "application_mapping", None)  # Channels: HTTP is one of several protocols
    found = inside.get("http") if isinstance(inside, dict) else application
    names = {("django.core.handlers.wsgi", "WSGIHandler"), ("django.core.handlers.asgi", "ASGIHandler")}
    for each in type(found).__mro__:
        if (each.__module__, each.__qualname__) in names:
            return "StaticFilesHandler" if each.__qualname__ == "WSGIHandler" else "ASGIStaticFilesHandler"
    return ""


def _files(handler: str, settings: Any, application: Any) -> Any:
    """Make the handler of `runserver`, but one that asks for STATIC_URL in a request, which knows the prefix."""
    from urllib.request import url2pathname  # Django has imported it, which takes long

    base = getattr(importlib.import_module("django.contrib.staticfiles.handlers"), handler)

    def file_path(self: object, url: str) -> str:
        del self
        return url2pathname(url.removeprefix(urlsplit(settings.STATIC_URL).path))

    # It takes every path, for it is asked only for those of static files.
    return type(handler, (base,), {"get_base_url": lambda _: "/", "file_path": file_path})(application)


def _serve_wsgi(application: Any, files: Any, static_url: str) -> Any:
    def serve(environ: Any, start_response: Any) -> Any:
        __traceback_hide__ = True  # of werkzeug's debugger: this frame is not the application's
        prefix, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
        found = files if _is_below(static_url, prefix, path) else application
        return found(environ, start_response)

    return serve


def _serve_asgi(application: Any, files: Any, static_url: str) -> Any:
    async def serve(scope: Any, receive: Any, send: Any) -> None:
        __traceback_hide__ = True
        is_file = False
        if scope["type"] == "http":
            prefix = scope.get("root_path", "")
            is_file = _is_below(static_url, prefix, scope["path"].removeprefix(prefix))
        await (files if is_file else application)(scope, receive, send)

    return serve


def _is_below(static_url: str, prefix: str, path: str) -> bool:
    """Return whether a path is one of static files; Django puts the prefix in front of a relative STATIC_URL."""
    if static_url.startswith("/"):
        return f"{prefix}{path}".startswith(static_url)
    return path.startswith(f"/{static_url}")

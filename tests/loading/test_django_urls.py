"""Links to static files have the mount's prefix, whatever asks for STATIC_URL while the application loads."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = """
import django.core.wsgi
from django.conf import settings
from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import path

settings.configure(
    SECRET_KEY="x" * 50, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, STATIC_URL="static/", {settings}
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.admin",
                    "django.contrib.messages", "django.contrib.sessions", "django.contrib.staticfiles"],
)
application = django.core.wsgi.get_wsgi_application()
{more}
urlpatterns = [path("", lambda request: HttpResponse(static("admin/css/base.css")))]
"""
ASK = """
import sys
from wsgiref.util import setup_testing_defaults
from multiserve import create_app

app = create_app(sys.argv[1])
for path in sys.argv[2:]:
    environ = {"PATH_INFO": path}
    setup_testing_defaults(environ)
    statuses = []
    body = b"".join(app(environ, lambda status, *_: statuses.append(status)))
    print(path, statuses[0], body.decode() if len(body) < 100 else "a file")
"""
WHITENOISE = 'MIDDLEWARE=["whitenoise.middleware.WhiteNoiseMiddleware"], WHITENOISE_USE_FINDERS=True,'
STORAGE = 'from django.contrib.staticfiles.storage import staticfiles_storage as storage\nstorage.url("x")'
CASES = [
    pytest.param("", "", "404 Not Found a page", id="nothing asks"),
    pytest.param("", "settings.STATIC_URL", "404 Not Found a page", id="the project asks"),
    pytest.param("", STORAGE, "404 Not Found a page", id="a storage keeps it"),
    pytest.param(f"{WHITENOISE} WHITENOISE_AUTOREFRESH=True,", "", "200 OK a file", id="WhiteNoise in development"),
    pytest.param(WHITENOISE, "", "200 OK a file", id="WhiteNoise in production"),
]


@pytest.mark.parametrize(("settings", "more", "served"), CASES)
def test_links_have_the_prefix_of_the_mount(tmp_path: Path, settings: str, more: str, served: str) -> None:
    if settings:
        pytest.importorskip("whitenoise")
    (tmp_path / "shop.py").write_text(PROJECT.format(settings=settings, more=more), "utf-8")
    (tmp_path / "multiserve.toml").write_text('[mounts]\n"/shop" = "shop:application"', "utf-8")
    command = [
        sys.executable,
        "-c",
        ASK,
        str(tmp_path / "multiserve.toml"),
        "/shop/",
        "/shop/static/admin/css/base.css",
    ]
    page, file = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[:2]
    assert page == "/shop/ 200 OK /shop/static/admin/css/base.css"
    assert re.sub("<.*|a file$", "a file" if "200" in file else "a page", file) == (
        f"/shop/static/admin/css/base.css {served}"
    )

"""What is probed in this process: with a validator around each application, and without one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.probing.processes import ThisProcess

pytestmark = pytest.mark.usefixtures("clean_process")

APP = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["text"] if environ["PATH_INFO"] == "/wrong" else [b"bytes"]


async def live(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
"""


@pytest.fixture
def here(write_config, tmp_path):
    (tmp_path / "probed_here.py").write_text(APP)

    def here(*names):
        mounts = "".join(f'"/{name}" = "probed_here:{name}"\n' for name in names)
        return ThisProcess(compose(load_config(write_config(f"[mounts]\n{mounts}"))))

    return here


def test_a_visit_returns_what_the_validator_objects_to(here):
    with here("app") as process:
        received, violations = process.visit("http://localhost/app/wrong")
        assert str(received.error) == "a response consists of bytes, not of str"
        assert len(violations) == 1
        received, violations = process.visit("http://localhost/app/x")
        assert (received.status, bytes(received.body), violations) == (200, b"bytes", ())


def test_any_other_request_is_not_validated(here):
    with here("app") as process:
        process.ask("GET", "http://localhost/app/wrong")
        assert process.visit("http://localhost/app/x")[1] == ()


def test_a_lifespan_that_does_not_start_says_why(here):
    with here("app", "live") as process:
        assert process.failure_at("http://localhost/live").endswith("no database")
        assert process.failure_at("http://localhost/app") == ""
        assert process.failure_at("http://localhost/nowhere") == ""
        assert process.blocker == ""


SHOP = """
import django.core.wsgi
from django.conf import settings
from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import path

settings.configure(
    SECRET_KEY="x" * 50, ALLOWED_HOSTS=["*"], DEBUG=True, ROOT_URLCONF="shop_urls", STATIC_URL="static/",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.admin",
                    "django.contrib.messages", "django.contrib.sessions", "django.contrib.staticfiles"],
)
application = django.core.wsgi.get_wsgi_application()


def home(request):
    return HttpResponse(f'<link rel="stylesheet" href="{static("admin/css/base.css")}">')
"""
URLS = """
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import path
from shop import home

urlpatterns = [*staticfiles_urlpatterns(), path("", home)]
"""


def test_urls_that_a_check_has_made_django_settle_are_settled_anew(tmp_path):
    """As `wagtail start` writes it: the URL configuration asks for STATIC_URL, and checks import it."""
    pytest.importorskip("django")
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "shop_urls.py").write_text(URLS)
    (tmp_path / "multiserve.toml").write_text('[mounts]\n"/shop" = "shop:application"')
    command = [sys.executable, "-m", "multiserve", "check", "--probe", "--format", "json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    result = json.loads(done.stdout)
    assert [probe["status"] for probe in result["probes"]] == [200]
    assert [each["message"] for each in result["findings"] if each["code"] == "MS204"] == []

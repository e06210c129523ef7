"""A project as `django-admin startproject` makes it: its admin has its styles, in development and in production."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

pytest.importorskip("django")

MODULES = [pytest.param("shop.wsgi", id="WSGI"), pytest.param("shop.asgi", id="ASGI")]
STYLES = "/backoffice/static/admin/css/base.css"


@pytest.fixture
def project(tmp_path, start_project):
    """Make a project, and return a function that runs one of its commands."""

    def manage(*arguments):
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=tmp_path, check=True, capture_output=True)

    start_project()
    manage("migrate")
    return manage


def links_of_admin(server):
    page = server.get("/backoffice/admin/login/?next=/backoffice/admin/")
    assert page.status == 200
    return re.findall('href="([^"]*[.]css)"', page.text)


@pytest.mark.parametrize("module", MODULES)
def test_in_development(run, write, project, module):
    write("multiserve.toml", f'[mounts]\n"/backoffice" = "{module}"\n')
    server = run().ready()
    assert STYLES in links_of_admin(server)
    for path in links_of_admin(server):
        response = server.get(path)
        assert (response.status, response.headers.get_content_type()) == (200, "text/css")
    assert server.get("/backoffice/static/no.css").status == 404
    assert STYLES in links_of_admin(server)


@pytest.mark.parametrize("module", MODULES)
def test_in_production_the_cure_of_check_works(run, start, write, project, tmp_path, module):
    table = f'[mounts]\n"/backoffice" = "{module}"\n'
    settings = (tmp_path / "shop" / "settings.py").read_text("utf-8").replace("DEBUG = True", "DEBUG = False")
    settings = settings.replace("ALLOWED_HOSTS = []", 'ALLOWED_HOSTS = ["127.0.0.1"]')
    write("multiserve.toml", table)
    write("shop/settings.py", settings)
    checking = start("check", "--production", cwd=tmp_path)
    assert checking.wait() == 0
    cure = re.search("Set (STATIC_ROOT.*), run manage.py (.*), and add (.*) under .mounts.[.]", checking.log)
    setting, command, line = cure.groups()
    write("shop/settings.py", f"{settings}\n{setting}\n")
    write("multiserve.toml", f"{table}{line}\n")
    project(*shlex.split(command), "--no-input")
    checking = start("check", "--production", cwd=tmp_path)
    assert checking.wait() == 0
    assert "MS142" not in checking.log
    server = run("--production", "--workers", "1").ready()
    assert STYLES in links_of_admin(server)
    for path in links_of_admin(server):
        response = server.get(path)
        assert (response.status, response.headers.get_content_type()) == (200, "text/css")

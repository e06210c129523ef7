"""Groups as units: each in one process, with its own environment and folders, and 421 for what is elsewhere."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.xdist_group("parity-groups")

FILE = """\
[mounts]
"/"                 = "echo:app"
"/blog"             = { app = "echo:app", group = "blog" }
"/blog/news"        = { app = "news:app", group = "blog" }
"/blog/shop"        = "echo:app"
"/wiki"             = { app = "echo:app", group = "wiki" }
"{tenant}.test"     = { app = "echo:make", group = "blog" }
"www.test/wiki/old" = { redirect = "/" }

[env]
WHOSE = "everybody's"

[groups.blog]
pythonpath = ["for_blog"]
directory = "for_blog"
env = { WHOSE = "the blog's" }

[groups.wiki.gunicorn]
timeout = 20
"""
ECHO = """\
import os
from pathlib import Path

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    seen = [environ[name] for name in ("SCRIPT_NAME", "PATH_INFO", "HTTP_HOST", "wsgi.url_scheme", "multiserve.mount")]
    return [ascii([__name__, os.environ["WHOSE"], Path.cwd().name, *seen]).encode()]

def make(tenant):
    return None if tenant == "refused" else app
"""
PATHS = [
    "/",
    "/blog",
    "/blog/x",
    "/blog/news/1",
    "/blog/shop",
    "/blog/shop/x",
    "/wiki/x",
    "/bl%6fg/news",
    "/none",
    "/wiki/old",
]
HOSTS = ["localhost", "ann.test", "www.test", "ann.test:8080", "a.b.test"]


@pytest.fixture(scope="module")
def site(start_site, tmp_path_factory):
    folder = tmp_path_factory.mktemp("groups") / "site"
    (folder / "for_blog").mkdir(parents=True)
    (folder / "multiserve.toml").write_text(FILE)
    (folder / "echo.py").write_text(ECHO)
    (folder / "for_blog" / "news.py").write_text("from echo import app\n")
    return start_site(folder)


def test_groups_are_units_that_answer_alike(site, front):
    requests = {f"{host}{path}": site.head(path, host=host) for host in HOSTS for path in PATHS}
    assert site.differences(front, requests) == {}


def test_a_unit_has_the_environment_of_its_group(site):
    for ask in (site.answer, lambda request: site.answer_of_unit("blog", request)):
        status, _, body = ask(site.head("/blog/news/1"))
        expected = ["echo", "the blog's", "for_blog", "/blog/news", "/1", "localhost", "http", "/blog/news"]
        assert (status, body.decode()) == (200, ascii(expected))


@pytest.mark.parametrize(
    ("unit", "path", "host", "mount"),
    [
        pytest.param("blog", "/", "localhost", "/", id="the root in a group"),
        pytest.param("blog", "/blog/shop", "localhost", "/blog/shop", id="a longer prefix"),
        pytest.param("main", "/blog/x", "localhost", "/blog", id="a group in the main unit"),
        pytest.param("wiki", "/x", "ann.test", "{tenant}.test", id="a host"),
        pytest.param("blog", "/wiki", "refused.test", "/wiki", id="the next best of a tenant that is refused"),
    ],
)
def test_what_is_elsewhere_gets_421(site, unit, path, host, mount):
    status, _, body = site.answer_of_unit(unit, site.head(path, host=host))
    text = f"Misdirected Request: {mount} is served by another process.\n"
    assert (status, body.decode()) == (421, text)

from __future__ import annotations

import pytest

from multiserve.checks import look_at
from multiserve.checks.serving import files_of_the_host, lost_lifespans, proxy_fixes, wrong_interfaces
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.frameworks import Facts, InnerRoute

pytestmark = pytest.mark.usefixtures("kept_process")
FIXED = """
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
app = Flask(__name__)
app.wsgi_app = ProxyFix(app.wsgi_app, {})
"""


@pytest.fixture
def find(tmp_path, write_config):
    def run(check, source, text):
        (tmp_path / "site_served.py").write_text(source)
        composition = compose(load_config(write_config(text)))
        assert not composition.failures
        return [(each.severity, each.message) for each in check.find(look_at(composition, {}))]

    return run


BELIEVES = ("note", "its ProxyFix believes X-Forwarded headers, and trusted_proxies is 0")
REPLACES = ("warning", "its ProxyFix takes X-Forwarded-Prefix in place of /a, not in front of it")
PROXIES = [
    pytest.param("x_for=1", 0, "/a", [BELIEVES], id="the address"),
    pytest.param("x_prefix=1", 0, "/a", [REPLACES], id="the prefix"),
    pytest.param("x_prefix=1", 0, "/", [BELIEVES], id="the prefix, at the root"),
    pytest.param("x_for=1, x_prefix=1", 1, "/a", [], id="as the server has it"),
    pytest.param(
        "x_for=2", 1, "/a", [("warning", "its ProxyFix counts 2 proxies, and trusted_proxies is 1")], id="another count"
    ),
    pytest.param("x_for=0, x_proto=0", 0, "/a", [], id="nothing"),
]


@pytest.mark.parametrize(("options", "trusted", "prefix", "found"), PROXIES)
def test_proxies_that_an_application_counts_are_those_of_the_server(find, options, trusted, prefix, found):
    text = f'[mounts]\n"{prefix}" = "site_served:app"\n[server]\ntrusted_proxies = {trusted}'
    assert find(proxy_fixes, FIXED.format(options), text) == found


LIFESPANS = """
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from starlette.routing import Mount
@asynccontextmanager
async def first(app): yield
@asynccontextmanager
async def second(app): yield
inner = Starlette(lifespan=first)
app = Starlette(routes=[Mount("/", app=inner)], {})
"""


@pytest.mark.parametrize(
    ("options", "found"),
    [
        pytest.param("", [("warning", "the application that it mounts at /a has a lifespan, which nobody runs")],
                     id="none of its own"),
        pytest.param("lifespan=second",
                     [("note", "the application that it mounts at /a has a lifespan, which its own one may not run")],
                     id="one of its own"),
        pytest.param("lifespan=first", [], id="the same one"),
    ],
)  # fmt: skip
def test_the_lifespan_of_an_application_inside_is_found(find, options, found):
    assert find(lost_lifespans, LIFESPANS.format(options), '[mounts]\n"/a" = "site_served:app"') == found


BOTH = """
def wsgi(environ, start_response): ...
async def asgi(scope, receive, send): ...
def either(*args, **kwargs): ...
"""


@pytest.mark.parametrize(
    ("name", "interface", "found"),
    [
        pytest.param("wsgi", "asgi", [("error", 'it is declared as interface = "asgi", and it is WSGI')], id="WSGI"),
        pytest.param("asgi", "wsgi", [("error", 'it is declared as interface = "wsgi", and it is ASGI')], id="ASGI"),
        pytest.param("wsgi", "wsgi", [], id="the right one"),
        pytest.param("either", "asgi", [], id="a decorator, of which only the file knows"),
    ],
)
def test_an_interface_that_is_not_that_of_the_application_is_found(find, name, interface, found):
    text = f'[mounts]\n"/" = {{ app = "site_served:{name}", interface = "{interface}" }}'
    assert find(wrong_interfaces, BOTH, text) == found


FILES = "it has {}, and no mount answers at the root of the host"


@pytest.mark.parametrize(
    ("mounts", "paths", "found"),
    [
        pytest.param('"/a" = "plain:app"', ["/x", "/robots.txt", "/.well-known/security.txt"],
                     [("MS155", "note", ("/a",), FILES.format("/.well-known/security.txt, /robots.txt"))], id="two"),
        pytest.param('"/" = "plain:app"', ["/robots.txt"], [], id="at the root"),
        pytest.param('"/a" = "plain:app"\n"/" = "other:app"', ["/robots.txt"], [], id="where the root may have it"),
        pytest.param('"/a" = "plain:app"', ["/.well-known/{name}", "/.well-known/<name>"], [], id="a placeholder"),
    ],
)  # fmt: skip
def test_a_file_that_is_looked_for_at_the_root_of_a_host_is_found(look, mounts, paths, found):
    routes = tuple(InnerRoute(path=path) for path in paths)
    facts = Facts(application=object(), framework="Flask", version="", routes=routes)
    known = dict.fromkeys(["/a", "/"], facts) if '"/a"' not in mounts else {"/a": facts}
    assert look(f"[mounts]\n{mounts}", known) == found


def test_the_cure_is_a_redirect_on_the_same_host(tmp_path, write_config):
    pytest.importorskip("flask")
    (tmp_path / "site_served.py").write_text(
        "from flask import Flask\napp = Flask(__name__)\napp.add_url_rule('/robots.txt', 'robots', lambda: '')\n"
    )
    text = '[mounts]\n"example.com/a" = "site_served:app"\n'
    (found,) = files_of_the_host.find(look_at(compose(load_config(write_config(text))), {}))
    line = '"example.com/robots.txt" = { redirect = "/a/robots.txt" }'
    assert found.cure == f"Add {line} under [mounts]."
    assert list(files_of_the_host.find(look_at(compose(load_config(write_config(text + line))), {}))) == []

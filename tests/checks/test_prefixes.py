from __future__ import annotations

import pytest

from multiserve.checks import look_at
from multiserve.checks.prefixes import dash_prefix
from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.frameworks import AllowedHosts, Facts, Setting

UNTOLD = "cannot check whether APPLICATION_ROOT is not the prefix: AttributeError:"


def facts(framework="Flask", **known):
    return Facts(application=object(), framework=framework, version="", **known)


def project(actual="shop.settings", **known):
    return facts("Django", settings_module=actual, **known)


SILENT = [
    pytest.param(
        '"/a" = "plain:app"', {"/a": facts(own_prefix=(Setting("APPLICATION_ROOT", "/a/"),))}, id="the very prefix"
    ),
    pytest.param(
        '"/a" = "plain:app"\n[server]\ntrusted_proxies = 1',
        {"/a": facts(own_prefix=(Setting("APPLICATION_ROOT", "/outer/a"),))},
        id="the prefix behind that of a proxy",
    ),
    pytest.param(
        '"/sales" = "plain:app"\n[server]\ntrusted_proxies = 1',
        {
            "/sales": facts(
                "Dash",
                own_prefix=(
                    Setting("requests_pathname_prefix", "/outer/sales/"),
                    Setting("routes_pathname_prefix", "/"),
                ),
            )
        },
        id="Dash behind a proxy with a prefix",
    ),
    pytest.param(
        '"/a" = "plain:app"\n"/static" = { static = "files" }',
        {"/a": project(absolute_urls=(Setting("STATIC_URL", "/static/"),))},
        id="an absolute URL that a folder answers",
    ),
    pytest.param(
        '"/a" = "plain:app"',
        {"/a": project(absolute_urls=(Setting("STATIC_URL", "/a/static/"),))},
        id="an absolute URL inside the mount",
    ),
    pytest.param(
        '"x.example.com:8000" = "plain:app"',
        {"x.example.com:8000": project(hosts=AllowedHosts("ALLOWED_HOSTS", (".example.com",)))},
        id="a host among those of a domain",
    ),
]


@pytest.mark.parametrize(("mounts", "known"), SILENT)
def test_nothing_is_said(look, mounts, known):
    assert look(f"[mounts]\n{mounts}", known) == []


SAID = [
    pytest.param(
        '"/a" = "plain:app"',
        {"/a": facts(logger="x", own_prefix=(Setting("APPLICATION_ROOT", 5),), debug=True)},
        [
            (
                "MS130",
                "note",
                (),
                f"{UNTOLD} 'int' object has no attribute 'rstrip'",
            )
        ],
        id="a fact that no check expects",
    ),
    pytest.param(
        '"/a" = "plain:app"',
        {"/a": facts(own_prefix=(Setting("APPLICATION_ROOT", "/outer/a"),))},
        [
            (
                "MS130",
                "note",
                ("/a",),
                'it has APPLICATION_ROOT = "/outer/a", but is mounted at /a: that can only be right behind a proxy',
            )
        ],
        id="a prefix that a proxy may take off",
    ),
    pytest.param(
        '"/" = "plain:app"',
        {"/": facts("FastAPI", own_prefix=(Setting("root_path", "/outer"),))},
        [
            (
                "MS132",
                "note",
                ("/",),
                'it has root_path = "/outer", but is mounted at /: that can only be right behind a proxy',
            )
        ],
        id="a prefix at the root",
    ),
    pytest.param(
        '"/a" = "plain:app"\n[server]\ntrusted_proxies = 1',
        {"/a": facts("FastAPI", own_prefix=(Setting("root_path", "/outer/a"),))},
        [("MS132", "error", ("/a",), 'it has root_path = "/outer/a", but is mounted at /a')],
        id="a prefix behind that of a proxy, with which FastAPI finds nothing",
    ),
    pytest.param(
        '"/a" = "plain:app"\n[server]\ntrusted_proxies = 1',
        {"/a": project(absolute_urls=(Setting("STATIC_URL", "/static/"),))},
        [("MS140", "note", ("/a",), 'it has STATIC_URL = "/static/", which is not below /a')],
        id="an absolute URL that a proxy may answer",
    ),
    pytest.param(
        '"/a" = "plain:app"',
        {"/a": project(absolute_urls=(Setting("LOGIN_URL", "/login/"),))},
        [("MS140", "note", ("/a",), 'it has LOGIN_URL = "/login/", which is not below /a')],
        id="an absolute URL that may be meant",
    ),
    pytest.param(
        '"*.example.com" = "plain:app"',
        {"*.example.com": project(hosts=AllowedHosts("ALLOWED_HOSTS", ("www.example.com",)))},
        [
            (
                "MS141",
                "note",
                ("*.example.com",),
                "its ALLOWED_HOSTS has www.example.com, which may not be every host of *.example.com",
            )
        ],
        id="some of many hosts",
    ),
    pytest.param(
        '"/" = "plain:app"',
        {"/": project(hosts=AllowedHosts("ALLOWED_HOSTS", ()))},
        [("MS141", "error", ("/",), "its ALLOWED_HOSTS is empty, or has no valid host")],
        id="no host at all",
    ),
]


@pytest.mark.parametrize(("mounts", "known", "expected"), SAID)
def test_what_is_said_is_as_certain_as_the_reading(look, mounts, known, expected):
    assert look(f"[mounts]\n{mounts}", known) == expected


PLOTS = """
import dash, flask
server = flask.Flask(__name__)
server.add_url_rule("/", "home", lambda: "home")
def make():
    app = {dash}
    app.layout = dash.html.Div("plots")
make()
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning:dash")
@pytest.mark.usefixtures("clean_process")
def test_a_dash_inside_an_application_of_flask_is_told_both_the_prefix_and_its_path(tmp_path, write_config):
    pytest.importorskip("dash")
    written = 'Dash(server=server, url_base_pathname="/plots/")'

    def find(name, how):
        (tmp_path / f"{name}.py").write_text(PLOTS.format(dash=f"dash.{how}"))
        subject = look_at(compose(load_config(write_config(f'[mounts]\n"/sales" = "{name}:server"'))), {})
        return [(each.message, each.cure) for each in dash_prefix.find(subject)]

    (found,) = find("first", written)
    cure = 'Dash(requests_pathname_prefix="/sales/plots/", routes_pathname_prefix="/plots/")'
    assert found == (
        'it has requests_pathname_prefix = "/plots/" and routes_pathname_prefix = "/plots/", but is mounted at /sales',
        f"Write {cure}.",
    )
    assert find("second", cure.replace("Dash(", "Dash(server=server, ")) == []

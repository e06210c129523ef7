from __future__ import annotations

import pytest

from multiserve.frameworks import InnerAnswer, InnerRequest, Setting, find_route, inspect_application
from multiserve.frameworks.reading import version_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
flask = pytest.importorskip("flask")


@pytest.fixture(scope="module")
def dash():
    return pytest.importorskip("dash")  # it is large, and not among the dependencies of the tests


PREFIXES = [
    pytest.param({}, ("/", "/"), id="none, which does not fit a prefix"),
    pytest.param(
        {"requests_pathname_prefix": "/sales/", "routes_pathname_prefix": "/"},
        ("/sales/", "/"),
        id="as a mount needs it",
    ),
    pytest.param({"url_base_pathname": "/sales/"}, ("/sales/", "/sales/"), id="as an application alone needs it"),
]


@pytest.mark.parametrize("inside", [False, True], ids=["Dash", "its server"])
@pytest.mark.parametrize(("options", "prefixes"), PREFIXES)
def test_both_prefixes_are_read(dash, options, prefixes, inside):
    application = dash.Dash("sales", **options)
    application.layout = dash.html.Div()
    facts = inspect_application(application.server if inside else application)
    names = ("requests_pathname_prefix", "routes_pathname_prefix")
    assert (facts.framework, facts.version, facts.logger) == ("Dash", version_of("dash"), "sales")
    assert facts.own_prefix == tuple(map(Setting, names, prefixes))
    assert f"{prefixes[1]}_dash-layout" in [route.path for route in facts.routes]
    answer = find_route(application.server, InnerRequest(f"{prefixes[1]}_dash-layout"))
    assert (answer.outcome, answer.route.view) == ("view", "dash.dash:Dash.serve_layout")


def test_two_in_one_server_are_an_application_of_flask(dash):
    server = flask.Flask("both")
    for name in ("one", "two"):
        dash.Dash(name, server=server, url_base_pathname=f"/{name}/").layout = dash.html.Div()
    facts = inspect_application(server)
    assert (facts.framework, facts.own_prefix) == ("Flask", ())
    assert find_route(server, InnerRequest("/nothing")) == InnerAnswer(outcome="not found", status=404)

from __future__ import annotations

import pytest

from multiserve.probing.scripts import example_of, find_prefixing, read_script

FETCH, SOCKET = "the URL of fetch", "the URL of WebSocket"

SCRIPTS = [
    # the script, what it asks for: kind, what, URL and method
    pytest.param("fetch('/x')", [("request", FETCH, "/x", "GET")], id="fetch"),
    pytest.param('window.fetch(\n  "/x", {method: "POST"})', [("request", FETCH, "/x", "GET")], id="of the window"),
    pytest.param("fetch(`/x/${id}?a=${b}`)", [("request", FETCH, "/x/${id}?a=${b}", "GET")], id="a template"),
    pytest.param('fetch("/x/" + id)', [("request", FETCH, "/x/${}", "GET")], id="something is added"),
    pytest.param('fetch(base + "/x")', [], id="something is put in front"),
    pytest.param("fetch(`${base}/x`)", [], id="a template that begins with something"),
    pytest.param("fetch('x'); fetch('//other.test/x'); fetch('https://other.test/x')", [], id="other URLs"),
    pytest.param("prefetch('/x'); client.fetch('/x')", [], id="other functions"),
    pytest.param("new EventSource('/x')", [("request", "the URL of EventSource", "/x", "GET")], id="EventSource"),
    pytest.param("new WebSocket('/x')", [("request", SOCKET, "/x", "WEBSOCKET")], id="WebSocket"),
    pytest.param(
        'new WebSocket("ws://" + location.host + "/x")', [("request", SOCKET, "/x", "WEBSOCKET")],
        id="WebSocket with the host",
    ),
    pytest.param(
        "let url = `wss://${window.location.host}/x/${id}`", [("request", SOCKET, "/x/${id}", "WEBSOCKET")],
        id="WebSocket in a template",
    ),
    pytest.param(
        "`https://${location.host}/x`", [("request", "the URL of a script", "/x", "GET")], id="another template"
    ),
    pytest.param("axios.post('/x', data)", [("request", "the URL of axios", "/x", "GET")], id="axios"),
    pytest.param("$.getJSON('/x')", [("request", "the URL of jQuery", "/x", "GET")], id="jQuery"),
    pytest.param(
        "request.open('GET', '/x')", [("request", "the URL of XMLHttpRequest", "/x", "GET")], id="XMLHttpRequest"
    ),
    pytest.param("window.open('/x')", [], id="another open"),
    pytest.param(
        "SwaggerUIBundle({ dom_id: '#ui', url: '/openapi.json' })", [("request", "the API", "/openapi.json", "GET")],
        id="Swagger",
    ),
    pytest.param(
        "navigator.serviceWorker.register('/sw.js', {scope: '/'})",
        [
            ("asset", "the service worker", "/sw.js", "GET"),
            ("scope", "the scope of the service worker", "/", "GET"),
        ],
        id="a service worker",
    ),
    pytest.param("import('/x.js')", [("asset", "the script", "/x.js", "GET")], id="an import later"),
    pytest.param("import a from '/x.js'", [("asset", "the script", "/x.js", "GET")], id="an import"),
    pytest.param("location.href = '/x'", [("link", "the link", "/x", "GET")], id="a link"),
    pytest.param("window.location.assign('/x')", [("link", "the link", "/x", "GET")], id="another link"),
    pytest.param("if (location.pathname == '/x') {}", [], id="a comparison"),
    pytest.param("if (location.href == '/x') {}", [], id="another comparison"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SCRIPTS)
def test_what_a_script_asks_for(text, expected):
    assert [(each.kind, each.what, each.url, each.method) for each in read_script(text)] == expected


def test_a_large_script_is_read_at_once():
    assert [each.url for each in read_script("a('b');fetch" * 40_000 + "('/x')")] == ["/x"]


def test_what_a_template_may_become():
    assert example_of("/x/${a.b}/y?z=${c}") == "/x/1/y?z=1"


PREFIXING = [
    pytest.param("axios.create({ baseURL: prefix })", ["the URL of axios"], id="axios"),
    pytest.param("const old = window.fetch; window.fetch = (url) => old(prefix + url)", [FETCH], id="fetch"),
    pytest.param("$.ajaxPrefilter((options) => {})", ["the URL of jQuery"], id="jQuery"),
    pytest.param("XMLHttpRequest.prototype.open = open", ["the URL of XMLHttpRequest"], id="XMLHttpRequest"),
    pytest.param(
        "addEventListener('htmx:configRequest', (event) => {})", ["the URL of htmx"], id="htmx",
    ),
    pytest.param("fetch('/x'); trigger(e, 'htmx:configRequest', {})", [], id="nothing"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PREFIXING)
def test_which_requests_get_a_prefix_by_a_script(text, expected):
    assert list(find_prefixing(text)) == expected

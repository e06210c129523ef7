"""What a response refers to, and what the documents of its page refer to."""

from __future__ import annotations

import pytest

from multiserve.composition import compose
from multiserve.config.file import load_config
from multiserve.probing.processes import ThisProcess
from multiserve.probing.references import References
from multiserve.probing.site import Composed

pytestmark = pytest.mark.usefixtures("clean_process")

APP = """
DOCUMENTS = {documents!r}
asked = []


def app(environ, start_response):
    path = environ["PATH_INFO"]
    asked.append(path)
    body, kind, *headers = DOCUMENTS.get(path, ("", "text/html"))
    start_response("200 OK", [("Content-Type", kind), *headers])
    return [body.encode()]
"""
HTML, SCRIPT, STYLE, JSON = "text/html; charset=utf-8", "text/javascript", "text/css", "application/json"


@pytest.fixture
def read(tmp_path, write_config):
    """Return what the page at the root of an application refers to, and which paths were asked for it."""

    def read(page, documents, *headers):
        known = {"/": (page, HTML, *headers), **documents}
        (tmp_path / "documented.py").write_text(APP.format(documents=known))
        (tmp_path / "other.py").write_text(APP.format(documents={}))
        path = write_config('[mounts]\n"/a" = "documented:app"\n"/" = "other:app"\n')
        composition = compose(load_config(path))
        loaded = next(each for each in composition.mounts if each.mount.name == "/a")
        with ThisProcess(composition) as here:
            composed = Composed(composition, here)
            references = References(composed)
            received, _ = composed.visit("http://localhost/a/")
            found = references.of(loaded, "http://localhost/a/", received)
            assert references.of(loaded, "http://localhost/a/", received) == found
        import documented

        return [(each.what, each.target, each.seen_at.removeprefix("http://localhost")) for each in found], documented

    return read


def test_headers(read):
    headers = [
        ("Refresh", "3; url=/next"),
        ("Link", '</x.css>; rel="preload"; as=style, <y>; rel=next'),
        ("Link", "<mailto:a@b>; rel=author"),
    ]
    found, _ = read("", {}, *headers)
    assert found == [
        ("Refresh", "http://localhost/next", ""),
        ("Link", "http://localhost/x.css", ""),
        ("Link", "http://localhost/a/y", ""),
    ]


def test_documents_of_the_mount_are_read_once(read):
    page = "<script src='app.js'></script><script src='/root.js'></script><link rel=manifest href=m>"
    documents = {
        "/app.js": ("import './more.js'; import x from '/a/deep/more.js'; fetch('/x/' + id)", SCRIPT),
        "/deep/more.js": ("location = '/y'", SCRIPT),
        "/m": ('{"icons": [{"src": "icon.png"}]}', JSON),
    }
    found, module = read(page, documents)
    assert found == [
        ("the script", "http://localhost/a/app.js", ""),
        ("the script", "http://localhost/root.js", ""),
        ("the manifest", "http://localhost/a/m", ""),
        ("the URL of fetch", "http://localhost/x/1", "/a/app.js"),
        ("the script", "http://localhost/a/deep/more.js", "/a/app.js"),
        ("the icon", "http://localhost/a/icon.png", "/a/m"),
        ("the link", "http://localhost/y", "/a/deep/more.js"),
    ]
    assert module.asked == ["/", "/app.js", "/m", "/deep/more.js"]


def test_style_sheets_are_relative_to_themselves(read):
    page = "<link rel=stylesheet href=css/x.css><style>a { background: url(y.png) }</style><p style='mask: url(m.png)'>"
    documents = {"/css/x.css": ("@import 'more.css'; a { background: url(x.png) }", STYLE)}
    found, _ = read(page, documents)
    assert found == [
        ("the style sheet", "http://localhost/a/css/x.css", ""),
        ("the file of a style sheet", "http://localhost/a/y.png", ""),
        ("the file of a style sheet", "http://localhost/a/m.png", ""),
        ("the file of a style sheet", "http://localhost/a/css/x.png", "/a/css/x.css"),
        ("the style sheet", "http://localhost/a/css/more.css", "/a/css/x.css"),
    ]


def test_requests_that_a_script_puts_a_prefix_in_front_of_count_for_nothing(read):
    page = "<script>axios.get('/x'); fetch('/y')</script><script src=app.js></script>"
    found, _ = read(page, {"/app.js": ("axios.defaults.baseURL = '/a'; axios.get('/z')", SCRIPT)})
    assert [each[0] for each in found] == ["the URL of fetch", "the script"]


def test_the_description_of_an_api(read):
    page = "<div hx-get='/x' data-hx-post='/y'></div><redoc spec-url='openapi.json'></redoc>"
    document = '{"openapi": "3.1.0", "paths": {"/items": {"get": {}}}}'
    found, _ = read(page, {"/openapi.json": (document, JSON)})
    assert found == [
        ("the URL of htmx", "http://localhost/x", ""),
        ("the URL of htmx", "http://localhost/y", ""),
        ("the API", "http://localhost/a/openapi.json", ""),
        ("the path of OpenAPI", "http://localhost/items", "/a/openapi.json"),
    ]


def test_no_more_than_twelve_documents_are_read(read):
    page = "".join(f"<script src={number}.js></script>" for number in range(20))
    _, module = read(page, {f"/{number}.js": ("", SCRIPT) for number in range(20)})
    assert module.asked == ["/", *(f"/{number}.js" for number in range(12))]


def test_the_page_of_an_application_is_no_document(read):
    found, _ = read("<script src=app.js></script>", {"/app.js": ("<script>fetch('/x')</script>", HTML)})
    assert [each[0] for each in found] == ["the script"]

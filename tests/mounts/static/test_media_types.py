from __future__ import annotations

import mimetypes

import pytest

from multiserve.mounts.static.media_types import content_type, is_asset


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("page.html", "text/html"),
        ("PAGE.HTM", "text/html"),
        ("app.js", "text/javascript"),
        ("app.mjs", "text/javascript"),
        ("app.js.map", "application/json"),
        ("style.css", "text/css"),
        ("module.wasm", "application/wasm"),
        ("photo.webp", "image/webp"),
        ("photo.avif", "image/avif"),
        ("logo.svg", "image/svg+xml"),
        ("text.woff2", "font/woff2"),
        ("site.webmanifest", "application/manifest+json"),
        ("film.mp4", "video/mp4"),
        ("data.json", "application/json"),
        ("backup.tar.gz", "application/gzip"),
        ("backup.tgz", "application/gzip"),
        ("app.js.br", "application/octet-stream"),
        ("unknown.xyz", "application/octet-stream"),
        ("LICENSE", "application/octet-stream"),
        (".html", "application/octet-stream"),
        ("data:,x.html", "text/html"),
    ],
)
def test_the_type_of_a_name(name: str, kind: str) -> None:
    assert content_type(name) == kind


def test_the_types_do_not_depend_on_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mimetypes.types_map, ".html", "text/x-system")
    assert content_type("page.html") == "text/html"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", False),
        ("users", False),
        ("john.doe", False),
        ("v1.2", False),
        ("page.html", False),
        ("page.xhtml", False),
        ("app.js", True),
        ("photo.PNG", True),
        ("app.css.gz", True),
        ("robots.txt", True),
        ("data.json", True),
    ],
)
def test_what_is_clearly_no_page(name: str, expected: bool) -> None:
    assert is_asset(name) is expected
